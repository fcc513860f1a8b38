#!/usr/bin/env bash
# What Java applications use on top of Kafka's client: Spring for Apache Kafka, Reactor Kafka, Vert.x, and the
# appenders of Logback and Log4j 2.
#
# usage: frameworks.sh BOOTSTRAP [--groups]
# Spring, Reactor and Vert.x read in groups, always.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/kafka/env.sh"
"$here/install.sh" frameworks 2>/dev/null || { echo "frameworks: the jars could not be fetched" >&2; exit 1; }
jars=$INTEROP_CACHE/frameworks
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.statusLoggerLevel=OFF -Dlogback.configurationFile="$here/java/logback.xml" \
    -cp "$jars/classes:$jars/*" Frameworks "$1"
