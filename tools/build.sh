#!/bin/sh
# Build the programs that tools/go.mod pins (opa, conftest), and regal, which tools/regal/go.mod pins, into a cache outside the tree and link them into tools/bin/.
# The cache is named by the hash of go.mod and go.sum: only the first run on a machine pays (about three minutes).
# regal needs another opa than ours, so its pins are its own; nothing depends on it, and the rest is ready without it.
# Exit codes: 0 ready, 3 a program could not be built.
set -eu
cd "$(dirname "$0")"
cache_of() {
	echo "${XDG_CACHE_HOME:-$HOME/.cache}/querywarden/tools/$(cat "$1/go.mod" "$1/go.sum" | sha256sum | cut -c1-16)"
}
# build FOLDER PACKAGE: built beside its name and moved, so that two runs at once never see half a program.
build() {
	cache=$(cache_of "$1")
	program=${2##*/}
	mkdir -p "$cache" bin
	if [ ! -x "$cache/$program" ]; then
		command -v go >/dev/null || { echo "tools/build.sh: go 1.26 or newer is needed to build $program" >&2; return 3; }
		echo "tools/build.sh: building $program"
		GOFLAGS=-mod=readonly CGO_ENABLED=0 go -C "$1" build -trimpath -o "$cache/$program.$$" "$2" ||
			{ echo "tools/build.sh: $program could not be built: is the Go module proxy reachable?" >&2; return 3; }
		mv "$cache/$program.$$" "$cache/$program"
	fi
	ln -sf "$cache/$program" "bin/$program"
}
build . github.com/open-policy-agent/conftest || exit 3
build . github.com/open-policy-agent/opa || exit 3
build regal github.com/open-policy-agent/regal || echo "tools/build.sh: going on without regal" >&2
