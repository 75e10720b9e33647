#!/usr/bin/env bash
# Installs what building, testing, linting or benchmarking Millrace needs and this Debian (12 or later) lacks:
#
#	internal/setup/setup.sh build [test] [lint] [bench]
#
# As root it installs; as anybody else it names what is missing in one line. What is there already is left alone, and
# nothing is asked of the network then.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apt.sh
. "$setup_dir/apt.sh"
# shellcheck source=ffmpeg.sh
. "$setup_dir/ffmpeg.sh"
# shellcheck source=toolchains.sh
. "$setup_dir/toolchains.sh"

want_for_build() {
	want_command gcc gcc
	want_header stdio.h libc6-dev
	want_command make make
	want_command git git
	want_command pkg-config pkg-config
	[ -e /etc/ssl/certs/ca-certificates.crt ] || want_package ca-certificates
	want_command node nodejs
	want_command npm npm
}

# Real players and publishers, headless. GStreamer's are needed as plugins, so they are asked for by package.
want_for_test() {
	local part
	want_command chromium chromium
	want_command lame lame # this FFmpeg makes no MP3
	want_command cvlc vlc-bin
	want_package vlc-plugin-base
	for part in tools plugins-base plugins-good plugins-bad plugins-ugly rtsp libav; do
		want_package "gstreamer1.0-$part"
	done
}

want_for_lint() {
	want_command shellcheck shellcheck
}

want_for_bench() {
	want_command wrk wrk
	if ! has nginx; then
		missing+=(nginx-light)
		new_nginx=yes
	fi
}

# Where there is no usable Go: Debian's, if it is able to fetch the one that we need.
want_go() {
	local offered
	if use_go; then
		return 0
	fi
	if has go && at_least "$GO_MIN" "$(go_version)"; then
		die "Go $(go_version) could not fetch the toolchain that go.mod names: unset GOTOOLCHAIN (now" \
			"${GOTOOLCHAIN:-unset}), or install that Go"
	fi
	offered=$(candidate golang-go)
	if [ -z "$offered" ]; then
		update_once
		offered=$(candidate golang-go)
	fi
	if at_least "$GO_MIN" "${offered:-0}"; then
		missing+=(golang-go)
	else
		go_from_backports=yes
		is_root || say "Go $GO_MIN or later is missing: Debian 12 has it in bookworm-backports, package golang-go"
	fi
}

# FFmpeg 7 as it is here, else Debian's, else built from Debian's source, for which its libraries are needed.
want_ffmpeg() {
	local pair
	if ! prefers_own; then
		if has_ffmpeg7; then
			want_command ffmpeg ffmpeg
			return 0
		fi
		if ! cached_ffmpeg >/dev/null && debian_has_ffmpeg7; then
			missing+=("${ffmpeg_packages[@]}")
			return 0
		fi
	fi
	own_ffmpeg=yes
	want_command g++ g++ # x265 is C++
	for pair in "${ffmpeg_tools[@]}"; do
		want_command "${pair%:*}" "${pair#*:}"
	done
	for pair in "${ffmpeg_libraries[@]}"; do
		want_module "${pair%:*}" "${pair#*:}"
	done
}

debian_has_ffmpeg7() {
	[ -n "$(candidate libavcodec-dev)" ] || update_once
	[[ $(candidate libavcodec-dev) == 7.* ]]
}

new_nginx="" go_from_backports="" own_ffmpeg=""
[ $# -gt 0 ] || set -- build
for role; do
	case $role in
	build | test | lint | bench) "want_for_$role" ;;
	*) die "unknown: $role (build, test, lint or bench)" ;;
	esac
done
want_go
want_ffmpeg
install_missing

if [ -n "$go_from_backports" ] && is_root; then
	install_go_from_backports
fi
use_go || die "Go $GO_MIN or later is needed (it fetches the one that go.mod names), and neither this Debian nor its" \
	"backports gave it"
if [ -n "$own_ffmpeg" ] && ! cached_ffmpeg >/dev/null; then
	"$setup_dir/ffmpeg-build.sh"
fi
use_node || install_node
if [ -n "$new_nginx" ] && has systemctl; then
	# The benchmark starts its own; Debian's package starts one as a service.
	systemctl disable --now nginx >/dev/null 2>&1 || true
fi
