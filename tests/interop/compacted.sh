#!/usr/bin/env bash
# A compacted topic, written to Apache Kafka and to Millrace alike and read back from both.
#
# usage: compacted.sh
#   MILLRACE   the binary to start (default: target/debug/millrace)
# The same keyed records and tombstones go to a broker of each, in every codec, in small segments
# that are compacted at once. Once both have compacted all but the last segment, the records left
# must be the same: offset, key, value. Millrace is killed in the middle and at the end, and starts
# again with the same; tombstones go when their time is over; Kafka's console consumer and dump tool
# read what Millrace left, with all their checks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binary=${MILLRACE:-$here/../../target/debug/millrace}
work=$(mktemp -d)
declare -A process
cleanup() {
    [ ${#process[@]} -eq 0 ] || kill "${process[@]}" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "compacted: FAILED: $*" >&2
    tail -n 5 "$work/kafka.log" "$work/millrace.log" >&2
    exit 1
}
tool() { timeout 120 "$here/kafka/tool.sh" "$@"; }

read -r kafka_port millrace_port <<<"$(python3 "$here/python/ports.py" 2)"
kafka=127.0.0.1:$kafka_port
millrace=127.0.0.1:$millrace_port
data=$work/millrace-data
start_kafka() {
    "$here/kafka/start.sh" "$kafka_port" "$work/kafka-data" log.cleaner.backoff.ms=200 >"$work/kafka.log" 2>&1 &
    process[kafka]=$!
}
start_millrace() {
    "$binary" serve --listen "$millrace" --data-dir "$data" --set log.cleaner.backoff.ms=200 \
        --set millrace.admin.listener= >>"$work/millrace.log" 2>&1 &
    process[millrace]=$!
}
kill_millrace() {
    kill -9 "${process[millrace]}"
    # Its folder is its own until it is gone.
    wait "${process[millrace]}" || true
}
answers() { # answers NAME: waits until the broker does
    local try
    for try in $(seq 120); do
        kcat -b "${!1}" -L >/dev/null 2>&1 && return
        kill -0 "${process[$1]}" || break
        sleep 0.5
    done
    fail "no answer from $1 at ${!1}"
}
start_kafka
start_millrace
answers millrace
answers kafka

topic=compacted
# 3,000 records of 50 keys; every eleventh is a tombstone. Empty values are null (-Z).
awk 'BEGIN { srand(7); for (i = 0; i < 3000; i++) {
    key = int(rand() * 50); print "key-" key "\t" (i % 11 == 5 ? "" : "value-" i "-" key) } }' >"$work/in"
split -n l/5 --additional-suffix=.part "$work/in" "$work/x"

write() { # write BROKER: the records, in five codecs and as many segments
    tool kafka-topics --bootstrap-server "$1" --create --topic "$topic" --partitions 1 \
        --config cleanup.policy=compact --config min.cleanable.dirty.ratio=0.01 \
        --config segment.ms=1500 --config delete.retention.ms=86400000 >/dev/null
    local pair
    for pair in xaa:none xab:gzip xac:snappy xad:lz4 xae:zstd; do
        kcat -q -b "$1" -t "$topic" -p 0 -P -K '\t' -Z -z "${pair#*:}" \
            -X enable.idempotence=true -X message.timeout.ms=60000 <"$work/${pair%:*}.part" || return 1
        # Once the segment is old, the next record seals it.
        sleep 1.6
    done
    printf 'last\tone\n' | kcat -q -b "$1" -t "$topic" -p 0 -P -K '\t'
}
write "$kafka" & writing=$!
write "$millrace" || fail "writing to Millrace"
kill_millrace
start_millrace
wait $writing || fail "writing to Kafka"
answers millrace

left() { timeout 60 kcat -q -b "$1" -t "$topic" -p 0 -C -o beginning -e -Z -f '%o\t%k\t%s\n'; }
awk -F'\t' '{ last[$1] = (NR - 1) "\t" $1 "\t" ($2 == "" ? "NULL" : $2) }
    END { for (key in last) print last[key]; print 3000 "\tlast\tone" }' "$work/in" |
    sort -n >"$work/wanted"
