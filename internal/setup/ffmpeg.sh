# Where FFmpeg 7 is on this machine, and with what it is built where it has to be. Sourced, never run.
# shellcheck shell=bash

ffmpeg_modules=(libavcodec libavdevice libavfilter libavformat libavutil libswresample libswscale)

# What Debian packages it as, from Debian 13 on.
ffmpeg_packages=(ffmpeg libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev
	libswresample-dev libswscale-dev)

# What our own build needs to be compiled, and linked against: pkg-config's name and Debian's.
ffmpeg_tools=(nasm:nasm make:make xz:xz-utils dpkg-source:dpkg-dev flock:util-linux)
ffmpeg_libraries=(x264:libx264-dev x265:libx265-dev opus:libopus-dev vpx:libvpx-dev SvtAv1Enc:libsvtav1enc-dev
	dav1d:libdav1d-dev srt:libsrt-openssl-dev openssl:libssl-dev freetype2:libfreetype-dev
	fontconfig:libfontconfig-dev harfbuzz:libharfbuzz-dev zlib:zlib1g-dev)

# Nothing is detected: what happens to be on the machine must not change what is built.
# pic, because Go links position-independent executables.
ffmpeg_flags=(--disable-autodetect --enable-pthreads --enable-zlib --enable-gpl --enable-version3
	--enable-libx264 --enable-libx265 --enable-libopus --enable-libvpx --enable-libsvtav1 --enable-libdav1d
	--enable-libsrt --enable-openssl --enable-libfreetype --enable-libfontconfig --enable-libharfbuzz
	--enable-pic --disable-doc --disable-debug --disable-ffplay)

# has_ffmpeg7: does pkg-config, as it is set now, know an FFmpeg 7 that is whole?
has_ffmpeg7() {
	has pkg-config &&
		pkg-config --exists "${ffmpeg_modules[@]}" 'libavcodec >= 61' 'libavcodec < 62' 2>/dev/null
}

# is_complete PREFIX: is there a build of ours, whole, usable, and made with today's flags?
# The program tells the flags itself, and starting it shows that the libraries it was linked against are still there.
is_complete() {
	local flag made
	[ -x "$1/bin/ffprobe" ] && [ -d "$1/lib/pkgconfig" ] || return 1
	PKG_CONFIG_PATH=$1/lib/pkgconfig has_ffmpeg7 || return 1
	made=$("$1/bin/ffmpeg" -hide_banner -buildconf 2>/dev/null) || return 1
	for flag in "${ffmpeg_flags[@]}"; do
		grep -qw -- "$flag" <<<"$made" || return 1
	done
}

# cached_ffmpeg prints the prefix of the newest complete build in the cache; false where there is none.
cached_ffmpeg() {
	local prefix
	while read -r prefix; do
		if is_complete "$prefix"; then
			printf '%s\n' "$prefix"
			return 0
		fi
	done < <(printf '%s\n' "$cache_dir"/ffmpeg-7.* | sort -rV)
	return 1
}

# prefers_own: MILLRACE_FFMPEG=static asks for our own build where Debian has FFmpeg 7 too. It starts faster and makes
# a smaller image, for some minutes of compiling.
prefers_own() { [ "${MILLRACE_FFMPEG:-}" = static ]; }
