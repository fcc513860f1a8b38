import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What applications rely on, played to a broker: Behaviours BOOTSTRAP LOG_DIR [part...].
 *
 * Prints what each step came to, a line for each, so that the same run against two brokers can be
 * compared. The broker must look for expired segments, and compact, every few hundred ms, and its
 * log folder be on this machine: codecs are read from the segments.
 */
public class Behaviours {
    static String bootstrap;
    static Path logs;
    static final String prefix = "b" + System.currentTimeMillis() + "-";
    static Admin admin;

    interface Part {
        void play() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        logs = Path.of(arguments[1]);
        Map<String, Part> parts = new java.util.LinkedHashMap<>();
        parts.put("resets", Behaviours::resets);
        parts.put("positions", Behaviours::positions);
        parts.put("limits", Behaviours::limits);
        parts.put("unknown", Behaviours::unknownTopics);
        parts.put("names", Behaviours::names);
        parts.put("codecs", Behaviours::codecs);
        parts.put("times", Behaviours::times);
        parts.put("refusals", Behaviours::refusals);
        parts.put("live", Behaviours::live);
        parts.put("recreated", Behaviours::recreated);
        parts.put("groups", Behaviours::groups);
        parts.put("many", Behaviours::many);
        Set<String> wanted = arguments.length > 2
            ? new HashSet<>(List.of(arguments).subList(2, arguments.length)) : parts.keySet();
        try (Admin made = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            admin = made;
            for (Map.Entry<String, Part> part : parts.entrySet()) {
                if (wanted.contains(part.getKey())) {
                    try {
                        part.getValue().play();
                    } catch (Exception problem) {
                        problem.printStackTrace();
                        say(part.getKey() + " ended with", () -> problem);
                    }
                }
            }
        }
        System.exit(0);
    }

    static void say(String what, Callable<?> call) {
        String told;
        try {
            Object value = call.call();
            told = value instanceof Throwable problem ? thrown(what, problem) : "" + value;
        } catch (Throwable problem) {
            told = thrown(what, problem);
        }
        System.out.println((what + " = " + told).replace(prefix, "T-"));
    }

    static String thrown(String what, Throwable problem) {
        while (problem instanceof ExecutionException && problem.getCause() != null) {
            problem = problem.getCause();
        }
        System.err.println(what + " ! " + problem);
        return "! " + problem.getClass().getSimpleName();
    }

