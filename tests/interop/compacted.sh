#!/usr/bin/env bash
# A compacted topic, written to Apache Kafka and to Millrace alike and read back from both.
#
# usage: compacted.sh KAFKA MILLRACE [MILLRACE_DATADIR]
#   KAFKA, MILLRACE     addresses of running brokers; both must compact often
#                       (log.cleaner.backoff.ms=200)
#   MILLRACE_DATADIR    its log.dirs: Kafka's dump tool then reads the compacted segments, with all
#                       checks, and __consumer_offsets
# The same keyed records and tombstones go to both, in every codec; once both have compacted all but
# the last segment, the records left must be the same: offset, key, value.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kafka=$1
millrace=$2
data=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "compacted: FAILED: $*" >&2; exit 1; }
tool() { timeout 120 "$here/kafka/tool.sh" "$@"; }

topic="interop-compacted-$(date +%s)"
# 3,000 records of 50 keys; every eleventh is a tombstone. Empty values are null (-Z).
awk 'BEGIN { srand(7); for (i = 0; i < 3000; i++) {
    key = int(rand() * 50); print "key-" key "\t" (i % 11 == 5 ? "" : "value-" i "-" key) } }' >"$work/in"

for broker in "$kafka" "$millrace"; do
    tool kafka-topics --bootstrap-server "$broker" --create --topic "$topic" --partitions 1 \
        --config cleanup.policy=compact --config min.cleanable.dirty.ratio=0.01 \
        --config segment.ms=1500 --config delete.retention.ms=86400000 >/dev/null
    split -n l/5 --additional-suffix=.part "$work/in" "$work/x"
    for pair in xaa:none xab:gzip xac:snappy xad:lz4 xae:zstd; do
        kcat -q -b "$broker" -t "$topic" -p 0 -P -K '\t' -Z -z "${pair#*:}" \
            -X enable.idempotence=true <"$work/${pair%:*}.part"
    done
    # Once the segment is old, one more record seals it.
    sleep 2
    printf 'last\tone\n' | kcat -q -b "$broker" -t "$topic" -p 0 -P -K '\t'
done

left() { timeout 60 kcat -q -b "$1" -t "$topic" -p 0 -C -o beginning -e -Z -f '%o\t%k\t%s\n'; }
awk -F'\t' '{ last[$1] = (NR - 1) "\t" $1 "\t" ($2 == "" ? "NULL" : $2) }
    END { for (key in last) print last[key]; print 3000 "\tlast\tone" }' "$work/in" |
    sort -n >"$work/wanted"
for name in kafka millrace; do
    for _ in $(seq 60); do
        left "${!name}" >"$work/$name"
        cmp -s "$work/$name" "$work/wanted" && break
        sleep 1
    done
    diff "$work/wanted" "$work/$name" >"$work/diff" ||
        fail "$name: what is left is not the last record of every key: $(head -5 "$work/diff")"
done
cmp "$work/kafka" "$work/millrace" || fail "the two differ"
echo "compacted: $(wc -l <"$work/kafka") of 3001 records are left on both, the same"

timeout 60 "$here/kafka/tool.sh" kafka-console-consumer --bootstrap-server "$millrace" \
    --topic "$topic" --from-beginning --max-messages "$(wc -l <"$work/wanted")" \
    --formatter-property print.key=true --formatter-property print.offset=true \
    --group "compacted-$topic" 2>/dev/null >"$work/console"
[ "$(wc -l <"$work/console")" = "$(wc -l <"$work/wanted")" ] || fail "console-consumer"
grep -q 'Offset:3000' "$work/console" || fail "console-consumer does not show the last offset"
echo "compacted: Kafka's console consumer reads the final state"

[ -n "$data" ] || exit 0
logs=$(ls "$data/$topic-0"/*.log | paste -sd,)
tool kafka-dump-log --files "$logs" --deep-iteration --print-data-log >"$work/dump" ||
    fail "dump-log: $(tail -3 "$work/dump")"
grep -qE 'isvalid: false' "$work/dump" && fail "dump-log finds a batch that is not valid"
records=$(grep -c '| offset:' "$work/dump") || true
[ "$records" = "$(wc -l <"$work/wanted")" ] || fail "dump-log shows $records records"
grep -q 'deleteHorizonMs: OptionalLong\[' "$work/dump" || fail "dump-log shows no delete horizon"
for index in "$data/$topic-0"/*.index "$data/$topic-0"/*.timeindex; do
    tool kafka-dump-log --files "$index" --index-sanity-check >"$work/index" 2>&1 ||
        fail "dump-log on $(basename "$index"): $(tail -1 "$work/index")"
done
offsets=$(find "$data" -path '*__consumer_offsets-*' -name '*.log' -size +0 | head -1)
if [ -n "$offsets" ]; then
    tool kafka-dump-log --files "$offsets" --offsets-decoder >"$work/offsets" ||
        fail "dump-log with the offsets decoder"
    grep -q '"group"' "$work/offsets" || fail "the offsets decoder shows no group"
fi
echo "compacted: Kafka's dump tool reads $records records, the indexes and the committed offsets"