for name in kafka millrace; do
    for _ in $(seq 120); do
        left "${!name}" >"$work/$name"
        cmp -s "$work/$name" "$work/wanted" && break
        sleep 0.5
    done
    diff "$work/wanted" "$work/$name" >"$work/diff" ||
        fail "$name: what is left is not the last record of every key: $(head -5 "$work/diff")"
done
cmp "$work/kafka" "$work/millrace" || fail "the two differ"
grep -q NULL "$work/millrace" || fail "no tombstone is the last of its key"
echo "compacted: $(wc -l <"$work/kafka") of 3001 records are left on both, the same"

timeout 60 "$here/kafka/tool.sh" kafka-console-consumer --bootstrap-server "$millrace" \
    --topic "$topic" --from-beginning --max-messages "$(wc -l <"$work/wanted")" \
    --formatter-property print.key=true --formatter-property print.offset=true \
    --group "compacted-$topic" 2>/dev/null >"$work/console"
[ "$(wc -l <"$work/console")" = "$(wc -l <"$work/wanted")" ] || fail "console-consumer"
grep -q 'Offset:3000' "$work/console" || fail "console-consumer does not show the last offset"
kill_millrace
echo "compacted: Kafka's console consumer reads the final state"

logs=$(ls "$data/$topic-0"/*.log | paste -sd,)
tool kafka-dump-log --files "$logs" --deep-iteration --print-data-log >"$work/dump" ||
    fail "dump-log: $(tail -3 "$work/dump")"
grep -qE 'isvalid: false' "$work/dump" && fail "dump-log finds a batch that is not valid"
records=$(grep -c '| offset:' "$work/dump") || true
[ "$records" = "$(wc -l <"$work/wanted")" ] || fail "dump-log shows $records records"
grep -q 'deleteHorizonMs: OptionalLong\[' "$work/dump" || fail "dump-log shows no delete horizon"
indexes=$(ls "$data/$topic-0"/*.index "$data/$topic-0"/*.timeindex | paste -sd,)
tool kafka-dump-log --files "$indexes" --index-sanity-check >"$work/index" 2>&1 ||
    fail "dump-log on the indexes: $(tail -1 "$work/index")"
offsets=$(find "$data" -path '*__consumer_offsets-*' -name '*.log' -size +0 | paste -sd,)
tool kafka-dump-log --files "$offsets" --offsets-decoder >"$work/offsets" ||
    fail "dump-log with the offsets decoder"
grep -q "\"group\":\"compacted-$topic\"" "$work/offsets" || fail "the offsets decoder shows no group"
echo "compacted: Kafka's dump tool reads $records records, the indexes and the committed offsets"

start_millrace
answers millrace
left "$millrace" >"$work/millrace"
cmp "$work/wanted" "$work/millrace" || fail "after a kill the records differ"

# Tombstones go once they are older than the delete.retention.ms of their first compaction.
for broker in "$kafka" "$millrace"; do
    tool kafka-topics --bootstrap-server "$broker" --create --topic short --partitions 1 \
        --config cleanup.policy=compact --config min.cleanable.dirty.ratio=0.01 \
        --config segment.ms=500 --config delete.retention.ms=1000 >/dev/null
    printf 'a\t1\nb\t2\nc\t3\nb\t\na\t4\nc\t\n' | kcat -q -b "$broker" -t short -p 0 -P -K '\t' -Z
done
short() { timeout 60 kcat -q -b "$1" -t short -p 0 -C -o beginning -e -Z -f '%o %k %s\n' | grep -v last; }
for broker in "$kafka" "$millrace"; do
    for _ in $(seq 40); do
        # What was last is sealed by the next, and the log compacted.
        sleep 0.6
        printf 'last\tone\n' | kcat -q -b "$broker" -t short -p 0 -P -K '\t'
        [ "$(short "$broker")" = "4 a 4" ] && break
    done
    [ "$(short "$broker")" = "4 a 4" ] || fail "$broker keeps tombstones, or less than it should: $(short "$broker")"
done
echo "compacted: the same $(wc -l <"$work/wanted") records after kills, and tombstones go in their time"
