import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * One instance of a word count: WordCount BOOTSTRAP APPLICATION STATE_FOLDER.
 *
 * Reads lines from APPLICATION-lines, writes each word's count to APPLICATION-counts. The word is
 * not the line's key, so that Streams makes a repartition topic; the counts are in a store with a
 * changelog topic. Tells its state and what it restored, a line each.
 */
public class WordCount {
    public static void main(String[] arguments) throws Exception {
        String application = arguments[1];
        Properties settings = new Properties();
        settings.putAll(Map.of("application.id", application, "bootstrap.servers", arguments[0],
            "state.dir", arguments[2], "commit.interval.ms", 200, "statestore.cache.max.bytes", 0,
            "processing.guarantee", "at_least_once", "repartition.purge.interval.ms", 1000,
            "default.key.serde", Serdes.StringSerde.class, "default.value.serde", Serdes.StringSerde.class));
        // Whoever gets a task gets its state at once, however much there is to read back.
        settings.putAll(Map.of("consumer.session.timeout.ms", 6000, "consumer.heartbeat.interval.ms", 500,
            "auto.offset.reset", "earliest", "acceptable.recovery.lag", 1_000_000L,
            "topology.optimization", "none"));

        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(application + "-lines")
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.as("words"))
            .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"))
            .toStream()
            .to(application + "-counts", Produced.with(Serdes.String(), Serdes.Long()));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setStateListener((now, before) -> System.out.println("state " + now));
        streams.setGlobalStateRestoreListener(new Restores());
        streams.setUncaughtExceptionHandler(problem -> {
            problem.printStackTrace();
            System.out.println("failed " + problem);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(30));
            ended.countDown();
        }));
        streams.start();
        ended.await();
    }

    /** Tells how much of the changelog was read back. */
    static final class Restores implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition place, String store, long from, long to) { }

        @Override
        public void onBatchRestored(TopicPartition place, String store, long last, long count) { }

        @Override
        public void onRestoreEnd(TopicPartition place, String store, long total) {
            System.out.println("restored " + total + " " + place);
        }
    }
}
