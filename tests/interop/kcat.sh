#!/usr/bin/env bash
# kcat: 1,000,000 lines of this machine's own logs in, the same bytes out.
#
# usage: kcat.sh BOOTSTRAP [--groups]
#   KCAT_LINES (default 1000000)   how many lines
# Kcat writes one record per line (see logs.sh); what comes back from offset 0 must be equal byte by
# byte. Then the same through each codec with fewer lines, a listing, and offsets by time.
set -euo pipefail
bootstrap=$1
mode=${2:-}
lines=${KCAT_LINES:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "kcat: FAILED: $*" >&2; exit 1; }

"$(dirname "$0")/logs.sh" "$lines" "$work/in" || fail "no lines"
bytes=$(stat -c %s "$work/in")
topic="interop-kcat-$(date +%s%N)"

produce() { kcat -q -b "$bootstrap" -t "$1" -p 0 -P -X linger.ms=50 -X message.timeout.ms=120000 "${@:2}"; }
consume() { timeout 300 kcat -q -b "$bootstrap" -t "$1" -p 0 -o beginning -C -e -X check.crcs=true; }

produce "$topic" <"$work/in" || fail "produce"
consume "$topic" >"$work/out" || fail "consume"
cmp "$work/in" "$work/out" || fail "the bytes differ"
echo "kcat: $(wc -l <"$work/out") lines, $bytes bytes equal"

head -n 20000 "$work/in" >"$work/few"
for codec in gzip snappy lz4 zstd; do
    produce "$topic-$codec" -z "$codec" -X acks=all -X enable.idempotence=true <"$work/few" ||
        fail "produce $codec"
    consume "$topic-$codec" >"$work/out" || fail "consume $codec"
    cmp "$work/few" "$work/out" || fail "the bytes differ with $codec"
done
kcat -b "$bootstrap" -L -t "$topic" | grep -q "topic \"$topic\" with 1 partitions" || fail "listing"
kcat -b "$bootstrap" -Q -t "$topic:0:-1" | grep -q "offset $lines\$" || fail "end offset by query"

if [ "$mode" = --groups ]; then
    timeout 120 kcat -q -b "$bootstrap" -G "group-$topic" -X auto.offset.reset=earliest \
        -c 20000 "$topic-lz4" >"$work/out" 2>/dev/null || fail "group"
    cmp "$work/few" "$work/out" || fail "the bytes differ in a group"
fi
echo "kcat: codecs, listing and queries equal"
