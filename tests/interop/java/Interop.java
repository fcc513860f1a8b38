import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Apache Kafka's own Java client against a broker: Interop BOOTSTRAP [--groups].
 *
 * Makes a topic of its own, writes records with every codec, reads them back by assignment and
 * compares keys, values, headers, timestamps, order and offsets. Ends with status 1 and the first
 * difference if anything is not equal.
 */
public class Interop {
    static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    static final int MAX_MESSAGE_BYTES = 6 << 20;
    static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
    static int comparisons;
    static String bootstrap;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        String topic = "interop-java-" + System.currentTimeMillis();
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, CODECS.size(), (short) 1)
                .configs(Map.of("max.message.bytes", "" + MAX_MESSAGE_BYTES, "retention.ms", "-1")))).all().get();
            equal("partitions", admin.describeTopics(List.of(topic)).allTopicNames().get()
                .get(topic).partitions().size(), CODECS.size());
            for (int partition = 0; partition < CODECS.size(); partition++) {
                roundTrip(topic, partition);
            }
            offsets(admin, topic);
            admin(admin, topic);
            transactions(topic + "-transactions");
            if (arguments.length > 1 && arguments[1].equals("--groups")) {
                groups(topic);
            }
            deletions(admin, topic);
            admin.deleteTopics(List.of(topic)).all().get();
        } catch (Exception problem) {
            problem.printStackTrace();
            fail(problem.toString());
        }
        System.out.println("java: " + comparisons + " comparisons equal");
    }

    static void fail(String text) {
        System.err.println("java: FAILED: " + text);
        System.exit(1);
    }

    static void equal(String what, Object got, Object wanted) {
        boolean same = got instanceof byte[] left && wanted instanceof byte[] right
            ? Arrays.equals(left, right)
            : java.util.Objects.equals(got, wanted);
        if (!same) {
            fail(what + ": " + got + " instead of " + wanted);
        }
        comparisons++;
    }

    static byte[] noise(int size, int seed) {
        byte[] out = new byte[size];
        new Random(seed).nextBytes(out);
        return out;
    }

    static void add(List<ProducerRecord<byte[], byte[]>> out, String topic, int partition,
                    byte[] key, byte[] value, Header... headers) {
        out.add(new ProducerRecord<>(topic, partition, FIRST_TIMESTAMP + out.size() * 10L, key, value,
            List.of(headers)));
    }

    static List<ProducerRecord<byte[], byte[]>> records(String topic, int partition) {
        List<ProducerRecord<byte[], byte[]>> out = new ArrayList<>();
        add(out, topic, partition, null, "no key".getBytes());
        add(out, topic, partition, "no value".getBytes(), null);
        add(out, topic, partition, null, null);
        add(out, topic, partition, new byte[0], new byte[0]);
        add(out, topic, partition, "headers".getBytes(), "x".getBytes(),
            new RecordHeader("a", "1".getBytes()), new RecordHeader("a", "2".getBytes()),
            new RecordHeader("empty", new byte[0]), new RecordHeader("null", (byte[]) null));
        for (int index = 0; index < 300; index++) {
            add(out, topic, partition, index % 3 == 0 ? null : ("k" + index % 7).getBytes(),
                String.format("line %06d of a log%n", index).repeat(index % 5).getBytes());
        }
        add(out, topic, partition, "noise".getBytes(), noise(70_000, partition));
        add(out, topic, partition, "zeros".getBytes(), new byte[900_000]);
        add(out, topic, partition, "big".getBytes(), noise((5 << 20) - 4096, partition + 100));
        add(out, topic, partition, "after big".getBytes(), "end".getBytes());
        return out;
    }

    static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Properties settings = new Properties();
        settings.putAll(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false",
            "auto.offset.reset", "none", "max.partition.fetch.bytes", 8 << 20, "check.crcs", "true"));
        settings.putAll(more);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, long from, int count) {
        List<ConsumerRecord<byte[], byte[]>> got = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("isolation.level", "read_committed"))) {
            TopicPartition place = new TopicPartition(topic, partition);
            consumer.assign(List.of(place));
            consumer.seek(place, from);
            long deadline = System.currentTimeMillis() + 60_000;
            while (got.size() < count && System.currentTimeMillis() < deadline) {
                consumer.poll(Duration.ofSeconds(5)).records(place).forEach(got::add);
            }
        }
        return got;
    }

    static void roundTrip(String topic, int partition) throws Exception {
        String codec = CODECS.get(partition);
        Properties settings = new Properties();
        // The idempotent producer is the default; every second codec goes without.
        settings.putAll(Map.of("bootstrap.servers", bootstrap, "compression.type", codec, "linger.ms", 20,
            "max.request.size", MAX_MESSAGE_BYTES, "enable.idempotence", partition % 2 == 0, "acks", "all"));
        List<ProducerRecord<byte[], byte[]>> wanted = records(topic, partition);
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> record : wanted) {
                sent.add(producer.send(record));
            }
            for (int index = 0; index < sent.size(); index++) {
                equal(codec + ": offset", sent.get(index).get().offset(), (long) index);
            }
        }
        compare(codec, read(topic, partition, 0, wanted.size()), wanted, 0);
        compare(codec + " from 100", read(topic, partition, 100, wanted.size() - 100),
            wanted.subList(100, wanted.size()), 100);
    }

    static void compare(String what, List<ConsumerRecord<byte[], byte[]>> got,
                        List<ProducerRecord<byte[], byte[]>> wanted, long first) {
        equal(what + ": number of records", got.size(), wanted.size());
        for (int index = 0; index < got.size(); index++) {
            String where = what + ": record " + index;
            ConsumerRecord<byte[], byte[]> record = got.get(index);
            ProducerRecord<byte[], byte[]> want = wanted.get(index);
            equal(where + " offset", record.offset(), first + index);
            equal(where + " key", record.key(), want.key());
            equal(where + " value", record.value(), want.value());
            equal(where + " timestamp", record.timestamp(), want.timestamp());
            equal(where + " headers", List.of(record.headers().toArray()), List.of(want.headers().toArray()));
        }
    }

    static void offsets(Admin admin, String topic) throws Exception {
        TopicPartition place = new TopicPartition(topic, 0);
        long count = records(topic, 0).size();
        Map<OffsetSpec, Long> specs = Map.of(OffsetSpec.earliest(), 0L, OffsetSpec.latest(), count,
            OffsetSpec.maxTimestamp(), count - 1, OffsetSpec.forTimestamp(FIRST_TIMESTAMP + 95), 10L,
            OffsetSpec.forTimestamp(FIRST_TIMESTAMP * 2), -1L);
        for (Map.Entry<OffsetSpec, Long> spec : specs.entrySet()) {
            equal(spec.getKey().toString(),
                admin.listOffsets(Map.of(place, spec.getKey())).all().get().get(place).offset(), spec.getValue());
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            equal("end", consumer.endOffsets(List.of(place)).get(place), count);
            equal("beginning", consumer.beginningOffsets(List.of(place)).get(place), 0L);
            equal("offset for a time",
                consumer.offsetsForTimes(Map.of(place, FIRST_TIMESTAMP + 95)).get(place).offset(), 10L);
        }
    }

    static void admin(Admin admin, String topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        equal("max.message.bytes", admin.describeConfigs(List.of(resource)).all().get().get(resource)
            .get("max.message.bytes").value(), "" + MAX_MESSAGE_BYTES);
        equal("nodes", admin.describeCluster().nodes().get().size(), 1);
        equal("log dirs", admin.describeLogDirs(List.of(admin.describeCluster().nodes().get().iterator().next().id()))
            .allDescriptions().get().size(), 1);
        equal("listed", admin.listTopics().names().get().contains(topic), true);
        equal("producers", admin.describeProducers(List.of(new TopicPartition(topic, 0))).all().get()
            .values().iterator().next().activeProducers().size(), 1);
    }

    /** They work, or are refused for good and at once: nobody waits for what does not come. */
    static void transactions(String topic) throws Exception {
        Properties settings = new Properties();
        settings.putAll(Map.of("bootstrap.servers", bootstrap, "transactional.id", topic));
        long started = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, null, "in a transaction".getBytes()));
            producer.commitTransaction();
            equal("transactions: records", read(topic, 0, 0, 1).size(), 1);
        } catch (KafkaException refused) {
            equal("transactions: refused to be tried again: " + refused, refused instanceof RetriableException, false);
        }
        equal("transactions: known within 30 s", System.currentTimeMillis() - started < 30_000, true);
    }

    static void deletions(Admin admin, String topic) throws Exception {
        TopicPartition place = new TopicPartition(topic, 0);
        equal("low watermark", admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(50)))
            .lowWatermarks().get(place).get().lowWatermark(), 50L);
        equal("earliest", admin.listOffsets(Map.of(place, OffsetSpec.earliest())).all().get().get(place).offset(), 50L);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(CODECS.size() + 1))).all().get();
    }

    static void groups(String topic) {
        int wanted = records(topic, 0).size() * CODECS.size();
        String protocols = System.getenv().getOrDefault("JAVA_GROUP_PROTOCOLS", "classic");
        for (String protocol : protocols.split(",")) {
            Set<String> seen = new HashSet<>();
            int total = 0;
            for (int stopAfter : new int[] {100, wanted}) {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("group.id", protocol + topic,
                        "auto.offset.reset", "earliest", "max.poll.records", 50, "group.protocol", protocol))) {
                    consumer.subscribe(List.of(topic));
                    long deadline = System.currentTimeMillis() + 60_000;
                    while (total < stopAfter && System.currentTimeMillis() < deadline) {
                        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(5))) {
                            seen.add(record.partition() + "/" + record.offset());
                            total++;
                        }
                        consumer.commitSync();
                    }
                }
            }
            equal(protocol + " group: records", seen.size(), wanted);
            equal(protocol + " group: none twice", total, wanted);
        }
    }
}
