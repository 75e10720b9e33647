#!/usr/bin/env bash
# Proves the Dockerfile where no container engine is: as root, it runs the file's own steps in bare Debian roots made by
# debootstrap, then starts the image's command as its user and asks its health check.
#
# It knows FROM, ARG, ENV, WORKDIR, COPY, RUN, USER, HEALTHCHECK (shell form), ENTRYPOINT and CMD, as the file uses them.
# Build arguments come from the environment (VERSION=v1 prove-image.sh), as do the variables in `passed` below.
# Every mount is made in a namespace that ends with its step, so that nothing is left mounted, however a step ends.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=apt.sh
. "$setup_dir/apt.sh"

is_root || die "only root can make a root file system and enter it"
want_command debootstrap debootstrap
want_command unshare util-linux
want_command ip iproute2
install_missing

work=$(mktemp -d "${TMPDIR:-/var/tmp}/millrace-image.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

# How this machine reaches the package registries holds in the roots too.
passed=()
for name in GOPROXY GOSUMDB GONOSUMDB GOPRIVATE npm_config_registry {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY; do
	[ -z "${!name:-}" ] || passed+=("$name=${!name}")
done
for name in SSL_CERT_FILE NODE_EXTRA_CA_CERTS; do
	[ -z "${!name:-}" ] || passed+=("$name=/run/host-certificates/$(basename "${!name}")")
done

# --- the build context: what the work tree holds and neither .gitignore nor .dockerignore leaves out ---

# shellcheck disable=SC2016 # expanded by the shell inside
make_context() {
	local pattern
	mkdir "$work/context"
	(cd "$repo_dir" && git ls-files -z --cached --others --exclude-standard |
		xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' _ |
		tar -c --null --files-from=-) | tar -x --no-same-owner -C "$work/context"
	while read -r pattern; do
		case $pattern in
		'' | '#'*) ;;
		'**/'*) find "$work/context" -depth -name "${pattern#'**/'}" -exec rm -rf {} + ;;
		*) rm -rf "${work:?}/context/$pattern" ;;
		esac
	done <"$repo_dir/.dockerignore"
}

# --- roots ---

# bare_root SUITE prints the folder of an untouched Debian, made at its first use.
bare_root() {
	local base=$work/debian-$1 mirror
	if [ ! -d "$base" ]; then
		say "debootstrap $1"
		while read -r mirror; do
			rm -rf "$base"
			! quietly "debootstrap from $mirror" debootstrap --variant=minbase "$1" "$base" "$mirror" || break
		done < <(debian_mirrors)
		[ -x "$base/usr/bin/apt-get" ] || die "no mirror of this machine gave Debian $1"
	fi
	printf '%s\n' "$base"
}

# inside ROOT COMMAND...: a bash COMMAND in new namespaces, in which ROOT is ready to be entered.
# shellcheck disable=SC2016 # expanded by the shell inside
inside() {
	unshare --mount --propagation private --pid --fork --kill-child bash -euc '
		root=$1
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/run"
		for file in "${SSL_CERT_FILE:-}" "${NODE_EXTRA_CA_CERTS:-}"; do
			[ -z "$file" ] || install -D "$file" "$root/run/host-certificates/$(basename "$file")"
		done
		mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
		shift
		"$@"' _ "$@"
}

# entered prints the command that enters the stage at hand, as its user, in its folder, with its environment.
entered() {
	printf '%q ' chroot --userspec="$user" "$stage" env -i "HOME=$home" "${passed[@]}" "${environment[@]}" \
		sh -c "cd '$folder' && exec \"\$@\"" _
}

run_step() {
	touch "$stage/etc/resolv.conf"
	quietly "RUN" inside "$stage" bash -c "$(entered) sh -c $(printf '%q' "$1")"
}

