import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * An old Java client against a broker: Old BOOTSTRAP NAME. Uses what version 2.1 has and nothing
 * newer, so that it compiles and runs with every version since.
 */
public class Old {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    static final int COUNT = 500;
    static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
    static int comparisons;
    static String bootstrap;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        String topic = "interop-old-" + arguments[1] + "-" + System.currentTimeMillis();
        Map<String, Object> settings = settings();
        try (AdminClient admin = AdminClient.create(settings)) {
            NewTopic wanted = new NewTopic(topic, CODECS.length, (short) 1);
            admin.createTopics(List.of(wanted.configs(Map.of("retention.ms", "-1")))).all().get();
            for (int partition = 0; partition < CODECS.length; partition++) {
                write(topic, partition);
                read(topic, partition);
            }
            groups(admin, topic);
            admin(admin, topic);
            admin.deleteTopics(List.of(topic)).all().get();
        } catch (Exception problem) {
            problem.printStackTrace();
            System.exit(1);
        }
        System.out.println("java " + arguments[1] + ": " + comparisons + " comparisons equal");
        System.exit(0);
    }

    static void equal(String what, Object got, Object wanted) {
        boolean same = got instanceof byte[] && wanted instanceof byte[]
            ? Arrays.equals((byte[]) got, (byte[]) wanted) : java.util.Objects.equals(got, wanted);
        if (!same) {
            throw new AssertionError(what + ": " + got + " instead of " + wanted);
        }
        comparisons++;
    }

    static Map<String, Object> settings() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap, "request.timeout.ms", 20_000));
    }

    static byte[] value(int partition, int index) {
        return index % 50 == 7 ? null : ("value " + index + " of " + partition + " ").repeat(index % 9).getBytes();
    }

    static void write(String topic, int partition) throws Exception {
        Map<String, Object> settings = settings();
        settings.putAll(Map.of("compression.type", CODECS[partition], "acks", "all", "linger.ms", 5,
            "enable.idempotence", partition % 2 == 1));
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int index = 0; index < COUNT; index++) {
                byte[] key = index % 3 == 0 ? null : ("key" + index).getBytes();
                sent.add(producer.send(new ProducerRecord<>(topic, partition, FIRST_TIMESTAMP + index, key,
                    value(partition, index), List.of(new RecordHeader("at", ("" + index).getBytes())))));
            }
            for (int index = 0; index < COUNT; index++) {
                equal("offset", sent.get(index).get().offset(), (long) index);
            }
        }
    }

    static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Map<String, Object> settings = settings();
        settings.putAll(Map.of("enable.auto.commit", false, "auto.offset.reset", "earliest"));
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static List<ConsumerRecord<byte[], byte[]>> poll(KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<ConsumerRecord<byte[], byte[]>> got = new ArrayList<>();
        long deadline = System.currentTimeMillis() + 30_000;
        while (got.size() < count && System.currentTimeMillis() < deadline) {
            consumer.poll(Duration.ofMillis(500)).forEach(got::add);
        }
        return got;
    }

    static void read(String topic, int partition) {
        TopicPartition place = new TopicPartition(topic, partition);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("isolation.level", "read_committed"))) {
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            List<ConsumerRecord<byte[], byte[]>> got = poll(consumer, COUNT);
            equal("records", got.size(), COUNT);
            for (int index = 0; index < COUNT; index++) {
                ConsumerRecord<byte[], byte[]> record = got.get(index);
                equal("offset", record.offset(), (long) index);
                equal("value", record.value(), value(partition, index));
                equal("timestamp", record.timestamp(), FIRST_TIMESTAMP + index);
                equal("header", record.headers().lastHeader("at").value(), ("" + index).getBytes());
            }
            equal("end", consumer.endOffsets(List.of(place)).get(place), (long) COUNT);
            equal("offset for a time",
                consumer.offsetsForTimes(Map.of(place, FIRST_TIMESTAMP + 95)).get(place).offset(), 95L);
        }
    }

    static void groups(AdminClient admin, String topic) throws Exception {
        String group = "group-" + topic;
        Map<String, Object> settings = Map.of("group.id", group, "session.timeout.ms", 10_000);
        int total = CODECS.length * COUNT;
        TopicPartition place = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.subscribe(List.of(topic));
            equal("records of the group", poll(consumer, total).size(), total);
            consumer.commitSync();
            equal("committed", consumer.committed(place).offset(), (long) COUNT);
            ConsumerGroupDescription told = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            equal("state", told.state().toString(), "Stable");
            equal("members", told.members().size(), 1);
            equal("partitions", told.members().iterator().next().assignment().topicPartitions().size(), CODECS.length);
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.subscribe(List.of(topic));
            consumer.poll(Duration.ofSeconds(1));
            for (int tries = 0; consumer.assignment().isEmpty() && tries < 30; tries++) {
                equal("nothing new", consumer.poll(Duration.ofSeconds(1)).count(), 0);
            }
            equal("position", consumer.position(place), (long) COUNT);
        }
        Collection<ConsumerGroupListing> listed = admin.listConsumerGroups().all().get();
        equal("listed", listed.stream().anyMatch(it -> it.groupId().equals(group)), true);
        Map<TopicPartition, OffsetAndMetadata> offsets =
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        equal("committed in all partitions", offsets.size(), CODECS.length);
        admin.deleteConsumerGroups(List.of(group)).all().get();
    }

    @SuppressWarnings("deprecation")
    static void admin(AdminClient admin, String topic) throws Exception {
        equal("partitions", admin.describeTopics(List.of(topic)).values().get(topic).get().partitions().size(),
            CODECS.length);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        equal("retention.ms", admin.describeConfigs(List.of(resource)).all().get().get(resource)
            .get("retention.ms").value(), "-1");
        try {
            // Kafka 4's client has it no more.
            AdminClient.class.getMethod("alterConfigs", Map.class).invoke(admin, Map.of(resource,
                new Config(Collections.singleton(new ConfigEntry("retention.ms", "123456789")))));
            for (int tries = 0; tries < 100 && !retention(admin, resource).equals("123456789"); tries++) {
                Thread.sleep(50);
            }
            equal("altered retention.ms", retention(admin, resource), "123456789");
        } catch (NoSuchMethodException newer) {
            comparisons++;
        }
        TopicPartition place = new TopicPartition(topic, 0);
        equal("low watermark", admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(50)))
            .lowWatermarks().get(place).get().lowWatermark(), 50L);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(CODECS.length + 1))).all().get();
        equal("log dirs", admin.describeLogDirs(List.of(1)).values().get(1).get().size(), 1);
        equal("nodes", admin.describeCluster().nodes().get().size(), 1);
    }

    static String retention(AdminClient admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    }
}
