#!/usr/bin/env bash
# A node moves from Apache Kafka to Millrace and back, by its data folder and its own
# server.properties.
#
# usage: migrate.sh
#   MILLRACE   the binary to start (default: target/debug/millrace)
# Kafka makes topics, records in every codec, a keyed compacted topic, a topic configuration and
# committed offsets. Millrace starts on the folder, shows all of it, and adds records, partitions,
# a topic and commits. Kafka starts on the folder again and shows all of that. Each step says what
# it expects; the first that fails ends the run with status 1.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
millrace=${MILLRACE:-$here/../../target/debug/millrace}
work=$(mktemp -d)
server=
steps=0
cleanup() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
    rm -rf "$work"
}
trap cleanup EXIT

fail() {
    echo "migrate: FAILED: $*" >&2
    tail -30 "$work/server.log" >&2
    exit 1
}
same() { # same WHAT GOT WANTED
    steps=$((steps + 1))
    [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"
}
free_port() { python3 "$here/python/ports.py"; }
tool() { timeout 120 "$here/kafka/tool.sh" "$@"; }

# The listener and the controller's one are neighbours.
port=$(free_port)
broker=127.0.0.1:$port

up() { # up COMMAND...: starts a server and waits until it answers
    "$@" >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 120); do
        kcat -b "$broker" -L >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || fail "the server ended: $*"
        sleep 0.5
    done
    fail "the server does not answer: $*"
}
down() {
    kill "$server"
    wait "$server"
    server=
}
kafka_up() { up "$here/kafka/start.sh" "$port" "$work/node" log.segment.bytes=1048576; }

lines() { kcat -b "$broker" -t "$1" -C -o beginning -e -q | sort -n | md5sum; }
wanted() { seq 1 "$1" | sort -n | md5sum; }
last_of_keys() { # the last value of each key
    kcat -b "$broker" -t keyed -C -o beginning -e -q -K: | awk -F: '{ last[$1] = $2 } END { for (k in last) print k, last[k] }' |
        sort | md5sum
}
wanted_keys() { seq 1 "$1" | awk '{ last[$1 % 100] = $1 } END { for (k in last) print k, last[k] }' | sort | md5sum; }
commit() { # commit COUNT: a member reads so many records and leaves, which commits
    local got
    got=$(timeout 60 kcat -b "$broker" -X auto.offset.reset=earliest -X auto.commit.interval.ms=200 -c "$1" -q -G moved plain 2>/dev/null | wc -l)
    same "records read by the group" "$got" "$1"
}
committed() {
    tool kafka-consumer-groups --bootstrap-server "$broker" --describe --group moved 2>/dev/null |
        awk '$1 == "moved" && $4 ~ /^[0-9]+$/ { sum += $4 } END { print sum }'
}

kafka_up
tool kafka-topics --bootstrap-server "$broker" --create --topic plain --partitions 3 \
    --config retention.ms=987654321 >/dev/null || fail "create plain"
tool kafka-topics --bootstrap-server "$broker" --create --topic keyed --partitions 1 \
    --config cleanup.policy=compact >/dev/null || fail "create keyed"
seq 1 20000 | kcat -b "$broker" -t plain -P
at=20000
for codec in gzip snappy lz4 zstd; do
    seq $((at + 1)) $((at + 20000)) | kcat -b "$broker" -t plain -P -z $codec
    at=$((at + 20000))
done
seq 1 20000 | awk '{ print $1 % 100 ":" $1 }' | kcat -b "$broker" -t keyed -P -K:
commit 30000
before=$(committed)
down

# Kafka's own server.properties is all Millrace gets.
up "$millrace" serve --config "$work/node/server.properties" --set millrace.admin.listener=
same "records in Millrace" "$(lines plain)" "$(wanted 100000)"
same "keys in Millrace" "$(last_of_keys)" "$(wanted_keys 20000)"
same "committed in Millrace" "$(committed)" "$before"
tool kafka-configs --bootstrap-server "$broker" --describe --topic plain | grep -q retention.ms=987654321 ||
    fail "the topic's configuration is gone"
seq 100001 120000 | kcat -b "$broker" -t plain -P -z lz4
seq 20001 30000 | awk '{ print $1 % 100 ":" $1 }' | kcat -b "$broker" -t keyed -P -K:
seq 1 5000 | kcat -b "$broker" -t made-by-millrace -P
tool kafka-topics --bootstrap-server "$broker" --alter --topic plain --partitions 4 >/dev/null || fail "alter"
commit 10000
after=$(committed)
[ "$after" -gt "$before" ] || fail "the group did not go on: $before, then $after"
down

kafka_up
same "records back in Kafka" "$(lines plain)" "$(wanted 120000)"
same "keys back in Kafka" "$(last_of_keys)" "$(wanted_keys 30000)"
same "Millrace's topic in Kafka" "$(lines made-by-millrace)" "$(wanted 5000)"
same "committed back in Kafka" "$(committed)" "$after"
same "partitions in Kafka" "$(tool kafka-topics --bootstrap-server "$broker" --describe --topic plain | grep -o 'PartitionCount: [0-9]*')" "PartitionCount: 4"
grep -q "caused truncation" "$work/server.log" && fail "Kafka found leader epochs that fall"
down
echo "migrate: $steps comparisons equal"
