#!/usr/bin/env bash
# Builds Debian's own FFmpeg 7 source, static, into the cache folder, for a Debian that has an older FFmpeg.
# Safe to interrupt and start again: the cache holds a finished build or none.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apt.sh
. "$setup_dir/apt.sh"
# shellcheck source=ffmpeg.sh
. "$setup_dir/ffmpeg.sh"

log=$cache_dir/ffmpeg-build.log

# fetch_source DIR: the source package into DIR, from the first mirror of this machine that has it.
fetch_source() {
	local mirror
	while read -r mirror; do
		rm -rf "${1:?}"/*
		add_source "$1" deb-src "$mirror" "$FFMPEG_SUITE"
		if apt_apart "$1" apt-get -o APT::Update::Error-Mode=any update >>"$log" 2>&1 &&
			(cd "$1" && apt_apart "$1" apt-get source --download-only ffmpeg) >>"$log" 2>&1; then
			return 0
		fi
	done < <(debian_mirrors)
	return 1
}

# show_progress TOTAL reads what make prints, a line a file, and tells how far it is: on a terminal one line that moves,
# elsewhere a line every tenth.
show_progress() {
	local total=$1 count=0 percent tenth=0 line
	while IFS= read -r line; do
		[[ $line =~ ^[A-Z0-9]+$'\t' ]] || continue
		count=$((count + 1))
		percent=$((count * 100 / total))
		[ "$percent" -le 100 ] || percent=100
		if [ -t 2 ]; then
			printf '\rsetup: compiling FFmpeg %3d%%' "$percent" >&2
		elif [ $((percent / 10)) -gt "$tenth" ]; then
			tenth=$((percent / 10))
			say "compiling FFmpeg $((tenth * 10))%"
		fi
	done
	[ ! -t 2 ] || printf '\n' >&2
}

failed() { die "FFmpeg could not be $1; the last lines of $log: $(tail -n 5 "$log" | tr '\n' ' ')"; }

# build SOURCE PREFIX: in SOURCE; the result appears at PREFIX all at once.
build() {
	local total staging=$work/staging
	cd "$1"
	say "configuring FFmpeg"
	./configure --prefix="$2" "${ffmpeg_flags[@]}" >>"$log" 2>&1 || failed configured
	total=$(make -n 2>/dev/null | grep -c '^printf "') || true
	nice make -j"$(nproc)" 2>&1 | tee -a "$log" | show_progress "$((total > 0 ? total : 1))" || failed compiled
	make install DESTDIR="$staging" >>"$log" 2>&1 || failed installed
	if [ -e "$2" ]; then # it is there, but not complete: see is_complete
		mv "$2" "$work/replaced"
	fi
	mv "$staging$2" "$2"
}

mkdir -p "$cache_dir"
exec 9>"$cache_dir/ffmpeg.lock"
if ! flock -n 9; then
	say "another set-up is building FFmpeg; waiting for it"
	flock 9
fi
if cached_ffmpeg >/dev/null; then
	exit 0
fi

# Holding the lock, whatever an interrupted run left is nobody's.
rm -rf "$cache_dir"/ffmpeg-building.*
work=$(mktemp -d "$cache_dir/ffmpeg-building.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'say "stopped; nothing half-built is left, so start again whenever you like"; exit 130' INT TERM
: >"$log"

fetch_source "$work" || die "FFmpeg 7 cannot be had: no Debian mirror of this machine gave $FFMPEG_SUITE's source" \
	"(see $log); install libavcodec-dev 7:7 or later and its sisters, or point PKG_CONFIG_PATH to an FFmpeg 7 of yours"
say "FFmpeg 7 is built from Debian's source, once, into $cache_dir: about 4 minutes on 2 cores"
dsc=("$work"/ffmpeg_7.*.dsc)
[ -e "${dsc[0]}" ] || die "FFmpeg 7 cannot be had: $FFMPEG_SUITE's source is of another version: $(ls "$work")"
# apt has checked every file against the signed list; the maintainer's signature needs keys that few machines have.
dpkg-source --no-check -x "${dsc[0]}" "$work/source" >>"$log" 2>&1 || failed unpacked
version=$(basename "${dsc[0]}" .dsc)
version=${version#ffmpeg_}
prefix=$cache_dir/ffmpeg-${version%%-*}
build "$work/source" "$prefix"
is_complete "$prefix" || die "FFmpeg was built into $prefix but does not work; see $log"
say "FFmpeg is in $prefix"
