#!/bin/sh
# Builds the test clients in Go, Java and JavaScript into a cache outside the tree; does nothing when they are current.
# The folder's name is the hash of their sources and lock files: tests/support/drivers.py computes the same.
set -eu
cd "$(dirname "$0")"
hash=$(cat go/go.mod go/go.sum go/main.go java/pom.xml java/Drive.java java/Cases.java node/package.json node/package-lock.json node/drive.js | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/querywarden/drivers-$hash
[ -f "$cache/ready" ] && exit 0
for program in go javac mvn npm node; do
    command -v "$program" >/dev/null || { echo "tests/e2e/setup.sh: $program is missing" >&2; exit 3; }
done
mkdir -p "$cache/java" "$cache/node"
echo "building test clients in $cache"
(cd go && go build -o "$cache/go-drive" .)
mvn -q -B -f java/pom.xml dependency:copy-dependencies -DoutputDirectory="$cache/java/lib"
javac -d "$cache/java/classes" -cp "$cache/java/lib/*" java/Drive.java java/Cases.java
cp node/package.json node/package-lock.json node/drive.js "$cache/node/"
(cd "$cache/node" && npm ci --silent --no-audit --no-fund)
touch "$cache/ready"
