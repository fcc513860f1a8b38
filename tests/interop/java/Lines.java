import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The lines of a file through Apache Kafka's Java client: Lines BOOTSTRAP TOPIC IN OUT.
 *
 * Creates the topic, writes one record per line to its one partition, reads them from offset 0 on
 * and writes them to OUT, a line each.
 */
public class Lines {
    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0];
        String topic = arguments[1];
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
        long count = write(bootstrap, topic, Files.readAllBytes(Path.of(arguments[2])));
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[3])))) {
            read(bootstrap, topic, count, out);
        }
    }

    static long write(String bootstrap, String topic, byte[] lines) throws Exception {
        AtomicReference<Exception> failure = new AtomicReference<>();
        long count = 0;
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap, "linger.ms", 20),
                new ByteArraySerializer(), new ByteArraySerializer())) {
            int from = 0;
            for (int at = 0; at < lines.length; at++) {
                if (lines[at] == '\n') {
                    byte[] line = java.util.Arrays.copyOfRange(lines, from, at);
                    producer.send(new ProducerRecord<>(topic, 0, null, line), (placed, problem) -> {
                        if (problem != null) {
                            failure.set(problem);
                        }
                    });
                    from = at + 1;
                    count++;
                }
            }
        }
        if (failure.get() != null) {
            throw failure.get();
        }
        return count;
    }

    static void read(String bootstrap, String topic, long count, OutputStream out) throws Exception {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "none", "max.poll.records", 10_000),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition place = new TopicPartition(topic, 0);
            consumer.assign(List.of(place));
            consumer.seek(place, 0);
            while (count > 0) {
                ConsumerRecords<byte[], byte[]> found = consumer.poll(Duration.ofSeconds(30));
                if (found.isEmpty()) {
                    throw new IllegalStateException(count + " are left, and none came within 30 s");
                }
                for (var record : found) {
                    out.write(record.value());
                    out.write('\n');
                }
                count -= found.count();
            }
        }
    }
}