    static boolean soon(int seconds, BooleanSupplier what) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end) {
            if (what.getAsBoolean()) {
                return true;
            }
            Thread.sleep(100);
        }
        return what.getAsBoolean();
    }

    static String topic(String name, int partitions, String... configs) throws Exception {
        // The times of records are old ones.
        Map<String, String> set = new HashMap<>(Map.of("retention.ms", "-1"));
        for (int index = 0; index < configs.length; index += 2) {
            set.put(configs[index], configs[index + 1]);
        }
        admin.createTopics(List.of(new NewTopic(prefix + name, partitions, (short) 1).configs(set))).all().get();
        return prefix + name;
    }

    static void configure(String topic, AlterConfigOp.OpType type, String name, String value) throws Exception {
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
            List.of(new AlterConfigOp(new ConfigEntry(name, value), type)))).all().get();
    }

    static KafkaProducer<byte[], byte[]> producer(Object... more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "max.block.ms", 10_000));
        for (int index = 0; index < more.length; index += 2) {
            settings.put((String) more[index], more[index + 1]);
        }
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Object... more) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", "false",
            "auto.offset.reset", "earliest", "default.api.timeout.ms", 6000));
        for (int index = 0; index < more.length; index += 2) {
            settings.put((String) more[index], more[index + 1]);
        }
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static TopicPartition at(String topic, int partition) {
        return new TopicPartition(topic, partition);
    }

    /** Writes records of so many bytes, ten milliseconds apart from the time given. */
    static void write(String topic, int partition, int count, int bytes, long time) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            for (int index = 0; index < count; index++) {
                producer.send(new ProducerRecord<>(topic, partition, time + index * 10L, ("k" + index).getBytes(),
                    new byte[bytes])).get();
            }
        }
    }

    static int read(Consumer<byte[], byte[]> consumer, int wanted, int seconds) {
        int got = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (got < wanted && System.nanoTime() < end) {
            got += consumer.poll(Duration.ofMillis(200)).count();
        }
        return got;
    }

    static long offset(String topic, OffsetSpec spec) {
        try {
            return admin.listOffsets(Map.of(at(topic, 0), spec)).partitionResult(at(topic, 0)).get().offset();
        } catch (Exception problem) {
            return -99;
        }
    }

    // ---- where reading starts ----

    static void resets() throws Exception {
        String topic = topic("resets", 1);
        long now = System.currentTimeMillis();
        write(topic, 0, 5, 10, now - 7_200_000);
        write(topic, 0, 5, 10, now);
        for (String protocol : List.of("classic", "consumer")) {
            for (String reset : List.of("earliest", "latest", "none", "by_duration:PT1H", "by_duration:P3D", "by_duration:PT0S")) {
                say("reset " + protocol + " " + reset, () -> {
                    try (KafkaConsumer<byte[], byte[]> consumer = consumer("auto.offset.reset", reset, "group.protocol", protocol,
                            "group.id", prefix + reset.replace(':', '-') + protocol)) {
                        consumer.assign(List.of(at(topic, 0)));
                        consumer.poll(Duration.ofMillis(300));
                        consumer.seek(at(topic, 0), 500);
                        int got = read(consumer, 10, 2);
                        return "position " + consumer.position(at(topic, 0)) + " after " + got;
                    }
                });
            }
        }
        admin.deleteRecords(Map.of(at(topic, 0), RecordsToDelete.beforeOffset(4))).all().get();
        for (String reset : List.of("earliest", "latest", "none")) {
            say("below the start, " + reset, () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer("auto.offset.reset", reset)) {
                    consumer.assign(List.of(at(topic, 0)));
                    consumer.seek(at(topic, 0), 1);
                    int got = read(consumer, 6, 2);
                    return "position " + consumer.position(at(topic, 0)) + " after " + got;
                }
            });
        }
        say("read committed", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("isolation.level", "read_committed")) {
                consumer.assign(List.of(at(topic, 0)));
                return read(consumer, 6, 3) + " to " + consumer.endOffsets(List.of(at(topic, 0)));
            }
        });
    }

    static void positions() throws Exception {
        String topic = topic("positions", 2);
        write(topic, 0, 20, 10, 1_000_000);
        TopicPartition full = at(topic, 0);
        TopicPartition empty = at(topic, 1);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "positions")) {
            consumer.assign(List.of(full, empty));
            consumer.seekToEnd(List.of(full, empty));
            say("end", () -> consumer.position(full) + " " + consumer.position(empty));
            consumer.seekToBeginning(List.of(full, empty));
            say("beginning", () -> consumer.position(full) + " " + consumer.position(empty));
            say("negative seek", () -> { consumer.seek(full, -1); return "taken"; });
            say("beginnings", () -> "" + consumer.beginningOffsets(List.of(full)) + consumer.beginningOffsets(List.of(empty)));
            say("ends", () -> "" + consumer.endOffsets(List.of(full)) + consumer.endOffsets(List.of(empty)));
            for (long time : new long[] {0, 999_999, 1_000_000, 1_000_001, 1_000_190, 1_000_191, Long.MAX_VALUE}) {
                say("for time " + time, () -> {
                    Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(Map.of(full, time, empty, time));
                    return found.get(full) + " " + found.get(empty);
                });
            }
            say("for negative time", () -> consumer.offsetsForTimes(Map.of(full, -1L)));
            say("ends of unknown", () -> consumer.endOffsets(List.of(at(prefix + "none", 0)), Duration.ofSeconds(2)));
            say("ends of unknown partition", () -> consumer.endOffsets(List.of(at(topic, 9)), Duration.ofSeconds(2)));
            say("committed none", () -> consumer.committed(Set.of(full)));
            say("commit", () -> { consumer.commitSync(Map.of(full, new OffsetAndMetadata(7, "note"))); return consumer.committed(Set.of(full)); });
            say("commit of unknown partition", () -> { consumer.commitSync(Map.of(at(topic, 9), new OffsetAndMetadata(7)), Duration.ofSeconds(2)); return "taken"; });
            say("commit of unknown topic", () -> { consumer.commitSync(Map.of(at(prefix + "none", 0), new OffsetAndMetadata(7)), Duration.ofSeconds(2)); return "taken"; });
            say("commit of a long note", () -> { consumer.commitSync(Map.of(full, new OffsetAndMetadata(7, "x".repeat(5000)))); return "taken"; });
            say("partitions", () -> consumer.partitionsFor(topic).size());
            say("partitions of a bad name", () -> consumer.partitionsFor("a b"));
            consumer.seek(full, 3);
            consumer.pause(List.of(full));
            say("paused", () -> read(consumer, 1, 1) + " " + consumer.paused());
            consumer.resume(List.of(full));
            say("resumed", () -> read(consumer, 17, 5) + " " + consumer.position(full));
            say("lag", () -> consumer.currentLag(full));
            consumer.seek(full, new OffsetAndMetadata(19, java.util.Optional.of(0), ""));
            say("by epoch", () -> read(consumer, 1, 5) + " " + consumer.position(full));
            consumer.seek(full, new OffsetAndMetadata(5, java.util.Optional.of(9), ""));
            say("by an epoch to come", () -> read(consumer, 15, 2) + " " + consumer.position(full));
            consumer.assign(List.of(at(topic, 9)));
            say("unknown partition", () -> read(consumer, 1, 1));
        }
    }

    static void limits() throws Exception {
        String topic = topic("limits", 3);
        write(topic, 0, 5, 50_000, 1_000_000);
        write(topic, 1, 5, 50_000, 1_000_000);
        for (String limit : List.of("max.partition.fetch.bytes", "fetch.max.bytes")) {
            for (int bytes : new int[] {0, 1, 50_000, 120_000}) {
                say(limit + " " + bytes, () -> {
                    try (KafkaConsumer<byte[], byte[]> consumer = consumer(limit, bytes)) {
                        consumer.assign(List.of(at(topic, 0), at(topic, 1)));
                        return read(consumer, 10, 10);
                    }
                });
            }
        }
        say("max.poll.records", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("max.poll.records", 3)) {
                consumer.assign(List.of(at(topic, 0)));
                Set<Integer> counts = new TreeSet<>();
                for (int index = 0; index < 20; index++) {
                    counts.add(consumer.poll(Duration.ofMillis(100)).count());
                }
                return counts;
            }
        });
        say("fetch.min.bytes waits", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("fetch.min.bytes", 10_000_000, "fetch.max.wait.ms", 1500)) {
                consumer.assign(List.of(at(topic, 0)));
                consumer.seek(at(topic, 0), 0);
                consumer.position(at(topic, 0));
                long start = System.nanoTime();
                int got = read(consumer, 5, 10);
                long took = (System.nanoTime() - start) / 1_000_000;
                return got + (took >= 1400 && took < 4000 ? " in time" : " after " + took + " ms");
            }
        });
        say("fetch.min.bytes wakes", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("fetch.min.bytes", 60_000, "fetch.max.wait.ms", 20_000)) {
                consumer.assign(List.of(at(topic, 2)));
                Thread writer = new Thread(() -> {
                    try {
                        Thread.sleep(500);
                        write(topic, 2, 2, 50_000, 1_000_000);
                    } catch (Exception problem) {
                        problem.printStackTrace();
                    }
                });
                writer.start();
                long start = System.nanoTime();
                int got = read(consumer, 2, 15);
                long took = (System.nanoTime() - start) / 1_000_000;
                writer.join();
                return got + (took < 8000 ? " in time" : " after " + took + " ms");
            }
        });
    }

    static void unknownTopics() throws Exception {
        say("producer, partition that is not there", () -> {
            String topic = topic("onepartition", 1);
            try (KafkaProducer<byte[], byte[]> producer = producer("max.block.ms", 1500)) {
                return producer.send(new ProducerRecord<>(topic, 9, null, new byte[1])).get().offset();
            }
        });
        say("producer, bad name", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer("max.block.ms", 1500)) {
                return producer.send(new ProducerRecord<>("a b", null, new byte[1])).get().offset();
            }
        });
        say("producer, made by writing", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer()) {
                return producer.send(new ProducerRecord<>(prefix + "made", 0, null, new byte[1])).get().offset();
            }
        });
        for (String protocol : List.of("classic", "consumer")) {
            for (boolean may : new boolean[] {false, true}) {
                String name = prefix + "wanted-" + protocol + "-" + may;
                say("consumer " + protocol + ", topics may be made: " + may, () -> {
                    try (KafkaConsumer<byte[], byte[]> consumer = consumer("allow.auto.create.topics", may, "group.protocol", protocol,
                            "group.id", name)) {
                        consumer.subscribe(List.of(name));
                        for (int index = 0; index < 10; index++) {
                            consumer.poll(Duration.ofMillis(200));
                        }
                        return "made: " + admin.listTopics().names().get().contains(name);
                    }
                });
            }
        }
        say("assigned, topics may be made", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                consumer.assign(List.of(at(prefix + "assigned-made", 0)));
                read(consumer, 1, 2);
                return admin.listTopics().names().get().contains(prefix + "assigned-made");
            }
        });
        say("a bad name", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "bad")) {
                consumer.subscribe(List.of("a b"));
                return read(consumer, 1, 2);
            }
        });
        say("appears later", () -> {
            String name = prefix + "later";
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", name, "allow.auto.create.topics", false,
                    "metadata.max.age.ms", 300)) {
                consumer.subscribe(List.of(name));
                read(consumer, 1, 1);
                topic("later", 2);
                write(name, 1, 3, 10, 1_000_000);
                return read(consumer, 3, 15);
            }
        });
    }

    static void names() throws Exception {
        String longest = prefix + "x".repeat(249 - prefix.length());
        for (String name : List.of(longest, prefix + "dots.and_underscores-9")) {
            topic(name.substring(prefix.length()), 1);
            write(name, 0, 3, 10, 1_000_000);
            say("name of " + (name == longest ? "249" : "dots"), () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", name)) {
                    consumer.subscribe(List.of(name));
                    int got = read(consumer, 3, 15);
                    consumer.commitSync();
                    return got + " " + consumer.committed(Set.of(at(name, 0))).get(at(name, 0)).offset();
                }
            });
        }
        for (String other : List.of("dots_and.underscores-9", "dots.and.underscores-9", "dots-and_underscores-9")) {
            say("beside it " + other, () -> { topic(other, 1); return "made"; });
        }
        say("delete the longest", () -> { admin.deleteTopics(List.of(longest)).all().get(); return "done"; });
        say("make it again", () -> {
            topic(longest.substring(prefix.length()), 1);
            write(longest, 0, 1, 10, 1_000_000);
            return soon(10, () -> offset(longest, OffsetSpec.latest()) == 1);
        });
    }

    // ---- what is stored ----

    /** Codec, timestamp type and record count of each batch of the partition's first segment. */
    static String batches(String topic) throws IOException {
        byte[] bytes = Files.readAllBytes(logs.resolve(topic + "-0").resolve("00000000000000000000.log"));
        StringBuilder out = new StringBuilder();
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        for (int at = 0; at + 61 <= bytes.length && buffer.getInt(at + 8) > 0; at += 12 + buffer.getInt(at + 8)) {
            int attributes = buffer.getShort(at + 21);
            out.append(List.of("none", "gzip", "snappy", "lz4", "zstd", "?", "?", "?").get(attributes & 7))
                .append((attributes & 8) != 0 ? "+log" : "").append(' ').append(buffer.getInt(at + 57)).append(", ");
        }
        return out.toString();
    }

    static void codecs() throws Exception {
        List<String> codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
        for (String wanted : List.of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd")) {
            String topic = topic("codec-" + wanted, 1, "compression.type", wanted);
            for (String codec : codecs) {
                try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", codec, "linger.ms", 3000, "batch.size", 1 << 20)) {
                    for (int index = 0; index < 50; index++) {
                        producer.send(new ProducerRecord<>(topic, 0, 1_000_000L + index, ("k" + index).getBytes(), "value".repeat(20).getBytes()));
                    }
                }
            }
            say("topic " + wanted, () -> batches(topic));
            say("topic " + wanted + " read", () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer("check.crcs", true)) {
                    consumer.assign(List.of(at(topic, 0)));
                    int right = 0;
                    long end = System.nanoTime() + 10_000_000_000L;
                    while (right < 250 && System.nanoTime() < end) {
                        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                            int index = (int) record.offset() % 50;
                            right += new String(record.key()).equals("k" + index) && record.timestamp() == 1_000_000L + index
                                && new String(record.value()).equals("value".repeat(20)) ? 1 : 0;
                        }
                    }
                    return right;
                }
            });
        }
        for (String level : List.of("compression.gzip.level", "compression.lz4.level", "compression.zstd.level")) {
            for (String value : List.of("1", "9", "99")) {
                say(level + " " + value, () -> { topic(level + value, 1, "compression.type", level.split("\\.")[1], level, value); return "made"; });
            }
        }
        String changed = topic("codec-changed", 1);
        write(changed, 0, 1, 200, 1_000_000);
        configure(changed, AlterConfigOp.OpType.SET, "compression.type", "zstd");
        write(changed, 0, 1, 200, 1_000_000);
        configure(changed, AlterConfigOp.OpType.DELETE, "compression.type", "");
        write(changed, 0, 1, 200, 1_000_000);
        say("codec changed live", () -> batches(changed));
    }

    static void times() throws Exception {
        long now = System.currentTimeMillis();
        for (String type : List.of("CreateTime", "LogAppendTime")) {
            for (String codec : List.of("none", "lz4")) {
                String topic = topic("times-" + type + codec, 1, "message.timestamp.type", type);
                try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", codec)) {
                    say(type + " " + codec + " told", () -> {
                        RecordMetadata told = producer.send(new ProducerRecord<>(topic, 0, 5000L, null, new byte[10])).get();
                        return told.hasTimestamp() + " " + (told.timestamp() > now - 1000 ? "now" : "" + told.timestamp());
                    });
                }
                say(type + " " + codec + " read", () -> {
                    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                        consumer.assign(List.of(at(topic, 0)));
                        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(5))) {
                            return record.timestampType() + " " + (record.timestamp() > now - 1000 ? "now" : "" + record.timestamp());
                        }
                        return "nothing";
                    }
                });
                say(type + " " + codec + " stored", () -> batches(topic));
            }
        }
        for (String[] limit : new String[][] {{"message.timestamp.before.max.ms", "1000"}, {"message.timestamp.after.max.ms", "1000"}}) {
            String topic = topic(limit[0], 1, limit);
            for (long time : new long[] {now - 60_000, now, now + 60_000}) {
                say(limit[0] + " " + (time - now), () -> {
                    try (KafkaProducer<byte[], byte[]> producer = producer()) {
                        return producer.send(new ProducerRecord<>(topic, 0, time, null, new byte[10])).get().offset();
                    }
                });
            }
        }
        String far = topic("far", 1);
        for (long ahead : new long[] {30 * 60_000, 70 * 60_000}) {
            say("ahead by " + ahead, () -> {
                try (KafkaProducer<byte[], byte[]> producer = producer()) {
                    return producer.send(new ProducerRecord<>(far, 0, now + ahead, null, new byte[10])).get().offset();
                }
            });
        }
        String changed = topic("times-changed", 1);
        write(changed, 0, 1, 10, 5000);
        configure(changed, AlterConfigOp.OpType.SET, "message.timestamp.type", "LogAppendTime");
        write(changed, 0, 1, 10, 5000);
        say("type changed live", () -> batches(changed));
    }

    static void refusals() throws Exception {
        String small = topic("small", 1, "max.message.bytes", "1000");
        String lonely = topic("lonely", 1, "min.insync.replicas", "2");
        String compacted = topic("compacted-refusals", 1, "cleanup.policy", "compact");
        for (String acks : List.of("all", "1", "0")) {
            try (KafkaProducer<byte[], byte[]> producer = producer("acks", acks, "enable.idempotence", false, "retries", 0,
                    "delivery.timeout.ms", 5000, "request.timeout.ms", 4000, "linger.ms", 0)) {
                for (Map.Entry<String, ProducerRecord<byte[], byte[]>> each : new TreeMap<>(Map.of(
                        "too large", new ProducerRecord<byte[], byte[]>(small, 0, null, new byte[2000]),
                        "fits", new ProducerRecord<byte[], byte[]>(small, 0, null, new byte[500]),
                        "too few in sync", new ProducerRecord<byte[], byte[]>(lonely, 0, null, new byte[10]),
                        "no key", new ProducerRecord<byte[], byte[]>(compacted, 0, null, new byte[10]))).entrySet()) {
                    say("acks " + acks + " " + each.getKey(), () -> producer.send(each.getValue()).get().hasOffset());
                }
            }
        }
        try (KafkaProducer<byte[], byte[]> producer = producer("linger.ms", 2000)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int index = 0; index < 3; index++) {
                sent.add(producer.send(new ProducerRecord<>(compacted, 0, index == 1 ? null : new byte[] {1}, new byte[10])));
            }
            producer.flush();
            for (int index = 0; index < 3; index++) {
                Future<RecordMetadata> one = sent.get(index);
                say("one of a batch without key " + index, () -> one.get().offset());
            }
        }
        try (KafkaProducer<byte[], byte[]> producer = producer("linger.ms", 2000, "batch.size", 100_000)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int index = 0; index < 4; index++) {
                sent.add(producer.send(new ProducerRecord<>(small, 0, null, new byte[400])));
            }
            producer.flush();
            for (int index = 0; index < 4; index++) {
                Future<RecordMetadata> one = sent.get(index);
                say("a batch that is split " + index, () -> one.get().offset() >= 0);
            }
        }
        say("transactions", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer("transactional.id", prefix + "x")) {
                producer.initTransactions();
                return "taken";
            }
        });
    }

    // ---- configurations that are changed while the broker works ----

    static int files(String topic) {
        try (var list = Files.list(logs.resolve(topic + "-0"))) {
            return (int) list.filter(path -> path.toString().endsWith(".log")).count();
        } catch (IOException problem) {
            return -1;
        }
    }

    static void live() throws Exception {
        var set = AlterConfigOp.OpType.SET;
        long now = System.currentTimeMillis();
        String old = topic("live-retention", 1, "segment.bytes", "1048576");
        write(old, 0, 30, 100_000, now - 3_600_000);
        say("segments before", () -> files(old) > 1);
        say("earliest before", () -> offset(old, OffsetSpec.earliest()));
        configure(old, set, "retention.ms", "60000");
        say("retention.ms empties", () -> soon(20, () -> offset(old, OffsetSpec.earliest()) == 30));
        say("latest stays", () -> offset(old, OffsetSpec.latest()));
        write(old, 0, 1, 100, now);
        say("writing goes on", () -> offset(old, OffsetSpec.latest()));

        String bytes = topic("live-bytes", 1, "segment.bytes", "1048576");
        write(bytes, 0, 50, 100_000, now);
        configure(bytes, set, "retention.bytes", "2000000");
        say("retention.bytes cuts", () -> soon(20, () -> offset(bytes, OffsetSpec.earliest()) > 0));
        say("to", () -> offset(bytes, OffsetSpec.earliest()));

        String segments = topic("live-segments", 1);
        write(segments, 0, 30, 100_000, now);
        int first = files(segments);
        configure(segments, set, "segment.bytes", "1048576");
        write(segments, 0, 30, 100_000, now);
        say("segment.bytes rolls", () -> first + " then more: " + (files(segments) > first + 1));

        String times = topic("live-times", 1);
        write(times, 0, 1, 10, now);
        configure(times, set, "segment.ms", "1000");
        Thread.sleep(1500);
        write(times, 0, 1, 10, now + 5000);
        say("segment.ms rolls", () -> files(times));

        String keys = topic("live-compaction", 1, "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01");
        for (int round = 0; round < 4; round++) {
            write(keys, 0, 5, 100_000, now);
        }
        configure(keys, set, "cleanup.policy", "compact");
        for (int round = 0; round < 8; round++) {
            write(keys, 0, 5, 100_000, now);
        }
        say("cleanup.policy compacts", () -> soon(30, () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                consumer.assign(List.of(at(keys, 0)));
                return read(consumer, 60, 2) < 40;
            }
        }));
        say("compacted topic's earliest", () -> offset(keys, OffsetSpec.earliest()));
        configure(keys, AlterConfigOp.OpType.APPEND, "cleanup.policy", "delete");
        configure(keys, set, "retention.ms", "1000");
        configure(keys, set, "segment.ms", "500");
        Thread.sleep(1200);
        write(keys, 0, 1, 10, now + 10_000);
        say("both policies delete", () -> soon(20, () -> offset(keys, OffsetSpec.earliest()) >= 60));

        String sizes = topic("live-sizes", 1);
        configure(sizes, set, "max.message.bytes", "1000");
        say("max.message.bytes refuses", () -> { write(sizes, 0, 1, 5000, now); return "taken"; });
        configure(sizes, set, "max.message.bytes", "2000000");
        say("max.message.bytes takes", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer("max.request.size", 3_000_000)) {
                return producer.send(new ProducerRecord<>(sizes, 0, null, new byte[1_900_000])).get().offset();
            }
        });
        configure(sizes, set, "min.insync.replicas", "2");
        say("min.insync.replicas refuses", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer("delivery.timeout.ms", 3000, "request.timeout.ms", 2000,
                    "linger.ms", 0, "retries", 0, "enable.idempotence", false, "acks", "all")) {
                return producer.send(new ProducerRecord<>(sizes, 0, null, new byte[1])).get().offset();
            }
        });
    }

    // ---- topics that go and come ----

    static void recreated() throws Exception {
        for (boolean idempotent : new boolean[] {true, false}) {
            String topic = topic("recreated-" + idempotent, 1);
            try (KafkaProducer<byte[], byte[]> producer = producer("enable.idempotence", idempotent, "delivery.timeout.ms", 20_000,
                    "request.timeout.ms", 4000, "linger.ms", 0, "metadata.max.age.ms", 500)) {
                for (int index = 0; index < 10; index++) {
                    producer.send(new ProducerRecord<>(topic, 0, null, new byte[10])).get();
                }
                admin.deleteTopics(List.of(topic)).all().get();
                Thread.sleep(300);
                topic("recreated-" + idempotent, 1);
                say("made anew, idempotent " + idempotent + ", first", () -> producer.send(new ProducerRecord<>(topic, 0, null, new byte[10])).get().offset() < 3);
                Thread.sleep(1500);
                int failed = 0;
                for (int index = 0; index < 10; index++) {
                    try {
                        producer.send(new ProducerRecord<>(topic, 0, null, new byte[10])).get();
                    } catch (ExecutionException problem) {
                        failed++;
                    }
                }
                int failures = failed;
                say("made anew, idempotent " + idempotent + ", failed later", () -> failures);
                say("made anew, idempotent " + idempotent + ", enough", () -> offset(topic, OffsetSpec.latest()) >= 10);
            }
        }
        for (String protocol : List.of("classic", "consumer")) {
            String topic = topic("under-" + protocol, 2);
            String other = topic("beside-" + protocol, 1);
            write(topic, 0, 10, 10, 1_000_000);
            write(topic, 1, 10, 10, 1_000_000);
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", topic, "group.protocol", protocol,
                    "metadata.max.age.ms", 300, "allow.auto.create.topics", false)) {
                consumer.subscribe(List.of(topic, other));
                say(protocol + " reads", () -> read(consumer, 20, 15));
                consumer.commitSync();
                admin.deleteTopics(List.of(topic)).all().get();
                say(protocol + " is left with", () -> {
                    soon(10, () -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 1; });
                    return consumer.assignment();
                });
                write(other, 0, 3, 10, 1_000_000);
                say(protocol + " reads the other", () -> read(consumer, 3, 10));
                topic("under-" + protocol, 2);
                write(topic, 0, 4, 10, 1_000_000);
                say(protocol + " reads what is new", () -> read(consumer, 4, 15));
                say(protocol + " commits", () -> { consumer.commitSync(); return consumer.committed(Set.of(at(topic, 0))).get(at(topic, 0)).offset(); });
            }
        }
        String assigned = topic("assigned-under", 1);
        write(assigned, 0, 10, 10, 1_000_000);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("metadata.max.age.ms", 300, "allow.auto.create.topics", false)) {
            consumer.assign(List.of(at(assigned, 0)));
            say("assigned reads", () -> read(consumer, 10, 10));
            admin.deleteTopics(List.of(assigned)).all().get();
            say("assigned, gone", () -> read(consumer, 1, 2));
            topic("assigned-under", 1);
            write(assigned, 0, 4, 10, 1_000_000);
            say("assigned, new", () -> read(consumer, 4, 10));
        }
    }

    // ---- groups ----

    static void groups() throws Exception {
        String topic = topic("groups", 4);
        for (int partition = 0; partition < 4; partition++) {
            write(topic, partition, 5, 10, 1_000_000);
        }
        for (String assignor : List.of("RangeAssignor", "RoundRobinAssignor", "StickyAssignor", "CooperativeStickyAssignor")) {
            String name = "org.apache.kafka.clients.consumer." + assignor;
            say(assignor, () -> two(topic, "partition.assignment.strategy", name, "group.id", prefix + assignor));
        }
        for (String assignor : List.of("uniform", "range")) {
            say(assignor, () -> two(topic, "group.protocol", "consumer", "group.remote.assignor", assignor, "group.id", prefix + assignor));
        }
        say("unknown assignor", () -> two(topic, "group.protocol", "consumer", "group.remote.assignor", "best", "group.id", prefix + "best"));
        say("assignors without one in common", () -> {
            try (KafkaConsumer<byte[], byte[]> first = consumer("group.id", prefix + "odd", "partition.assignment.strategy",
                    "org.apache.kafka.clients.consumer.RangeAssignor");
                 KafkaConsumer<byte[], byte[]> second = consumer("group.id", prefix + "odd", "partition.assignment.strategy",
                    "org.apache.kafka.clients.consumer.RoundRobinAssignor")) {
                first.subscribe(List.of(topic));
                soon(10, () -> { first.poll(Duration.ofMillis(100)); return !first.assignment().isEmpty(); });
                second.subscribe(List.of(topic));
                return read(second, 1, 5);
            }
        });
        say("session too short", () -> one(topic, "session.timeout.ms", 100, "heartbeat.interval.ms", 30, "group.id", prefix + "short"));
        say("session too long", () -> one(topic, "session.timeout.ms", 10_000_000, "max.poll.interval.ms", 20_000_000, "group.id", prefix + "long"));
        say("group without a name", () -> one(topic, "group.id", ""));
        for (String protocol : List.of("classic", "consumer")) {
            String group = prefix + "static-" + protocol;
            say(protocol + " two of one instance", () -> {
                try (KafkaConsumer<byte[], byte[]> first = consumer("group.id", group, "group.instance.id", "i", "group.protocol", protocol);
                     KafkaConsumer<byte[], byte[]> second = consumer("group.id", group, "group.instance.id", "i", "group.protocol", protocol)) {
                    first.subscribe(List.of(topic));
                    soon(10, () -> { first.poll(Duration.ofMillis(100)); return !first.assignment().isEmpty(); });
                    second.subscribe(List.of(topic));
                    String came = "";
                    long end = System.nanoTime() + 8_000_000_000L;
                    while (came.isEmpty() && System.nanoTime() < end) {
                        for (KafkaConsumer<byte[], byte[]> each : List.of(second, first)) {
                            try {
                                each.poll(Duration.ofMillis(200));
                            } catch (Exception problem) {
                                came += (each == first ? "first " : "second ") + problem.getClass().getSimpleName();
                            }
                        }
                    }
                    return came;
                }
            });
            say(protocol + " too slow", () -> {
                try (KafkaConsumer<byte[], byte[]> slow = consumer("group.id", prefix + "slow-" + protocol, "max.poll.interval.ms", 1500,
                        "group.protocol", protocol, "max.poll.records", 1)) {
                    slow.subscribe(List.of(topic));
                    read(slow, 1, 10);
                    Thread.sleep(4000);
                    slow.commitSync();
                    return "taken";
                }
            });
            say(protocol + " pattern", () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "pattern-" + protocol, "group.protocol", protocol,
                        "metadata.max.age.ms", 300)) {
                    consumer.subscribe(Pattern.compile(Pattern.quote(prefix) + "gr.*|" + Pattern.quote(prefix) + "pat-" + protocol));
                    int got = read(consumer, 20, 15);
                    topic("pat-" + protocol, 1);
                    write(prefix + "pat-" + protocol, 0, 3, 10, 1_000_000);
                    return got + " then " + read(consumer, 3, 15);
                }
            });
        }
        for (String pattern : List.of(prefix + "gr[a-z]+", "(", "")) {
            say("pattern of the broker " + pattern.length(), () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "re2-" + pattern.length(), "group.protocol", "consumer")) {
                    consumer.subscribe(new SubscriptionPattern(pattern));
                    return read(consumer, 20, 15);
                }
            });
        }
        say("auto commit", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "auto", "enable.auto.commit", true, "auto.commit.interval.ms", 200)) {
                consumer.subscribe(List.of(topic));
                read(consumer, 20, 15);
            }
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "auto")) {
                consumer.subscribe(List.of(topic));
                return read(consumer, 1, 3);
            }
        });
        say("group metadata", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "meta")) {
                consumer.subscribe(List.of(topic));
                read(consumer, 20, 15);
                return consumer.groupMetadata().generationId();
            }
        });
        say("offsets of somebody else's generation", () -> {
            try (KafkaConsumer<byte[], byte[]> member = consumer("group.id", prefix + "busy");
                 KafkaConsumer<byte[], byte[]> alone = consumer("group.id", prefix + "busy")) {
                member.subscribe(List.of(topic));
                read(member, 20, 15);
                alone.assign(List.of(at(topic, 0)));
                alone.commitSync(Map.of(at(topic, 0), new OffsetAndMetadata(1)));
                return "taken";
            }
        });
        for (String protocol : List.of("classic", "consumer")) {
            say("the other protocol beside " + protocol, () -> {
                String group = prefix + "mixed-" + protocol;
                String other = protocol.equals("classic") ? "consumer" : "classic";
                try (KafkaConsumer<byte[], byte[]> first = consumer("group.id", group, "group.protocol", protocol);
                     KafkaConsumer<byte[], byte[]> second = consumer("group.id", group, "group.protocol", other)) {
                    first.subscribe(List.of(topic));
                    second.subscribe(List.of(topic));
                    soon(15, () -> {
                        first.poll(Duration.ofMillis(100));
                        second.poll(Duration.ofMillis(100));
                        return first.assignment().size() == 2 && second.assignment().size() == 2;
                    });
                    return first.assignment().size() + " " + second.assignment().size();
                }
            });
        }
    }

    static Object one(String topic, Object... settings) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.subscribe(List.of(topic));
            return read(consumer, 1, 5);
        }
    }

    /** Two members: how many partitions each has, and how many records came. */
    static Object two(String topic, Object... settings) throws Exception {
        try (KafkaConsumer<byte[], byte[]> first = consumer(settings); KafkaConsumer<byte[], byte[]> second = consumer(settings)) {
            first.subscribe(List.of(topic));
            second.subscribe(List.of(topic));
            soon(15, () -> {
                first.poll(Duration.ofMillis(100));
                second.poll(Duration.ofMillis(100));
                return first.assignment().size() == 2 && second.assignment().size() == 2;
            });
            return first.assignment().size() + " " + second.assignment().size();
        }
    }

    static void many() throws Exception {
        String topic = topic("many", 1000);
        try (KafkaProducer<byte[], byte[]> producer = producer("linger.ms", 5)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int partition = 0; partition < 1000; partition++) {
                sent.add(producer.send(new ProducerRecord<>(topic, partition, null, new byte[100])));
            }
            say("to a thousand partitions", () -> { for (Future<RecordMetadata> one : sent) { one.get(); } return sent.size(); });
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", prefix + "many")) {
            consumer.subscribe(List.of(topic));
            say("from a thousand partitions", () -> read(consumer, 1000, 30));
            say("committed", () -> { consumer.commitSync(); return consumer.committed(consumer.assignment()).values().stream().mapToLong(OffsetAndMetadata::offset).sum(); });
        }
        say("deleted", () -> { admin.deleteTopics(List.of(topic)).all().get(); return "done"; });
        say("made again", () -> { topic("many", 1000); return soon(10, () -> offset(topic, OffsetSpec.latest()) == 0); });
        admin.deleteTopics(List.of(topic)).all().get();
    }
}
