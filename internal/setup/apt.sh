# Debian's packages: what is missing, and how it is had. Sourced, never run.
# shellcheck shell=bash

missing=() # Debian packages to install

# A thing that is there already, wherever it came from, is not installed again.
want_command() { has "$1" || missing+=("$2"); }
want_package() { has_package "$1" || missing+=("$1"); }
want_header() { [ -e "/usr/include/$1" ] || want_package "$2"; }
want_module() { pkg-config --exists "$1" 2>/dev/null || want_package "$2"; }

has_package() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# candidate PACKAGE prints the version that apt would install, without its epoch; nothing where it knows none.
candidate() {
	LC_ALL=C apt-cache policy "$1" 2>/dev/null |
		sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9].*\)$/\2/p'
}

apt_updated=
# update_once refreshes the package lists, at most once a run and only when somebody needs them.
# A list that cannot be had is no failure here: the package may well be in another one.
update_once() {
	[ -z "$apt_updated" ] || return 0
	apt_updated=yes
	is_root || return 0
	say "asking Debian's mirror for its package lists"
	quietly "apt-get update" apt-get -q -o DPkg::Lock::Timeout=600 update || true
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive quietly "apt-get install" apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

# install_missing installs what is missing, or names all of it in one line.
install_missing() {
	[ "${#missing[@]}" -gt 0 ] || return 0
	has apt-get || die "this set-up knows Debian only; please install what Debian calls: ${missing[*]}"
	is_root || die "packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}"
	update_once
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
	say "installing ${missing[*]}"
	apt_install install "${missing[@]}" || die "not installed: ${missing[*]}"
	missing=()
}

# debian_mirrors prints the addresses from which this machine takes its packages. apt reads its configuration for us, in
# whichever format it is written; suites with a dash (updates, security, backports) live elsewhere or beside.
debian_mirrors() {
	apt-get --print-uris -o Debug::NoLocking=1 update 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/[a-z0-9.]*/InRelease'.*|\1|p" | awk '!seen[$0]++'
}

# apt_apart DIR TOOL ARG...: apt-get or apt-cache with the sources in DIR/sources alone, its lists kept in DIR too, so that
# the machine's own configuration stays as it is and nobody needs to be root. Signatures are checked as ever.
apt_apart() {
	local dir=$1 tool=$2
	shift 2
	mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
	"$tool" -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources" \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o APT::Sandbox::User="$(id -un)" -o DPkg::Lock::Timeout=600 "$@"
}

# add_source DIR TYPE MIRROR SUITE writes one source of Debian's for apt_apart, held to Debian's own keys.
add_source() {
	local keyring
	mkdir -p "$1/sources"
	for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$keyring" ] || break
	done
	printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
		"$2" "$3" "$4" "$keyring" >"$1/sources/$4.sources"
}
