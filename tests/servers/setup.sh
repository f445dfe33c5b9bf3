#!/bin/sh
# Builds the receivers that the tests of sinks send to, into a cache outside the tree; does nothing when they are current.
# The folder's name is the hash of their pins and source: tests/support/receivers.py computes the same.
set -eu
cd "$(dirname "$0")"
hash=$(cat otel/go.mod otel/go.sum otel/main.go s3/go.mod s3/go.sum | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/querywarden/receivers-$hash
[ -f "$cache/ready" ] && exit 0
command -v go >/dev/null || { echo "tests/servers/setup.sh: go 1.26 or newer is needed" >&2; exit 3; }
mkdir -p "$cache"
echo "building an OpenTelemetry receiver and an S3 server in $cache"
export GOFLAGS=-mod=readonly CGO_ENABLED=0
go -C otel build -trimpath -o "$cache/otel" .
go -C s3 build -trimpath -o "$cache/versitygw" github.com/versity/versitygw/cmd/versitygw
touch "$cache/ready"
