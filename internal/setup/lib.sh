# Words shared by the set-up scripts. Sourced, never run.
# shellcheck shell=bash

setup_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo_dir=$(cd "$setup_dir/../.." && pwd)
cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/millrace
# shellcheck source=versions.env
. "$setup_dir/versions.env"

# Everything said goes to stderr: stdout belongs to scripts whose output is read by others.
say() { printf 'setup: %s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED HAVE: is version HAVE as new as WANTED?
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

# quietly WHAT COMMAND...: runs COMMAND unseen, and shows how it ended only where it failed.
quietly() {
	local what=$1 log status=0
	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" != 0 ]; then
		tail -n 15 "$log" >&2
		say "$what failed (exit $status)"
	fi
	rm -f "$log"
	return "$status"
}
