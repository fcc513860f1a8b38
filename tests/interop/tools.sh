#!/usr/bin/env bash
# Kafka's own command-line tools against a broker.
#
# usage: tools.sh BOOTSTRAP [--groups]
#   LOG_DIRS   the broker's log folders, when they are on this machine: the dump tool then reads
#              the segments, indexes and snapshots that the broker wrote (the broker goes on
#              running, so only what was rolled or flushed is there)
# Each step says what it expects; the first that fails ends the run with status 1.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bootstrap=$1
mode=${2:-}
topic="interop-tools-$$-$(date +%s)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps=0
failed=0

# check NAME PATTERN TOOL ARGS...: the tool ends with status 0 and prints the pattern.
check() {
    local name=$1 pattern=$2
    shift 2
    steps=$((steps + 1))
    if ! timeout 120 "$here/kafka/tool.sh" "$@" >"$work/out" 2>&1 </dev/null; then
        echo "tools: FAILED: $name: status not 0: $*" >&2
        head -15 "$work/out" >&2
        failed=$((failed + 1))
    elif [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$work/out"; then
        echo "tools: FAILED: $name: no /$pattern/ in the answer to: $*" >&2
        head -15 "$work/out" >&2
        failed=$((failed + 1))
    fi
}

b=(--bootstrap-server "$bootstrap")
check "create" "Created topic $topic" kafka-topics "${b[@]}" --create --topic "$topic" \
    --partitions 3 --replication-factor 1 --config segment.bytes=1048576
check "list" "^$topic\$" kafka-topics "${b[@]}" --list
check "describe" "Topic: $topic.*PartitionCount: 3.*ReplicationFactor: 1.*segment.bytes=1048576" \
    kafka-topics "${b[@]}" --describe --topic "$topic"
check "alter partitions" "" kafka-topics "${b[@]}" --alter --topic "$topic" --partitions 4
check "described after" "PartitionCount: 4" kafka-topics "${b[@]}" --describe --topic "$topic"
check "configs set" "Completed updating config" kafka-configs "${b[@]}" --alter --topic "$topic" \
    --add-config retention.ms=123456
check "configs describe" "retention.ms=123456" kafka-configs "${b[@]}" --describe --topic "$topic"
check "configs describe all" "cleanup.policy=delete" kafka-configs "${b[@]}" --describe --all --topic "$topic"
check "configs delete" "Completed updating config" kafka-configs "${b[@]}" --alter --topic "$topic" \
    --delete-config retention.ms
check "broker configs" "log.retention.hours" kafka-configs "${b[@]}" --describe --all --broker 1

# config NAME PATTERN PAIR ENTITY...: a configuration is set, described and taken away again.
config() {
    local name=$1 pattern=$2 pair=$3
    shift 3
    check "$name: set" "Completed updating" kafka-configs "${b[@]}" --alter "$@" --add-config "$pair"
    check "$name: shown" "$pattern" kafka-configs "${b[@]}" --describe "$@"
    check "$name: unset" "Completed updating" kafka-configs "${b[@]}" --alter "$@" --delete-config "${pair%%=*}"
}
config "quota of a client" "producer_byte_rate=1.0E7" producer_byte_rate=10000000 \
    --entity-type clients --entity-name "client-$topic"
config "quota of all clients" "default client-id.*request_percentage=500" request_percentage=500 \
    --entity-type clients --entity-default
config "quota of a user" "consumer_byte_rate=1.0E7" consumer_byte_rate=10000000 \
    --entity-type users --entity-name "user-$topic"
config "quota of a user's clients" "controller_mutation_rate=100.0" controller_mutation_rate=100 \
    --entity-type users --entity-name "user-$topic" --entity-type clients --entity-default
config "quota of an address" "connection_creation_rate=50.0" connection_creation_rate=50 \
    --entity-type ips --entity-name 192.0.2.7
config "one broker" "log.cleaner.backoff.ms=20000 .*DYNAMIC_BROKER_CONFIG" log.cleaner.backoff.ms=20000 \
    --entity-type brokers --entity-name 1
config "all brokers" "log.cleaner.backoff.ms=30000 .*DYNAMIC_DEFAULT_BROKER_CONFIG" \
    log.cleaner.backoff.ms=30000 --entity-type brokers --entity-default
config "a group" "consumer.session.timeout.ms=50000" consumer.session.timeout.ms=50000 \
    --entity-type groups --entity-name "group-$topic"
config "client metrics" "interval.ms=1000" interval.ms=1000 \
    --entity-type client-metrics --entity-name "metrics-$topic"

steps=$((steps + 1))
if ! seq 1 500 | sed 's/$/:value of a line/' | timeout 120 "$here/kafka/tool.sh" kafka-console-producer "${b[@]}" \
    --topic "$topic" --property parse.key=true --property key.separator=: >"$work/out" 2>&1; then
    echo "tools: FAILED: console producer" >&2; head -15 "$work/out" >&2; failed=$((failed + 1))
fi
check "console consumer" "value of a line" kafka-console-consumer "${b[@]}" --topic "$topic" \
    --partition 0 --offset earliest --max-messages 10 --timeout-ms 30000
check "producer perf" "20000 records sent" kafka-producer-perf-test --topic "$topic" --num-records 20000 \
    --record-size 500 --throughput -1 --producer-props "bootstrap.servers=$bootstrap" acks=all compression.type=lz4
check "get-offsets" "$topic:3:[0-9]+" kafka-get-offsets "${b[@]}" --topic "$topic"
check "get-offsets earliest" "$topic:0:0" kafka-get-offsets "${b[@]}" --topic "$topic" --time earliest
check "get-offsets max-timestamp" "$topic:0:[0-9]+" kafka-get-offsets "${b[@]}" --topic "$topic" --time max-timestamp
check "log-dirs" "\"partition\":\"$topic-0\"" kafka-log-dirs "${b[@]}" --describe --topic-list "$topic"
echo "{\"version\":1,\"partitions\":[{\"topic\":\"$topic\",\"partition\":0,\"offset\":5}]}" >"$work/delete.json"
check "delete-records" "low_watermark: 5" kafka-delete-records "${b[@]}" --offset-json-file "$work/delete.json"
check "get-offsets after delete" "$topic:0:5" kafka-get-offsets "${b[@]}" --topic "$topic" --time earliest
check "api versions" "Produce\(0\): 0 to 13" kafka-broker-api-versions "${b[@]}"
check "cluster id" "Cluster ID: .+" kafka-cluster cluster-id "${b[@]}"
check "cluster endpoints" "127.0.0.1|localhost" kafka-cluster list-endpoints "${b[@]}"
check "describe producers" "ProducerId" kafka-transactions "${b[@]}" describe-producers --topic "$topic" --partition 0

if [ "$mode" = --groups ]; then
    check "consumer in a group" "Processed a total of 100 messages" kafka-console-consumer "${b[@]}" --topic "$topic" \
        --group "group-$topic" --from-beginning --max-messages 100 --timeout-ms 60000
    check "groups list" "group-$topic" kafka-consumer-groups "${b[@]}" --list
    check "groups describe" "$topic +[0-9]" kafka-consumer-groups "${b[@]}" --describe --group "group-$topic"
    check "groups state" "Empty|Stable" kafka-consumer-groups "${b[@]}" --describe --state --group "group-$topic"
    check "groups reset" "$topic" kafka-consumer-groups "${b[@]}" --reset-offsets --to-earliest \
        --topic "$topic" --group "group-$topic" --execute
    check "groups reset to an offset" "$topic +0 +[0-9]+" kafka-consumer-groups "${b[@]}" --reset-offsets \
        --to-offset 7 --topic "$topic:0" --group "group-$topic" --dry-run
    check "groups reset exported" "$topic\"?,0,[0-9]+" kafka-consumer-groups "${b[@]}" --reset-offsets \
        --shift-by 2 --topic "$topic:0" --group "group-$topic" --export --dry-run
    check "groups delete-offsets" "Successful" kafka-consumer-groups "${b[@]}" --delete-offsets \
        --topic "$topic:1" --group "group-$topic"
    check "groups members" "has no active members|CONSUMER-ID" kafka-consumer-groups "${b[@]}" --describe \
        --members --group "group-$topic"
    check "groups by kafka-groups" "group-$topic +Classic" kafka-groups "${b[@]}" --list
    check "groups delete" "was successful|successfully deleted|deletion of requested consumer groups" \
        kafka-consumer-groups "${b[@]}" --delete --group "group-$topic"
    check "consumer of the new protocol" "Processed a total of 100 messages" kafka-console-consumer "${b[@]}" \
        --topic "$topic" --group "new-$topic" --command-property group.protocol=consumer \
        --from-beginning --max-messages 100 --timeout-ms 60000
    check "new group by kafka-groups" "new-$topic +Consumer +consumer" kafka-groups "${b[@]}" --list
    check "new group's state" "new-$topic.*Empty" kafka-consumer-groups "${b[@]}" --describe --state \
        --group "new-$topic"
    check "new group's offsets" "$topic +[0-9]" kafka-consumer-groups "${b[@]}" --describe --group "new-$topic"
    check "new group deleted" "was successful|successfully deleted|deletion of requested consumer groups" \
        kafka-consumer-groups "${b[@]}" --delete --group "new-$topic"
    check "consumer perf" "MB.sec" kafka-consumer-perf-test "${b[@]}" --topic "$topic" --messages 5000 --timeout 60000
fi

# Offline: the files that the broker wrote, read by Kafka's dump tool.
if [ -n "${LOG_DIRS:-}" ]; then
    # files SUFFIX: the topic's files with that suffix, joined by commas.
    files() { find "$LOG_DIRS" -path "*/$topic-[0-9]*/*$1" | sort | paste -sd,; }
    rejects() { # what the last dump must not say
        if grep -Eq "$1" "$work/out"; then
            echo "tools: FAILED: the dump says: $(grep -Em1 "$1" "$work/out")" >&2
            failed=$((failed + 1))
        fi
    }
    check "dump logs" "isvalid: true" kafka-dump-log --deep-iteration --print-data-log --files "$(files .log)"
    rejects 'isvalid: false|invalid|Found [1-9]'
    check "values in the dump" "payload: value of a line" kafka-dump-log --deep-iteration --print-data-log --files "$(files .log)"
    check "index sanity" "passed sanity check" kafka-dump-log --index-sanity-check --files "$(files .index)"
    check "index against log" "Dumping" kafka-dump-log --verify-index-only --files "$(files .index)"
    rejects 'Mismatches|not found'
    check "time index against log" "Dumping" kafka-dump-log --verify-index-only --files "$(files .timeindex)"
    rejects 'timestamp mismatch|out of order|Mismatches'
    if [ -n "$(files .snapshot)" ]; then
        check "producer snapshots" "Dumping" kafka-dump-log --files "$(files .snapshot)"
    fi
    segments=$(find "$LOG_DIRS" -path "*/$topic-[0-9]*/*.log" | wc -l)
    steps=$((steps + 1))
    [ "$segments" -gt 4 ] || { echo "tools: FAILED: only $segments segments in $LOG_DIRS" >&2; failed=$((failed + 1)); }
fi
check "delete" "" kafka-topics "${b[@]}" --delete --topic "$topic"
echo "tools: $((steps - failed)) of $steps steps right"
[ "$failed" -eq 0 ]
