#!/bin/sh
# Build the programs that tools/go.mod pins (opa, conftest) into a cache outside the tree and link them into tools/bin/.
# The cache is named by the hash of go.mod and go.sum: only the first run on a machine pays (about two minutes).
# Exit codes: 0 ready, 3 a program could not be built.
set -eu
cd "$(dirname "$0")"
mark=$(cat go.mod go.sum | sha256sum | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/querywarden/tools/$mark"
mkdir -p "$cache" bin
for program in opa conftest; do
	if [ ! -x "$cache/$program" ]; then
		command -v go >/dev/null || { echo "tools/build.sh: go 1.26 or newer is needed to build $program" >&2; exit 3; }
		echo "tools/build.sh: building $program"
		# Built beside its name and moved, so that two runs at once never see half a program.
		GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -trimpath -o "$cache/$program.$$" "github.com/open-policy-agent/$program" ||
			{ echo "tools/build.sh: $program could not be built: is the Go module proxy reachable?" >&2; exit 3; }
		mv "$cache/$program.$$" "$cache/$program"
	fi
	ln -sf "$cache/$program" "bin/$program"
done
