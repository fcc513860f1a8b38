#!/usr/bin/env bash
# Compares, line by line, what programs and tools are told by Millrace with what Apache Kafka told them.
#
# usage: answers.sh [--record | --kafka] [admin tools behaviours]
#   admin       every method of Kafka's Admin (java/AdminCalls.java)
#   tools       Kafka's command-line tools: less common options, wrong input (transcript.sh)
#   behaviours  what applications rely on (java/Behaviours.java)
#   --record    writes Apache Kafka's answers anew into kafka/answers/NAME.txt; read the diff
#   --kafka     compares a new run of Apache Kafka with its recorded answers: what differs is not stable
#   MILLRACE    the binary to start
# Differences that are meant are in kafka/answers/NAME.meant: lines of Kafka's (-) and ours (+), in
# their order, with reasons behind a #. A difference that is not there fails, and so does one that is
# there and is none any more. Starts brokers of its own. ANSWERS keeps the texts in that folder.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
export INTEROP_CACHE KAFKA_HOME
"$here/kafka/install.sh"
root=$(cd "$here/../.." && pwd)
millrace=${MILLRACE:-$root/target/debug/millrace}
mode=check
names=()
for argument in "$@"; do
    case $argument in
        --record|--kafka) mode=${argument#--} ;;
        *) names+=("$argument") ;;
    esac
done
[ ${#names[@]} -gt 0 ] || names=(admin tools behaviours)

work=$(mktemp -d)
broker=
stop() {
    if [ -n "$broker" ]; then
        kill "$broker" 2>/dev/null
        wait "$broker" 2>/dev/null
    fi
    broker=
}
trap 'stop; rm -rf "$work"' EXIT

# start DATA: a fresh broker, Millrace or Apache Kafka, at $bootstrap; its log folder is $logs.
start() {
    local data=$1 port
    port=$(python3 "$here/python/ports.py")
    bootstrap=127.0.0.1:$port
    local settings=(log.cleaner.backoff.ms=200)
    # Segments are looked after at once where that is what is played.
    [ "$name" = behaviours ] && settings+=(log.retention.check.interval.ms=300 log.initial.task.delay.ms=100)
    mkdir -p "$data"
    if [ "$mode" = check ]; then
        logs=$data
        # What kafka/start.sh sets, too.
        settings+=(node.id=1 process.roles=broker,controller offsets.topic.num.partitions=4
            group.initial.rebalance.delay.ms=0 offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1 transaction.state.log.min.isr=1
            transaction.state.log.num.partitions=4 share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1 "advertised.listeners=PLAINTEXT://$bootstrap")
        local flags=()
        for setting in "${settings[@]}"; do flags+=(--set "$setting"); done
        "$millrace" serve --listen "$bootstrap" --admin "127.0.0.1:$(python3 "$here/python/ports.py")" \
            --data-dir "$logs" "${flags[@]}" >"$data.log" 2>&1 &
    else
        logs=$data/logs
        "$here/kafka/start.sh" "$port" "$data" "${settings[@]}" >"$data.log" 2>&1 &
    fi
    broker=$!
    for _ in $(seq 300); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        kill -0 "$broker" 2>/dev/null || break
        sleep 0.1
    done
    echo "the broker did not start:"
    cat "$data.log"
    exit 1
}

program() {
    javac -nowarn -proc:none -cp "$KAFKA_HOME/libs/*" -d "$work/classes" "$here/java/$1.java" || return
    java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes:$KAFKA_HOME/libs/*" \
        -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" "$@"
}

play() {
    case $1 in
        admin) program AdminCalls "$bootstrap" ;;
        tools) "$here/transcript.sh" "$bootstrap" "$logs" ;;
        behaviours) program Behaviours "$bootstrap" "$logs" ;;
        *) echo "no answers to compare: $1" ;;
    esac
}

failed=0
for name in "${names[@]}"; do
    recorded=$here/kafka/answers/$name
    start "$work/$name"
    play "$name" >"$work/$name.txt" 2>"$work/$name.err"
    stop
    if [ -n "${ANSWERS:-}" ]; then
        mkdir -p "$ANSWERS"
        cp "$work/$name.txt" "$work/$name.err" "$work/$name.log" "$ANSWERS/"
    fi
    if [ "$mode" = record ]; then
        cp "$work/$name.txt" "$recorded.txt"
        echo "$name: $(wc -l <"$recorded.txt") lines recorded"
        continue
    fi
    diff --old-line-format='- %L' --new-line-format='+ %L' --unchanged-line-format='' \
        "$recorded.txt" "$work/$name.txt" >"$work/$name.diff"
    meant=/dev/null
    [ "$mode" = kafka ] || meant=$recorded.meant
    if diff <(grep -v '^#' "$meant") "$work/$name.diff" >"$work/$name.unmeant"; then
        echo "$name: $(wc -l <"$work/$name.txt") lines, as recorded or meant"
    else
        echo "$name: not as recorded (< meant, > found):"
        head -60 "$work/$name.unmeant"
        failed=1
    fi
done
exit "$failed"
