#!/usr/bin/env bash
# Runs one of Apache Kafka's command-line tools from the jars.
#
# usage: tool.sh NAME args...     (NAME as in Kafka's bin/ folder, with or without the .sh)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
name=${1%.sh}
shift
"$here/install.sh"
case $name in
    kafka-topics) class=org.apache.kafka.tools.TopicCommand ;;
    kafka-configs) class=kafka.admin.ConfigCommand ;;
    kafka-get-offsets) class=org.apache.kafka.tools.GetOffsetShell ;;
    kafka-console-producer) class=org.apache.kafka.tools.ConsoleProducer ;;
    kafka-console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
    kafka-producer-perf-test) class=org.apache.kafka.tools.ProducerPerformance ;;
    kafka-consumer-perf-test) class=org.apache.kafka.tools.ConsumerPerformance ;;
    kafka-dump-log) class=org.apache.kafka.tools.DumpLogSegments ;;
    kafka-log-dirs) class=org.apache.kafka.tools.LogDirsCommand ;;
    kafka-delete-records) class=org.apache.kafka.tools.DeleteRecordsCommand ;;
    kafka-broker-api-versions) class=org.apache.kafka.tools.BrokerApiVersionsCommand ;;
    kafka-cluster) class=org.apache.kafka.tools.ClusterTool ;;
    kafka-consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
    kafka-groups) class=org.apache.kafka.tools.GroupsCommand ;;
    kafka-transactions) class=org.apache.kafka.tools.TransactionsCommand ;;
    kafka-verifiable-producer) class=org.apache.kafka.tools.VerifiableProducer ;;
    kafka-verifiable-consumer) class=org.apache.kafka.tools.VerifiableConsumer ;;
    kafka-leader-election) class=org.apache.kafka.tools.LeaderElectionCommand ;;
    kafka-reassign-partitions) class=org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
    kafka-metadata-quorum) class=org.apache.kafka.tools.MetadataQuorumCommand ;;
    kafka-features) class=org.apache.kafka.tools.FeatureCommand ;;
    kafka-metadata-shell) class=org.apache.kafka.shell.MetadataShell ;;
    kafka-e2e-latency) class=org.apache.kafka.tools.EndToEndLatency ;;
    kafka-storage) class=kafka.tools.StorageTool ;;
    *.*) class=$name ;;
    *) echo "tool.sh: no such tool: $name" >&2; exit 2 ;;
esac
exec java -Xmx"${KAFKA_TOOL_HEAP:-256m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -cp "$KAFKA_HOME/libs/*" -Dlog4j2.configurationFile="$here/log4j2-tools.xml" "$class" "$@"
