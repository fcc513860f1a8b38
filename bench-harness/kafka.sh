#!/usr/bin/env bash
# Runs one Apache Kafka node in the foreground, with the JVM options of its own start script.
#
# usage: kafka.sh PORT DATADIR [key=value ...]
#   PORT     client listener on 127.0.0.1; the controller takes PORT+1
#   DATADIR  made and formatted if it holds no meta.properties yet
# KAFKA_FORMAT_ONLY=1 formats DATADIR and ends.
# KAFKA_HOME names a folder whose libs/ holds Kafka's jars; KAFKA_HEAP its heap (default 1g, as Kafka's).
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,9p' "$0"; exit 2; }
: "${KAFKA_HOME:?names the folder that holds libs/}"
port=$1
mkdir -p "$2"
data=$(cd "$2" && pwd)
shift 2
cat >"$data/server.properties" <<PROPS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
# What a run wrote is deleted at once, so that all arms use the same memory.
log.segment.delete.delay.ms=0
PROPS
for pair in "$@"; do echo "$pair" >>"$data/server.properties"; done
cat >"$data/log4j2.xml" <<'XML'
<Configuration>
  <Appenders><Console name="err" target="SYSTEM_ERR"><PatternLayout pattern="%d %p %c{1} %m%n"/></Console></Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="err"/></Root></Loggers>
</Configuration>
XML
if [ ! -f "$data/logs/meta.properties" ]; then
    java -Xmx256m -cp "$KAFKA_HOME/libs/*" -Dlog4j2.configurationFile="$data/log4j2.xml" \
        kafka.tools.StorageTool format -c "$data/server.properties" -t bWlsbHJhY2UtYmVuY2gtMQ \
        >"$data/format.log" 2>&1 || { cat "$data/format.log" >&2; exit 1; }
fi
[ -z "${KAFKA_FORMAT_ONLY:-}" ] || exit 0
heap=${KAFKA_HEAP:-1g}
exec java "-Xms$heap" "-Xmx$heap" -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
    -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true \
    -cp "$KAFKA_HOME/libs/*" -Dlog4j2.configurationFile="$data/log4j2.xml" \
    kafka.Kafka "$data/server.properties"
