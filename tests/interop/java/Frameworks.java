import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import com.github.danielwegener.logback.kafka.KafkaAppender;
import com.github.danielwegener.logback.kafka.delivery.AsynchronousDeliveryStrategy;
import com.github.danielwegener.logback.kafka.keying.NoKeyKeyingStrategy;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaAdmin;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;
import reactor.core.publisher.Flux;
import reactor.kafka.receiver.KafkaReceiver;
import reactor.kafka.receiver.ReceiverOptions;
import reactor.kafka.sender.KafkaSender;
import reactor.kafka.sender.SenderOptions;
import reactor.kafka.sender.SenderRecord;

/**
 * What applications use on top of Kafka's Java client: Frameworks BOOTSTRAP.
 *
 * Spring, Reactor and Vert.x write lines to a topic and read them back as members of a group; the
 * appenders of Logback and Log4j 2 write lines, and a plain consumer reads them.
 */
public class Frameworks {
    static final int COUNT = 1000;
    static String bootstrap;
    static String run = "interop-frameworks-" + System.currentTimeMillis();

    interface Step {
        void run(String topic) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        Map<String, Step> steps = new java.util.LinkedHashMap<>();
        steps.put("spring", Frameworks::spring);
        steps.put("reactor", Frameworks::reactor);
        steps.put("vertx", Frameworks::vertx);
        steps.put("logback", Frameworks::logback);
        steps.put("log4j", Frameworks::log4j);
        for (Map.Entry<String, Step> step : steps.entrySet()) {
            long started = System.nanoTime();
            try {
                step.getValue().run(run + "-" + step.getKey());
            } catch (Throwable problem) {
                problem.printStackTrace();
                System.err.println("frameworks: FAILED: " + step.getKey() + ": " + problem);
                System.exit(1);
            }
            System.out.printf("frameworks: %s: %.1f s%n", step.getKey(), (System.nanoTime() - started) / 1e9);
        }
        System.out.println("frameworks: " + String.join(" ", steps.keySet()) + ": " + COUNT + " lines of each equal");
        System.exit(0);
    }

