#!/usr/bin/env bash
# MirrorMaker 2 copies topics, configurations, records and committed offsets, from Apache Kafka to
# Millrace and from Millrace to Apache Kafka.
#
# usage: mirror.sh
#   MILLRACE   the binary to start (default: target/debug/millrace)
# Topics keep their names. Records are written before and while they are mirrored; each partition of
# the copy must hold the same keys and values in the same order.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
millrace=${MILLRACE:-$here/../../target/debug/millrace}
work=$(mktemp -d)
declare -A process
cleanup() {
    [ ${#process[@]} -eq 0 ] || kill "${process[@]}" 2>/dev/null
    wait
    rm -rf "$work"
}
trap cleanup EXIT
fail() {
    echo "mirror: FAILED: $*" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}
steps=0
tool() { timeout 120 "$here/kafka/tool.sh" "$@"; }

read -r kafka_port millrace_port <<<"$(python3 "$here/python/ports.py" 2)"
kafka=127.0.0.1:$kafka_port
target=127.0.0.1:$millrace_port
"$here/kafka/start.sh" "$kafka_port" "$work/kafka" >"$work/kafka.log" 2>&1 &
process[kafka]=$!
"$millrace" serve --listen "$target" --data-dir "$work/millrace" --set millrace.admin.listener= \
    --set offsets.topic.num.partitions=4 --set group.initial.rebalance.delay.ms=0 >"$work/millrace.log" 2>&1 &
process[millrace]=$!
for broker in "$target" "$kafka"; do
    for _ in $(seq 120); do
        kcat -b "$broker" -L >/dev/null 2>&1 && break
        sleep 0.5
    done
done

# write BROKER TOPIC FIRST LAST: keyed records, in the codec of their number
write() { seq "$3" "$4" | awk '{ print $1 % 97 ":value " $1 }' | kcat -b "$1" -t "$2" -P -K: -z "${5:-none}"; }
# held BROKER TOPIC: the records of each partition, in their order
held() {
    local partition
    for partition in 0 1 2; do
        timeout 60 kcat -q -b "$1" -t "$2" -p $partition -C -o beginning -e -f '%p %k %s %T\n'
    done
}
commit() { # commit BROKER GROUP TOPIC COUNT: a member reads so many and leaves
    timeout 60 kcat -b "$1" -X auto.offset.reset=earliest -X auto.commit.interval.ms=200 -c "$4" -q -G "$2" "$3" \
        >/dev/null 2>&1
}
committed() { # committed BROKER GROUP: partition and offset
    tool kafka-consumer-groups --bootstrap-server "$1" --describe --group "$2" 2>/dev/null |
        awk -v group="$2" '$1 == group && $4 ~ /^[0-9]+$/ { print $3, $4 }' | sort
}

# way FROM TO TOPIC: one run of MirrorMaker in that direction
way() {
    local from=$1 to=$2 topic=$3 at=20000 codec
    tool kafka-topics --bootstrap-server "$from" --create --topic "$topic" --partitions 3 \
        --config retention.ms=987654321 --config max.message.bytes=2000000 >/dev/null || fail "create $topic"
    write "$from" "$topic" 1 20000
    commit "$from" "group-$topic" "$topic" 15000
    cat >"$work/mirror.properties" <<CONF
clusters=from,to
from.bootstrap.servers=$from
to.bootstrap.servers=$to
from->to.enabled=true
to->from.enabled=false
from->to.topics=$topic
from->to.groups=group-$topic
replication.policy.class=org.apache.kafka.connect.mirror.IdentityReplicationPolicy
replication.factor=1
checkpoints.topic.replication.factor=1
heartbeats.topic.replication.factor=1
offset-syncs.topic.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
config.storage.replication.factor=1
sync.group.offsets.enabled=true
sync.group.offsets.interval.seconds=1
emit.checkpoints.interval.seconds=1
refresh.topics.interval.seconds=1
refresh.groups.interval.seconds=1
sync.topic.configs.interval.seconds=1
offset.lag.max=0
offset.flush.interval.ms=500
CONF
    java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$KAFKA_HOME/libs/*" \
        -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" \
        org.apache.kafka.connect.mirror.MirrorMaker "$work/mirror.properties" >"$work/mirror.log" 2>&1 &
    process[mirror]=$!
    for codec in gzip snappy lz4 zstd; do
        write "$from" "$topic" $((at + 1)) $((at + 5000)) $codec
        at=$((at + 5000))
    done
    held "$from" "$topic" >"$work/wanted"
    [ "$(wc -l <"$work/wanted")" = 40000 ] || fail "$topic: $(wc -l <"$work/wanted") records written"
    for _ in $(seq 90); do
        held "$to" "$topic" >"$work/got" 2>/dev/null
        [ "$(wc -l <"$work/got")" -ge 40000 ] && break
        kill -0 "${process[mirror]}" || fail "MirrorMaker ended"
        sleep 0.5
    done
    cmp "$work/wanted" "$work/got" || fail "$topic: $(wc -l <"$work/got") records are mirrored, or others"
    for _ in $(seq 60); do
        tool kafka-configs --bootstrap-server "$to" --describe --topic "$topic" >"$work/configs" 2>/dev/null
        grep -q retention.ms=987654321 "$work/configs" && break
        sleep 0.5
    done
    grep -q retention.ms=987654321 "$work/configs" || fail "$topic: the configuration is not mirrored"
    grep -q max.message.bytes=2000000 "$work/configs" || fail "$topic: only a part of the configuration is mirrored"
    committed "$from" "group-$topic" >"$work/committed-from"
    [ -s "$work/committed-from" ] || fail "$topic: nothing is committed"
    for _ in $(seq 60); do
        committed "$to" "group-$topic" >"$work/committed-to"
        join "$work/committed-from" "$work/committed-to" | awk '0 < $3 && $3 <= $2' >"$work/joined"
        [ "$(wc -l <"$work/joined")" = "$(wc -l <"$work/committed-from")" ] && break
        sleep 0.5
    done
    # MirrorMaker goes back to the last offset of which it knows both sides, never forward.
    [ "$(wc -l <"$work/joined")" = "$(wc -l <"$work/committed-from")" ] ||
        fail "$topic: committed offsets: $(paste -s "$work/committed-from") against $(paste -s "$work/committed-to")"
    kill "${process[mirror]}"
    wait "${process[mirror]}"
    unset 'process[mirror]'
    steps=$((steps + 4))
}

way "$kafka" "$target" mirrored
way "$target" "$kafka" mirrored-back
echo "mirror: 40000 records each way, $steps comparisons equal"
