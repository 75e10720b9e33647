#!/usr/bin/env bash
# Runs a `go test` and, where tests fail, those once more by themselves: live media, real players and a browser share the
# machine with whatever else runs on it. What fails alone too has failed.
#
#	internal/setup/twice.sh go test ./...
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$@" 2>&1 | tee "$log"; then
	exit 0
fi
failed=$(grep -oE '^--- FAIL: [A-Za-z0-9_]+' "$log" | cut -d' ' -f3 | sort -u | paste -sd '|' -) || true
if [ -z "$failed" ] || grep -qE 'DATA RACE|^panic: |build failed|setup failed|goleak' "$log"; then
	exit 1
fi
echo "once more, alone: ${failed//|/ }"
"$@" -run "^($failed)\$"