    static List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (int index = 0; index < COUNT; index++) {
            lines.add("line " + index + " of a log");
        }
        return lines;
    }

    static void equal(String what, Object got, Object wanted) {
        if (!wanted.equals(got)) {
            String text = String.valueOf(got);
            throw new AssertionError(what + ": other than wanted: " + text.substring(0, Math.min(300, text.length())));
        }
    }

    static Map<String, Object> producing() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "all",
            "key.serializer", StringSerializer.class, "value.serializer", StringSerializer.class));
    }

    static Map<String, Object> consuming(String group) {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", group, "auto.offset.reset", "earliest",
            "key.deserializer", StringDeserializer.class, "value.deserializer", StringDeserializer.class));
    }

    /** So many values from a queue that some other thread fills, sorted as they were written. */
    static List<String> take(BlockingQueue<String> queue) throws InterruptedException {
        List<String> got = new ArrayList<>();
        while (got.size() < COUNT) {
            String value = queue.poll(30, TimeUnit.SECONDS);
            if (value == null) {
                throw new AssertionError("only " + got.size() + " records");
            }
            got.add(value);
        }
        return sorted(got);
    }

    static List<String> sorted(List<String> values) {
        List<String> out = new ArrayList<>(values);
        Collections.sort(out);
        return out;
    }

    static void spring(String topic) throws Exception {
        try (AutoCloseable nothing = () -> { }) {
            KafkaAdmin admin = new KafkaAdmin(Map.of("bootstrap.servers", bootstrap));
            admin.createOrModifyTopics(new org.apache.kafka.clients.admin.NewTopic(topic, 3, (short) 1));
            equal("partitions", admin.describeTopics(topic).get(topic).partitions().size(), 3);
        }
        BlockingQueue<String> queue = new LinkedBlockingQueue<>();
        ContainerProperties properties = new ContainerProperties(topic);
        properties.setMessageListener((MessageListener<String, String>) record -> queue.add(record.value()));
        properties.setAckMode(ContainerProperties.AckMode.BATCH);
        ConcurrentMessageListenerContainer<String, String> container = new ConcurrentMessageListenerContainer<>(
            new DefaultKafkaConsumerFactory<>(consuming(topic)), properties);
        container.setConcurrency(2);
        container.start();
        DefaultKafkaProducerFactory<String, String> factory = new DefaultKafkaProducerFactory<>(producing());
        KafkaTemplate<String, String> template = new KafkaTemplate<>(factory);
        for (String line : lines()) {
            template.send(topic, line, line);
        }
        template.flush();
        equal("spring", take(queue), sorted(lines()));
        container.stop();
        factory.destroy();
    }

    static void reactor(String topic) throws Exception {
        KafkaSender<String, String> sender = KafkaSender.create(SenderOptions.<String, String>create(producing()));
        Long sent = sender.send(Flux.fromIterable(lines()).map(line -> SenderRecord.create(topic, 0, null, line, line, line)))
            .doOnNext(result -> {
                if (result.exception() != null) {
                    throw new IllegalStateException(result.exception());
                }
            }).count().block(Duration.ofSeconds(30));
        equal("reactor: sent", sent, (long) COUNT);
        sender.close();
        List<String> got = KafkaReceiver.create(ReceiverOptions.<String, String>create(consuming(topic))
                .subscription(List.of(topic)))
            .receive().doOnNext(record -> record.receiverOffset().acknowledge())
            .map(record -> record.value()).take(COUNT).collectList().block(Duration.ofSeconds(30));
        equal("reactor", got, lines());
    }

    static void vertx(String topic) throws Exception {
        Vertx vertx = Vertx.vertx();
        Map<String, String> producing = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "1",
            "key.serializer", StringSerializer.class.getName(), "value.serializer", StringSerializer.class.getName()));
        io.vertx.kafka.client.producer.KafkaProducer<String, String> producer =
            io.vertx.kafka.client.producer.KafkaProducer.create(vertx, producing);
        for (String line : lines()) {
            producer.write(io.vertx.kafka.client.producer.KafkaProducerRecord.create(topic, line));
        }
        producer.flush().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        Map<String, String> consuming = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", topic,
            "auto.offset.reset", "earliest", "key.deserializer", StringDeserializer.class.getName(),
            "value.deserializer", StringDeserializer.class.getName()));
        BlockingQueue<String> queue = new LinkedBlockingQueue<>();
        io.vertx.kafka.client.consumer.KafkaConsumer<String, String> consumer =
            io.vertx.kafka.client.consumer.KafkaConsumer.create(vertx, consuming);
        consumer.handler(record -> queue.add(record.value()));
        consumer.subscribe(topic);
        equal("vertx", take(queue), sorted(lines()));
        consumer.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        producer.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
        vertx.close().toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    /** All lines of a topic of one partition. */
    static List<String> read(String topic) {
        Map<String, Object> settings = consuming("reads");
        settings.put("enable.auto.commit", false);
        List<String> got = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
            TopicPartition place = new TopicPartition(topic, 0);
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            long deadline = System.currentTimeMillis() + 30_000;
            while (got.size() < COUNT && System.currentTimeMillis() < deadline) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> got.add(record.value().strip()));
            }
        }
        return got;
    }

    static void logback(String topic) {
        LoggerContext context = new LoggerContext();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%msg%n");
        encoder.start();
        KafkaAppender<ILoggingEvent> appender = new KafkaAppender<>();
        appender.setContext(context);
        appender.setEncoder(encoder);
        appender.setTopic(topic);
        appender.setKeyingStrategy(new NoKeyKeyingStrategy());
        appender.setDeliveryStrategy(new AsynchronousDeliveryStrategy());
        appender.addProducerConfig("bootstrap.servers=" + bootstrap);
        appender.start();
        Logger logger = context.getLogger("interop");
        logger.addAppender(appender);
        lines().forEach(logger::info);
        appender.stop();
        context.stop();
        equal("logback", read(topic), lines());
    }

    static void log4j(String topic) throws Exception {
        String xml = "<Configuration><Appenders><Kafka name='kafka' topic='" + topic + "' syncSend='false'>"
            + "<PatternLayout pattern='%m'/><Property name='bootstrap.servers'>" + bootstrap + "</Property></Kafka>"
            + "</Appenders><Loggers><Root level='info'><AppenderRef ref='kafka'/></Root>"
            + "<Logger name='org.apache.kafka' level='off' additivity='false'/></Loggers></Configuration>";
        // Spring has one already, with no appender.
        org.apache.logging.log4j.core.LoggerContext context = new org.apache.logging.log4j.core.LoggerContext("interop");
        context.start(new org.apache.logging.log4j.core.config.xml.XmlConfiguration(context,
            new org.apache.logging.log4j.core.config.ConfigurationSource(new java.io.ByteArrayInputStream(xml.getBytes()))));
        org.apache.logging.log4j.Logger logger = context.getLogger("interop");
        lines().forEach(logger::info);
        context.stop();
        equal("log4j", read(topic), lines());
    }
}
