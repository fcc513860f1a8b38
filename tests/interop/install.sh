#!/usr/bin/env bash
# Installs the clients that the interop runs use, at pinned versions, into a cache folder.
#
# usage: install.sh [python node go java kcat ...]     (default: all)
# The cache is $INTEROP_CACHE (default target/interop-cache); Kafka's jars go to $KAFKA_HOME
# (default: kafka/ in the cache). What is there already is kept. Needs python3 with venv, npm, go,
# Java 17 with Maven, and apt-get for kcat.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
mkdir -p "$INTEROP_CACHE"

# True when `stamp` is as new as its input files; otherwise the install step has to run.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

install_python() {
    local want; want=$(sha256sum <"$here/python/requirements.txt")
    fresh "$INTEROP_CACHE/python/.installed" "$want" && return
    rm -rf "$INTEROP_CACHE/python"
    python3 -m venv "$INTEROP_CACHE/python"
    "$INTEROP_CACHE/python/bin/pip" install -q --disable-pip-version-check \
        -r "$here/python/requirements.txt"
    echo "$want" >"$INTEROP_CACHE/python/.installed"
}

install_node() {
    local want; want=$(sha256sum <"$here/node/package.json")
    fresh "$INTEROP_CACHE/node/.installed" "$want" && return
    rm -rf "$INTEROP_CACHE/node"
    mkdir -p "$INTEROP_CACHE/node"
    cp "$here/node/package.json" "$INTEROP_CACHE/node/"
    (cd "$INTEROP_CACHE/node" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null)
    echo "$want" >"$INTEROP_CACHE/node/.installed"
}

install_go() {
    local want; want=$(cat "$here"/go/*.* "$here"/go/*/*.go | sha256sum)
    fresh "$INTEROP_CACHE/go/.installed" "$want" && return
    mkdir -p "$INTEROP_CACHE/go"
    (cd "$here/go" && CGO_ENABLED=0 go build -o "$INTEROP_CACHE/go/" ./franz ./sarama ./segmentio)
    echo "$want" >"$INTEROP_CACHE/go/.installed"
}

install_java() {
    "$here/kafka/install.sh"
}

install_kcat() {
    command -v kcat >/dev/null && return
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq kcat) >/dev/null
}

[ $# -gt 0 ] || set -- python node go java kcat
for part in "$@"; do
    echo "install: $part" >&2
    "install_$part"
done
