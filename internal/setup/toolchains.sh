# Go and Node.js: is what the machine has new enough, and what is done where it is not. Sourced, never run.
# shellcheck shell=bash

# Debian keeps servers' programs out of a user's PATH; Go's own installer writes none.
PATH=$PATH:/usr/local/go/bin:/usr/sbin

# go_works: can this Go work in our module? It may fetch the toolchain that go.mod names, through the module proxy.
go_works() { has go && (cd "$repo_dir" && go list -m) >/dev/null 2>&1; }

# use_go makes go_works true where GOTOOLCHAIN=auto is all that is missing; what the caller set himself is left alone.
use_go() {
	go_works && return 0
	[ -z "${GOTOOLCHAIN:-}" ] && has go && at_least "$GO_MIN" "$(go_version)" || return 1
	export GOTOOLCHAIN=auto
	go_works
}

# go_version prints the version of the Go that is installed, whatever go.mod asks for.
go_version() { (cd / && GOTOOLCHAIN=local go env GOVERSION) 2>/dev/null | sed 's/^go//'; }

# install_go_from_backports takes a younger Go than this Debian's own, without touching the machine's sources.
install_go_from_backports() {
	local dir mirror release
	release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	say "installing Go from $release-backports"
	dir=$(mktemp -d)
	while read -r mirror; do
		rm -rf "${dir:?}"/*
		add_source "$dir" deb "$mirror" "$release"
		add_source "$dir" deb "$mirror" "$release-backports"
		if quietly "the list of $release-backports" apt_apart "$dir" apt-get -o APT::Update::Error-Mode=any update &&
			DEBIAN_FRONTEND=noninteractive quietly "apt-get install golang-go" apt_apart "$dir" apt-get -y \
				--no-install-recommends install -t "$release-backports" golang-go; then
			break
		fi
	done < <(debian_mirrors)
	rm -rf "$dir"
}

own_node=$cache_dir/node-$NODE_VERSION

node_works() { has node && has npm && at_least "$NODE_MIN" "$(node --version | sed 's/^v//')"; }

# use_node puts the Node.js in our cache first where the machine's is too old.
use_node() {
	node_works && return 0
	[ -x "$own_node/bin/node" ] || return 1
	PATH=$own_node/bin:$PATH
	node_works
}

# install_node takes Node.js from npm, where Debian's own is older than the UI's tools want (Debian 12).
install_node() {
	local dir machine
	case $(uname -m) in
	x86_64) machine=x64 ;;
	aarch64) machine=arm64 ;;
	*) die "building the UI needs Node.js $NODE_MIN or later; $(node --version) is here" ;;
	esac
	say "fetching Node.js $NODE_VERSION, since the UI's tools need $NODE_MIN"
	mkdir -p "$cache_dir"
	dir=$(mktemp -d "$cache_dir/node-building.XXXXXX")
	quietly "npm install" npm install --prefix "$dir" --no-save --no-audit --no-fund \
		"node-linux-$machine@$NODE_VERSION" npm@10.9.4 ||
		die "building the UI needs Node.js $NODE_MIN or later, and npm did not give it; $(node --version) is here"
	mkdir "$dir/bin"
	ln -s "../node_modules/node-linux-$machine/bin/node" "$dir/bin/node"
	ln -s ../node_modules/npm/bin/npm-cli.js "$dir/bin/npm"
	ln -s ../node_modules/npm/bin/npx-cli.js "$dir/bin/npx"
	rm -rf "$own_node"
	mv "$dir" "$own_node"
}
