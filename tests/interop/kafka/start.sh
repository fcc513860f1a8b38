#!/usr/bin/env bash
# Runs one Apache Kafka node (broker and controller in one process) in the foreground.
#
# usage: start.sh PORT DATADIR [key=value ...]
#   PORT     the client listener on 127.0.0.1; the controller listener takes PORT+1
#   DATADIR  created and formatted when it holds no meta.properties yet
# Further key=value pairs are appended to the properties file, so they win.
# The process ends with SIGTERM; KAFKA_HEAP (default 512m) bounds its heap.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
[ $# -ge 2 ] || { sed -n '2,9p' "$0"; exit 2; }
port=$1
mkdir -p "$2"
data=$(cd "$2" && pwd)
shift 2
"$here/install.sh"

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
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
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
        kafka.tools.StorageTool format -c "$data/server.properties" \
        -t "${KAFKA_CLUSTER_ID:-bWlsbHJhY2Utb3JhY2xlMQ}" >"$data/format.log" 2>&1 ||
        { cat "$data/format.log" >&2; exit 1; }
fi
exec java -Xms128m -Xmx"${KAFKA_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -cp "$KAFKA_HOME/libs/*" -Dlog4j2.configurationFile="$data/log4j2.xml" \
    kafka.Kafka "$data/server.properties"