# copy_step [--from=STAGE] SOURCE... TARGET, as COPY does it: of a folder its content, owned by root.
copy_step() {
	local from=$work/context source target
	case $1 in
	--from=*)
		from=$work/stage-${1#--from=}
		shift
		;;
	esac
	target=${!#}
	[[ $target == /* ]] || target=$folder/$target
	for source in "${@:1:$#-1}"; do
		if [ -d "$from/$source" ]; then
			mkdir -p "$stage$target"
			cp -a --no-preserve=ownership "$from/$source/." "$stage$target/"
		elif [ "$#" -gt 2 ] || [[ $target == */ ]] || [ -d "$stage$target" ]; then
			mkdir -p "$stage$target"
			cp -a --no-preserve=ownership "$from/$source" "$stage$target/"
		else
			mkdir -p "$stage$(dirname "$target")"
			cp -a --no-preserve=ownership "$from/$source" "$stage$target"
		fi
	done
}

# begin_stage IMAGE [as NAME]
begin_stage() {
	stage=$work/stage-${3:-last}
	cp -a "$(bare_root "$(sed 's/^debian://; s/-slim$//' <<<"$1")")" "$stage"
	folder=/ user=root home=/root health="" entry=() command=()
	environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}

# words of a JSON list such as ["millrace", "serve"], none of which holds a blank
list() { tr -d '[],"' <<<"$1"; }

step() {
	local word=${1%% *} rest=${1#* } name
	local -a words
	read -r -a words <<<"$rest"
	say "$1"
	case $word in
	FROM) begin_stage "${words[@]}" ;;
	ARG)
		name=${rest%%=*}
		environment+=("$name=${!name-${rest#*=}}")
		;;
	ENV) environment+=("$rest") ;;
	WORKDIR)
		folder=$rest
		mkdir -p "$stage$folder"
		;;
	COPY) copy_step "${words[@]}" ;;
	RUN) run_step "$rest" ;;
	USER)
		user=$rest
		home=$(awk -F: -v user="$user" '$1 == user || $3 == user { print $6 }' "$stage/etc/passwd")
		;;
	HEALTHCHECK) health=${rest#*CMD } ;;
	ENTRYPOINT) read -r -a entry <<<"$(list "$rest")" ;;
	CMD) read -r -a command <<<"$(list "$rest")" ;;
	EXPOSE | VOLUME | LABEL) ;;
	*) die "prove-image.sh does not know $word" ;;
	esac
}

# instructions prints the Dockerfile's, one a line: comments dropped, continued lines joined.
instructions() {
	sed '/^[[:space:]]*#/d; /^[[:space:]]*$/d' "$repo_dir/Dockerfile" |
		sed -e ':more' -e '/\\$/{N; s/\\\n[[:space:]]*//; t more' -e '}'
}

# prove starts what the image starts, in a network of its own, until the health check agrees; then it stops it as
# a container engine would.
# shellcheck disable=SC2016 # expanded by the shell inside
prove() {
	local started
	started="$(entered) $(printf '%q ' "${entry[@]}" "${command[@]}")"
	say "starting ${entry[*]} ${command[*]} as $user"
	unshare --net bash -c "$(declare -f inside); inside \"\$@\"" _ "$stage" bash -euc '
		ip link set lo up
		eval "$1 &"
		server=$!
		for ((try = 0; try < 100; try++)); do
			! sh -c "$2" 2>/dev/null || break
			kill -0 "$server" || exit 1
			sleep 0.1
		done
		[ "$try" -lt 100 ] || { echo "the health check never agreed"; exit 1; }
		owner=$(awk "/^Uid:/ { print \$2 }" "$3/proc/$server/status")
		echo "healthy after $((try / 10)).$((try % 10)) s, running as user $owner"
		[ "$owner" != 0 ] || exit 1
		SECONDS=0
		kill -TERM "$server"
		wait "$server"
		echo "stopped by SIGTERM with exit 0, in $SECONDS s"' _ "$started" "$(entered) sh -c $(printf '%q' "$health")" "$stage"
}

make_context
while IFS= read -r instruction <&4; do
	step "$instruction"
done 4< <(instructions)
say "the image adds $(($(du -sxm "$stage" | cut -f1) - $(du -sxm "$work"/debian-* | cut -f1))) MB to Debian's own"
prove
