# Which class is which of Kafka's command-line tools; sourced, never run.

# tool_class NAME: the class of a tool as it is called in Kafka's bin/ folder; a class is itself.
tool_class() {
    case ${1%.sh} in
        kafka-topics) echo org.apache.kafka.tools.TopicCommand ;;
        kafka-configs) echo kafka.admin.ConfigCommand ;;
        kafka-get-offsets) echo org.apache.kafka.tools.GetOffsetShell ;;
        kafka-console-producer) echo org.apache.kafka.tools.ConsoleProducer ;;
        kafka-console-consumer) echo org.apache.kafka.tools.consumer.ConsoleConsumer ;;
        kafka-producer-perf-test) echo org.apache.kafka.tools.ProducerPerformance ;;
        kafka-consumer-perf-test) echo org.apache.kafka.tools.ConsumerPerformance ;;
        kafka-dump-log) echo org.apache.kafka.tools.DumpLogSegments ;;
        kafka-log-dirs) echo org.apache.kafka.tools.LogDirsCommand ;;
        kafka-delete-records) echo org.apache.kafka.tools.DeleteRecordsCommand ;;
        kafka-broker-api-versions) echo org.apache.kafka.tools.BrokerApiVersionsCommand ;;
        kafka-cluster) echo org.apache.kafka.tools.ClusterTool ;;
        kafka-consumer-groups) echo org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
        kafka-groups) echo org.apache.kafka.tools.GroupsCommand ;;
        kafka-transactions) echo org.apache.kafka.tools.TransactionsCommand ;;
        kafka-verifiable-producer) echo org.apache.kafka.tools.VerifiableProducer ;;
        kafka-verifiable-consumer) echo org.apache.kafka.tools.VerifiableConsumer ;;
        kafka-leader-election) echo org.apache.kafka.tools.LeaderElectionCommand ;;
        kafka-reassign-partitions) echo org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
        kafka-metadata-quorum) echo org.apache.kafka.tools.MetadataQuorumCommand ;;
        kafka-features) echo org.apache.kafka.tools.FeatureCommand ;;
        kafka-metadata-shell) echo org.apache.kafka.shell.MetadataShell ;;
        kafka-e2e-latency) echo org.apache.kafka.tools.EndToEndLatency ;;
        kafka-streams-application-reset) echo org.apache.kafka.tools.StreamsResetter ;;
        kafka-streams-groups) echo org.apache.kafka.tools.streams.StreamsGroupCommand ;;
        kafka-share-groups) echo org.apache.kafka.tools.consumer.group.ShareGroupCommand ;;
        kafka-storage) echo kafka.tools.StorageTool ;;
        kafka-acls) echo org.apache.kafka.tools.AclCommand ;;
        kafka-delegation-tokens) echo org.apache.kafka.tools.DelegationTokenCommand ;;
        kafka-client-metrics) echo org.apache.kafka.tools.ClientMetricsCommand ;;
        kafka-replica-verification) echo org.apache.kafka.tools.ReplicaVerificationTool ;;
        kafka-console-share-consumer) echo org.apache.kafka.tools.consumer.ConsoleShareConsumer ;;
        kafka-share-consumer-perf-test) echo org.apache.kafka.tools.ShareConsumerPerformance ;;
        kafka-verifiable-share-consumer) echo org.apache.kafka.tools.VerifiableShareConsumer ;;
        *.*) echo "$1" ;;
        *) return 1 ;;
    esac
}
