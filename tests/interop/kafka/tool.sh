#!/usr/bin/env bash
# Runs one of Apache Kafka's command-line tools from the jars.
#
# usage: tool.sh NAME args...     (NAME as in Kafka's bin/ folder, with or without the .sh)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
. "$here/classes.sh"
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
class=$(tool_class "$1") || { echo "tool.sh: no such tool: $1" >&2; exit 2; }
shift
"$here/install.sh"
exec java -Xmx"${KAFKA_TOOL_HEAP:-256m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -cp "$KAFKA_HOME/libs/*" -Dlog4j2.configurationFile="$here/log4j2-tools.xml" "$class" "$@"
