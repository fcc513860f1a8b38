import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * One member of a group: Member BOOTSTRAP GROUP PROTOCOL TOPIC [INSTANCE].
 *
 * A TOPIC that begins with ^ is a pattern; the consumer protocol has the broker match it. Prints what
 * it is assigned and every value that it processed, a line of JSON each; commits after that. Leaves
 * on SIGTERM.
 */
public class Member {
    public static void main(String[] arguments) throws Exception {
        String protocol = arguments[2];
        String topic = arguments[3];
        Properties settings = new Properties();
        settings.putAll(Map.of("bootstrap.servers", arguments[0], "group.id", arguments[1],
            "group.protocol", protocol, "auto.offset.reset", "earliest", "enable.auto.commit", false,
            "metadata.max.age.ms", 2000, "default.api.timeout.ms", 10_000));
        if (protocol.equals("classic")) {
            settings.putAll(Map.of("session.timeout.ms", 6000, "heartbeat.interval.ms", 500));
        }
        if (arguments.length > 4 && !arguments[4].isEmpty()) {
            settings.put("group.instance.id", arguments[4]);
        }
        KafkaConsumer<String, String> consumer =
            new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                ended.await();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }));
        Assignments told = new Assignments();
        if (!topic.startsWith("^")) {
            consumer.subscribe(List.of(topic), told);
        } else if (protocol.equals("classic")) {
            consumer.subscribe(Pattern.compile(topic), told);
        } else {
            consumer.subscribe(new SubscriptionPattern(topic), told);
        }
        try {
            while (true) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<String, String> record : records) {
                    System.out.println("{\"value\": \"" + record.value() + "\"}");
                }
                if (!records.isEmpty()) {
                    commit(consumer);
                }
            }
        } catch (WakeupException asked) {
            consumer.close();
        } finally {
            ended.countDown();
        }
    }

    /** The records come again where this fails: somebody else has the partition, or nobody answers. */
    static void commit(KafkaConsumer<String, String> consumer) {
        try {
            consumer.commitSync();
        } catch (WakeupException asked) {
            throw asked;
        } catch (KafkaException refused) {
            System.err.println("commit: " + refused);
        }
    }

    static final class Assignments implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> places) {
            System.out.println(places.stream()
                .map(place -> "[\"" + place.topic() + "\", " + place.partition() + "]")
                .collect(Collectors.joining(", ", "{\"assigned\": [", "]}")));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> places) { }
    }
}
