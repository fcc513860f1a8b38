#!/usr/bin/env bash
# Lines of this machine's own logs through each client library: it creates a topic, writes one record
# per line and reads them back from offset 0; the bytes must be the same.
#
# usage: lines.sh BOOTSTRAP [--groups]
#   LINES         how many (default 1000000)
#   LINES_CLIENTS which (default: confluent kafkapython aiokafka java franz kafkajs)
# Kafkajs consumes in groups only; without --groups kcat reads what it wrote.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
bootstrap=$1
mode=${2:-}
lines=${LINES:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "lines: FAILED: $*" >&2; exit 1; }

"$here/logs.sh" "$lines" "$work/in" || fail "no lines"
for client in ${LINES_CLIENTS:-confluent kafkapython aiokafka java franz kafkajs}; do
    topic=interop-lines-$client-$(date +%s%N)
    files=("$bootstrap" "$topic" "$work/in" "$work/out")
    began=$SECONDS
    case $client in
        confluent|kafkapython|aiokafka) "$INTEROP_CACHE/python/bin/python" "$here/python/lines.py" $client "${files[@]}" ;;
        java) java -Xmx512m -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/kafka/log4j2-tools.xml" \
            -cp "$KAFKA_HOME/libs/*" "$here/java/Lines.java" "${files[@]}" ;;
        franz) "$INTEROP_CACHE/go/lines" "${files[@]}" ;;
        kafkajs) node "$here/node/lines.js" "${files[@]}" $mode ;;
        *) fail "no client $client" ;;
    esac || fail "$client"
    if [ "$client$mode" = kafkajs ]; then
        kcat -q -b "$bootstrap" -t "$topic" -p 0 -o beginning -C -e -X check.crcs=true >"$work/out"
    fi
    cmp "$work/in" "$work/out" || fail "$client: the bytes differ"
    rm "$work/out"
    echo "lines: $client: $lines lines equal, $((SECONDS - began)) s"
done
echo "lines: $lines lines, $(stat -c %s "$work/in") bytes, equal with each client"
