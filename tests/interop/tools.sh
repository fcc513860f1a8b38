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
live=()
cleanup() {
    [ ${#live[@]} -eq 0 ] || kill "${live[@]}" 2>/dev/null
    [ -z "${tools_in:-}" ] || exec {tools_in}>&-
    wait
    rm -rf "$work"
}
trap cleanup EXIT
steps=0
failed=0

# All tools run in one Java process: see java/Tools.java.
. "$here/kafka/env.sh"
. "$here/kafka/classes.sh"
"$here/kafka/install.sh"
mkfifo "$work/to-tools" "$work/from-tools"
javac -nowarn -cp "$KAFKA_HOME/libs/*" -d "$work/classes" "$here/java/Tools.java" || exit 1
java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes:$KAFKA_HOME/libs/*" \
    -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" Tools \
    <"$work/to-tools" >"$work/from-tools" 2>"$work/tools.log" &
exec {tools_in}>"$work/to-tools" {tools_out}<"$work/from-tools"

# tool NAME ARGS...: runs a tool on $stdin; what it says is in $work/out, the status is its own.
stdin=/dev/null
tool() {
    local class status
    class=$(tool_class "$1") || return 2
    shift
    local IFS=$'\x1f'
    echo "$work/out$IFS$stdin$IFS$class${*:+$IFS$*}" >&"$tools_in"
    read -r -t 150 status <&"$tools_out" || { echo "the tools' process is gone" >>"$work/out"; return 125; }
    return "$status"
}
wrong() {
    echo "tools: FAILED: $*" >&2
    head -15 "$work/out" >&2
    failed=$((failed + 1))
}

# check NAME PATTERN TOOL ARGS...: the tool ends with status 0 and prints the pattern.
check() {
    local name=$1 pattern=$2
    shift 2
    steps=$((steps + 1))
    if ! tool "$@"; then
        wrong "$name: status not 0: $*"
    elif [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$work/out"; then
        wrong "$name: no /$pattern/ in the answer to: $*"
    fi
}
# refused NAME PATTERN TOOL ARGS...: the tool prints the pattern, whatever its status.
refused() {
    local name=$1 pattern=$2
    shift 2
    steps=$((steps + 1))
    tool "$@"
    grep -Eq -- "$pattern" "$work/out" || wrong "$name: no /$pattern/ in the answer to: $*"
}
# soon NAME PATTERN TOOL ARGS...: as check, but it may take a while until it is so.
soon() {
    local pattern=$2 try
    for try in $(seq 60); do
        tool "${@:3}" && grep -Eq -- "$pattern" "$work/out" && break
        sleep 0.3
    done
    check "$@"
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

seq 1 500 | sed 's/$/:value of a line/' >"$work/lines"
stdin=$work/lines
check "console producer" "" kafka-console-producer "${b[@]}" \
    --topic "$topic" --property parse.key=true --property key.separator=:
stdin=/dev/null
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

# group_tools PROTOCOL TYPE STRATEGY: what the tools do with a group of one of the protocols.
group_tools() {
    local protocol=$1 type=$2 strategy=$3
    local group="$protocol-$topic"
    local g=("${b[@]}" --group "$group") reset
    reset=(kafka-consumer-groups "${g[@]}" --reset-offsets)
    # partition 0 begins at 5, see above
    local first=5 last count
    tool kafka-get-offsets "${b[@]}" --topic-partitions "$topic:0"
    last=$(sed -n "s/^$topic:0://p" "$work/out")

    check "$protocol: consumer in a group" "Processed a total of 100 messages" kafka-console-consumer "${g[@]}" \
        --topic "$topic" --command-property "group.protocol=$protocol" --from-beginning --max-messages 100 \
        --timeout-ms 60000
    check "$protocol: list" "^$group\$" kafka-consumer-groups "${b[@]}" --list
    check "$protocol: list with types" "^$group +$type" kafka-consumer-groups "${b[@]}" --list --type "$protocol"
    check "$protocol: list with states" "^$group +Empty" kafka-consumer-groups "${b[@]}" --list --state empty
    check "$protocol: kafka-groups" "^$group +$type +consumer" kafka-groups "${b[@]}" --list

    KAFKA_TOOL_HEAP=128m "$here/kafka/tool.sh" kafka-console-consumer "${g[@]}" --topic "$topic" \
        --command-property "group.protocol=$protocol" --command-property client.id=alive >/dev/null 2>&1 &
    live+=($!)
    soon "$protocol: stable" "^$group +.* $strategy +Stable +1" kafka-consumer-groups "${g[@]}" --describe --state
    # All is read, and the offsets are committed every five seconds.
    soon "$protocol: a member's offsets" "^$group +$topic +0 +$last +$last +0 +.*alive" \
        kafka-consumer-groups "${g[@]}" --describe
    check "$protocol: offsets by name" "^$group +$topic +3 +[0-9-]+ +[0-9]+ +[0-9]+ +0 +.*alive" \
        kafka-consumer-groups "${g[@]}" --describe --offsets --verbose
    check "$protocol: members" "^$group +[^ ]*[a-zA-Z0-9_-]{20,} +/127.0.0.1 +alive +4" \
        kafka-consumer-groups "${g[@]}" --describe --members
    check "$protocol: members' partitions" "alive .*$topic(\\(0,1,2,3\\)|:0,1,2,3)" \
        kafka-consumer-groups "${g[@]}" --describe --members --verbose
    check "$protocol: everything of all groups" "^$group +$topic" kafka-consumer-groups "${b[@]}" --describe --all-groups
    refused "$protocol: no reset beneath members" "can only be reset if the group .* is inactive" \
        "${reset[@]}" --to-earliest --topic "$topic" --execute
    refused "$protocol: no deletion beneath members" "not empty|NonEmpty" kafka-consumer-groups "${g[@]}" --delete
    refused "$protocol: no deletion of offsets beneath members" "GroupSubscribedToTopic|subscribed to" \
        kafka-consumer-groups "${g[@]}" --delete-offsets --topic "$topic"
    kill "${live[-1]}"
    wait "${live[-1]}"
    unset 'live[-1]'
    soon "$protocol: empty" "^$group .* Empty +0" kafka-consumer-groups "${g[@]}" --describe --state

    # new OFFSET ARGS...: a reset of partition 0 comes to that offset, and the group has it then.
    new() {
        local offset=$1
        shift
        check "$protocol: reset $*" "^ *$group +$topic +0 +$offset\$" "${reset[@]}" "$@" --topic "$topic:0" --execute
        check "$protocol: after $*" "^$group +$topic +0 +$offset +$last +$((last - offset)) " \
            kafka-consumer-groups "${g[@]}" --describe --offsets
    }
    new $first --to-earliest
    new $((first + 7)) --shift-by 7
    new $((first + 4)) --shift-by -3
    new $((first + 4)) --to-current
    new "$last" --to-latest
    new 7 --to-offset 7
    new "$last" --shift-by 100000000
    new $first --to-datetime 2000-01-01T00:00:00.000
    new "$last" --by-duration PT0S
    new $first --by-duration P1D
    echo "$topic,0,9" >"$work/offsets.csv"
    check "$protocol: reset from a file" "$topic +0 +9" "${reset[@]}" --from-file "$work/offsets.csv" --execute
    check "$protocol: after the file" "^$group +$topic +0 +9 " kafka-consumer-groups "${g[@]}" --describe
    check "$protocol: reset of all topics" "^ *$group +$topic +3 +0\$" "${reset[@]}" --to-earliest --all-topics --execute
    check "$protocol: dry run" "^ *$group +$topic +0 +7\$" "${reset[@]}" --to-offset 7 --topic "$topic:0" --dry-run
    check "$protocol: unchanged by it" "^$group +$topic +0 +5 " kafka-consumer-groups "${g[@]}" --describe
    check "$protocol: exported" "\"?$topic\"?,0,7" "${reset[@]}" --shift-by 2 --topic "$topic:0" --export --dry-run
    check "$protocol: offsets deleted" "$topic +1 +Successful" kafka-consumer-groups "${g[@]}" --delete-offsets --topic "$topic:1"
    check "$protocol: offsets of the others" "^$group +$topic +0 +5 " kafka-consumer-groups "${g[@]}" --describe
    steps=$((steps + 1))
    grep -Eq "^$group +$topic +1 +[0-9]" "$work/out" && wrong "$protocol: the deleted offset is there"
    refused "$protocol: no members" "has no active members" kafka-consumer-groups "${g[@]}" --describe --members
    count=$(tool kafka-get-offsets "${b[@]}" --topic "$topic"; awk -F: '{ sum += $3 } END { print sum - 5 }' "$work/out")
    check "$protocol: consumer perf" "^[0-9: ,.-]+, $count, " kafka-consumer-perf-test "${b[@]}" --topic "$topic" \
        --num-records "$count" --timeout 60000 --group "perf-$group" --command-property "group.protocol=$protocol"
    check "$protocol: perf's offsets" "^perf-$group +$topic +0 +$last +$last +0 " kafka-consumer-groups "${b[@]}" \
        --describe --group "perf-$group"
    if [ -n "${LOG_DIRS:-}" ]; then
        offsets_dump "$protocol" "$group"
    fi
    check "$protocol: deleted" "was successful|successfully deleted|deletion of requested consumer groups" \
        kafka-consumer-groups "${g[@]}" --delete
    refused "$protocol: gone" "does not exist|not found" kafka-consumer-groups "${g[@]}" --describe
}

# offsets_dump PROTOCOL GROUP: the dump tool decodes what the group left in the offsets topic.
offsets_dump() {
    local logs
    logs=$(find "$LOG_DIRS" -path '*__consumer_offsets-*/*.log' -size +0 | paste -sd,)
    check "$1: dump of the offsets" "\"group\":\"$2\",\"topic\":\"$topic\",\"partition\":0" \
        kafka-dump-log --offsets-decoder --files "$logs"
    steps=$((steps + 1))
    if [ "$1" = classic ]; then
        grep -Eq "\"group\":\"$2\"\}.*\"protocolType\":\"consumer\"" "$work/out" || wrong "no classic group in the dump"
    else
        grep -Eq "\"groupId\":\"$2\",\"memberId\":\".*\"assignedPartitions\"|\"groupId\":\"$2\".*\"epoch\"" "$work/out" ||
            wrong "no consumer group in the dump"
    fi
    steps=$((steps + 1))
    grep -Eiq "could not|exception|isvalid: false" "$work/out" && wrong "the dump says: $(grep -Eim1 "could not|exception" "$work/out")"
}

if [ "$mode" = --groups ]; then
    group_tools classic Classic range
    group_tools consumer Consumer uniform
    check "no share groups" "" kafka-share-groups "${b[@]}" --list
    check "no streams groups" "" kafka-streams-groups "${b[@]}" --list
fi

# Offline: the files that the broker wrote, read by Kafka's dump tool.
if [ -n "${LOG_DIRS:-}" ]; then
    # files SUFFIX: the topic's files with that suffix, joined by commas.
    files() { find "$LOG_DIRS" -path "*/$topic-[0-9]*/*$1" | sort | paste -sd,; }
    rejects() { # what the last dump must not say
        grep -Eq "$1" "$work/out" && wrong "the dump says: $(grep -Em1 "$1" "$work/out")"
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
