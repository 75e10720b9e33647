#!/usr/bin/env bash
# Prints the environment in which Go finds FFmpeg 7 and the tools that set-up fetched; make uses it for every command:
#
#	eval "$(internal/setup/env.sh)"
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=ffmpeg.sh
. "$setup_dir/ffmpeg.sh"
# shellcheck source=toolchains.sh
. "$setup_dir/toolchains.sh"

if prefers_own || ! has_ffmpeg7; then
	prefix=$(cached_ffmpeg) || die "FFmpeg 7 is not set up; run: make setup"
	PATH=$prefix/bin:$PATH
	printf 'export PKG_CONFIG=%q PKG_CONFIG_PATH=%q\n' "$setup_dir/pkg-config-static" "$prefix/lib/pkgconfig"
fi
use_go || die "no usable Go; run: make setup"
use_node || die "no usable Node.js; run: make setup"
if [ -n "${GOTOOLCHAIN:-}" ]; then
	printf 'export GOTOOLCHAIN=%q\n' "$GOTOOLCHAIN"
fi
printf 'export PATH=%q\n' "$PATH"
