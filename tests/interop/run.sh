#!/usr/bin/env bash
# Runs real clients against a broker and prints a table.
#
# usage: run.sh [--bootstrap HOST:PORT] [--groups] [clients...]
#   clients: confluent kafkapython aiokafka java franz sarama segmentio kafkajs
#            platformatic kcat lines tools shippers oldjava frameworks answers migrate mirror compacted; with
#            --groups also members connect streams (default: all); rskafka when it is installed.
#            Answers and those behind it start brokers of their own.
#   --bootstrap  an already running broker; without it a Millrace of its own is started on free
#                loopback ports with a temporary data folder, and stopped in the end
#   --groups     the parts that need consumer groups too
#   MILLRACE     the binary to start (default: target/debug/millrace, built when it is missing)
#   MILLRACE_ARGS  further arguments of `serve`, for example --io-backend=epoll
#   JAVA_GROUP_PROTOCOLS  with --groups: classic, consumer (KIP-848) or both (default: classic)
#   LOG_DIRS     log folders of a broker given by --bootstrap, for the offline dump tool
# The last line is `N passed, N failed`; the status is 1 if anything failed.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/kafka/env.sh"
export INTEROP_CACHE KAFKA_HOME
export NODE_MODULES="$INTEROP_CACHE/node/node_modules"
export MILLRACE=${MILLRACE:-$root/target/debug/millrace}

bootstrap=
groups=
clients=()
while [ $# -gt 0 ]; do
    case $1 in
        --bootstrap) bootstrap=$2; shift ;;
        --groups) groups=--groups ;;
        -*) sed -n '2,18p' "$0"; exit 2 ;;
        *) clients+=("$1") ;;
    esac
    shift
done
[ ${#clients[@]} -gt 0 ] || clients=(confluent kafkapython aiokafka java franz sarama segmentio kafkajs platformatic kcat lines tools shippers oldjava frameworks answers migrate mirror compacted
    ${groups:+members connect streams})

work=$(mktemp -d)
broker=
stop() {
    if [ -n "$broker" ]; then
        kill "$broker" 2>/dev/null
        wait "$broker" 2>/dev/null
    fi
    rm -rf "$work"
}
trap stop EXIT

free_port() { python3 "$here/python/ports.py"; }

if [ ! -x "$MILLRACE" ]; then
    (cd "$root" && cargo build --locked --bin millrace) || exit 1
fi
if [ -z "$bootstrap" ]; then
    port=$(free_port)
    bootstrap=127.0.0.1:$port
    export LOG_DIRS=$work/data
    # shellcheck disable=SC2086
    "$MILLRACE" serve --listen "$bootstrap" --admin "127.0.0.1:$(free_port)" --data-dir "$LOG_DIRS" \
        ${MILLRACE_ARGS:-} >"$work/broker.log" 2>&1 &
    broker=$!
    for _ in $(seq 150); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        kill -0 "$broker" 2>/dev/null || { echo "the broker did not start:"; cat "$work/broker.log"; exit 1; }
        sleep 0.1
    done
fi

run_client() {
    case $1 in
        confluent) "$INTEROP_CACHE/python/bin/python" "$here/python/confluent.py" "$bootstrap" $groups ;;
        members|connect|streams) "$INTEROP_CACHE/python/bin/python" "$here/python/$1.py" ;;
        kafkapython) "$INTEROP_CACHE/python/bin/python" "$here/python/kafkapython.py" "$bootstrap" $groups ;;
        aiokafka) "$INTEROP_CACHE/python/bin/python" "$here/python/aio.py" "$bootstrap" $groups ;;
        java) java -Xmx512m -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" \
            -cp "$KAFKA_HOME/libs/*" "$here/java/Interop.java" "$bootstrap" $groups ;;
        franz|sarama|segmentio) "$INTEROP_CACHE/go/$1" "$bootstrap" $groups ;;
        kafkajs) node "$here/node/kafkajs.js" "$bootstrap" $groups ;;
        platformatic) node "$here/node/platformatic.mjs" "$bootstrap" $groups ;;
        kcat|lines|tools|shippers|oldjava|frameworks) "$here/$1.sh" "$bootstrap" $groups ;;
        rskafka) "$INTEROP_CACHE/rust/rskafka" "$bootstrap" ;;
        answers) "$here/answers.sh" admin ;;
        migrate|mirror|compacted) "$here/$1.sh" ;;
        *) echo "no client $1"; return 2 ;;
    esac
}

passed=0
failed=0
table=$(printf '%-12s %-7s %8s  %s' client result seconds note)
for client in "${clients[@]}"; do
    start=$SECONDS
    if (run_client "$client") >"$work/$client.out" 2>&1 </dev/null; then
        result=ok
        passed=$((passed + 1))
    else
        result=FAILED
        failed=$((failed + 1))
        echo "--- $client"
        tail -40 "$work/$client.out"
    fi
    table+=$'\n'$(printf '%-12s %-7s %8s  %s' "$client" "$result" "$((SECONDS - start))" \
        "$(grep -v '^\s*$' "$work/$client.out" | tail -1 | cut -c1-90)")
    if [ -n "$broker" ] && ! kill -0 "$broker" 2>/dev/null; then
        echo "the broker died:"
        tail -40 "$work/broker.log"
        failed=$((failed + 1))
        break
    fi
done
echo "$table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
