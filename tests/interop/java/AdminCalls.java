import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Every method of Kafka's Admin against a broker: AdminCalls BOOTSTRAP.
 *
 * Prints what each call tells, a line for each value, with what differs from run to run masked; of an
 * exception the class. The same run against two brokers can so be compared line by line. The texts of
 * exceptions go to standard error. The broker must be fresh, and its node must be 1.
 */
public class AdminCalls {
    static final Duration PATIENCE = Duration.ofSeconds(20);
    static String prefix;
    static Admin admin;
    static final Map<String, String> masks = new LinkedHashMap<>();
    static final Set<String> called = new HashSet<>();
    /** What is different in each run; told as present only. */
    static final Set<String> CHANGING = Set.of("clusterId", "consumerId", "memberId", "leaderEpoch", "highWatermark",
        "logEndOffset", "lastFetchTimestamp", "lastCaughtUpTimestamp", "totalBytes", "usableBytes",
        "finalizedFeaturesEpoch", "producerId", "lastTimestamp", "replicaDirectoryId", "port", "clientInstanceId");
    static final Set<String> NOT_TOLD = Set.of("toString", "hashCode", "getClass", "clone", "notify", "notifyAll",
        "wait", "documentation", "size");

    interface Part {
        void play() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0];
        prefix = "t" + System.currentTimeMillis();
        masks.put(prefix, "T");
        masks.put(bootstrap, "BOOTSTRAP");
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", 3000,
            "request.timeout.ms", 2000, "client.id", "calls");
        try (Admin real = Admin.create(settings)) {
            admin = (Admin) Proxy.newProxyInstance(Admin.class.getClassLoader(), new Class<?>[] {Admin.class},
                (proxy, method, given) -> {
                    called.add(method.getName());
                    try {
                        return method.invoke(real, given);
                    } catch (InvocationTargetException problem) {
                        throw problem.getCause();
                    }
                });
            String dirs = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).keySet().iterator().next();
            masks.put(dirs, "DIR");
            Part[] parts = {AdminCalls::cluster, AdminCalls::topics, AdminCalls::partitions, AdminCalls::configs,
                AdminCalls::brokerConfigs, () -> records(bootstrap), AdminCalls::offsets, () -> logDirs(dirs),
                AdminCalls::reassignments, AdminCalls::quotas, AdminCalls::security, AdminCalls::features,
                AdminCalls::transactions, () -> groups(bootstrap), AdminCalls::otherGroups, AdminCalls::deletions,
                AdminCalls::telemetry};
            for (Part part : parts) {
                try {
                    part.play();
                } catch (Exception problem) {
                    problem.printStackTrace();
                    System.out.println("a part ended with " + problem.getClass().getSimpleName());
                }
            }
        }
        Set<String> all = new TreeSet<>();
        for (Method method : Admin.class.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers()) && !method.getName().equals("close")) {
                all.add(method.getName());
            }
        }
        all.removeAll(called);
        System.out.println("not called = " + all);
    }

    // ---- telling ----

    /** Calls, waits for all that the result promises, and prints it. */
    static void tell(String name, Callable<?> call) {
        List<String> out = new ArrayList<>();
        try {
            lines(out, name, call.call());
        } catch (Exception problem) {
            out.add(name + " = " + thrown(name, problem));
        }
        out.forEach(line -> System.out.println(masked(line)));
    }

    static String thrown(String where, Throwable problem) {
        while ((problem instanceof ExecutionException || problem instanceof InvocationTargetException)
                && problem.getCause() != null) {
            problem = problem.getCause();
        }
        System.err.println(masked(where) + " ! " + problem);
        return "! " + problem.getClass().getSimpleName();
    }

    static String masked(String text) {
        for (Map.Entry<String, String> mask : masks.entrySet()) {
            text = text.replace(mask.getKey(), mask.getValue());
        }
        return text.replaceAll("127\\.0\\.0\\.1:[0-9]+", "127.0.0.1:PORT");
    }

    static void lines(List<String> out, String path, Object value) {
        if (value instanceof KafkaFuture<?> future) {
            try {
                lines(out, path, future.get(30, TimeUnit.SECONDS));
            } catch (Exception problem) {
                out.add(path + " = " + thrown(path, problem));
            }
        } else if (value instanceof Optional<?> optional) {
            lines(out, path, optional.isPresent() ? optional.get() : "empty");
        } else if (value instanceof Map<?, ?> map && map.keySet().stream().anyMatch(Uuid.class::isInstance)) {
            lines(out, path, map.values());
        } else if (value instanceof Map<?, ?> map) {
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((key, held) -> sorted.put("" + key, held));
            if (sorted.isEmpty()) {
                out.add(path + " = {}");
            }
            sorted.forEach((key, held) -> lines(out, path + "[" + key + "]", held));
        } else if (value instanceof Collection<?> many) {
            List<List<String>> each = new ArrayList<>();
            for (Object one : many) {
                List<String> inner = new ArrayList<>();
                lines(inner, "", one);
                each.add(inner);
            }
            each.sort((left, right) -> masked(left.toString()).compareTo(masked(right.toString())));
            if (each.isEmpty()) {
                out.add(path + " = []");
            }
            each.forEach(inner -> inner.forEach(line -> out.add(path + "[]" + line)));
        } else if (value instanceof ConfigEntry entry) {
            // A line for each; this broker has some of its own.
            if (!entry.name().startsWith("millrace.")) {
                out.add(path + "." + entry.name() + " = " + entry.value() + " " + entry.source() + " " + entry.type()
                    + (entry.isReadOnly() ? " read only" : "") + (entry.isSensitive() ? " sensitive" : "")
                    + entry.synonyms().stream().map(each -> " <- " + each.name() + " " + each.value() + " " + each.source())
                        .reduce("", String::concat));
            }
        } else if (value instanceof byte[] bytes) {
            out.add(path + " = " + bytes.length + " bytes");
        } else if (value instanceof Uuid id) {
            out.add(path + " = " + (id.equals(Uuid.ZERO_UUID) ? "zero" : "<uuid>"));
        } else if (value instanceof Node node) {
            out.add(path + " = node " + node.id() + " at " + node.host() + " rack " + node.rack());
        } else if (value instanceof Long number && number > 1_600_000_000_000L && number < 4_000_000_000_000L) {
            out.add(path + " = <time>");
        } else if (value == null || value instanceof Enum || !value.getClass().getName().startsWith("org.apache.kafka.")
                || value instanceof TopicPartition || value instanceof ConfigResource
                || value instanceof ClientQuotaEntity || value instanceof Throwable) {
            out.add(path + " = " + (value instanceof Throwable problem ? thrown(path, problem) : value));
        } else {
            fields(out, path, value);
        }
    }

    static void fields(List<String> out, String path, Object value) {
        Map<String, Method> getters = new TreeMap<>();
        boolean byKey = false;
        for (Method method : value.getClass().getMethods()) {
            if (method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers())
                    && method.getReturnType() != void.class && !NOT_TOLD.contains(method.getName())) {
                getters.put(method.getName(), method);
                byKey |= method.getReturnType() == Map.class;
            }
        }
        if (byKey) {
            // With several failures `all` throws any of them.
            getters.remove("all");
        }
        for (Method method : getters.values()) {
            String where = path + "." + method.getName();
            try {
                method.setAccessible(true);
                Object held = method.invoke(value);
                boolean hidden = CHANGING.contains(method.getName());
                if (hidden && held instanceof KafkaFuture<?> future) {
                    held = future.get(30, TimeUnit.SECONDS);
                }
                if (hidden) {
                    boolean none = held == null || held.equals(Optional.empty()) || held.equals(OptionalLong.empty())
                        || held.equals(OptionalInt.empty());
                    out.add(where + " = " + (none ? "absent" : "<present>"));
                } else {
                    lines(out, where, held);
                }
            } catch (Exception problem) {
                out.add(where + " = " + thrown(where, problem));
            }
        }
    }

    static TopicPartition at(String name, int partition) {
        return new TopicPartition(prefix + name, partition);
    }

    static ConfigResource topic(String name) {
        return new ConfigResource(ConfigResource.Type.TOPIC, prefix + name);
    }

    static NewTopic fresh(String name, int partitions) {
        return new NewTopic(prefix + name, partitions, (short) 1);
    }

    // ---- the calls ----

    static void cluster() {
        tell("describeCluster", () -> admin.describeCluster());
        tell("describeCluster operations", () -> admin.describeCluster(
            new DescribeClusterOptions().includeAuthorizedOperations(true).includeFencedBrokers(true)));
        tell("listTopics none", () -> admin.listTopics());
        tell("listGroups none", () -> admin.listGroups());
        tell("listPartitionReassignments none", () -> admin.listPartitionReassignments());
    }

    static void topics() {
        create("plain", fresh("plain", 3).configs(Map.of("segment.bytes", "1048576", "cleanup.policy", "delete")));
        create("defaults", new NewTopic(prefix + "defaults", Optional.empty(), Optional.empty()));
        create("assigned", new NewTopic(prefix + "assigned", Map.of(0, List.of(1), 1, List.of(1))));
        create("again", fresh("plain", 3));
        create("two at once, one bad", fresh("good", 1), fresh("bad name", 1));
        create("twice in one", fresh("twice", 1), fresh("twice", 2));
        for (String bad : List.of("", ".", "..", "a b", "a/b", "ä", "a".repeat(250))) {
            create("name " + bad.length() + " " + bad.substring(0, Math.min(3, bad.length())),
                new NewTopic(bad, 1, (short) 1));
        }
        create("longest name", new NewTopic(prefix + "n".repeat(249 - prefix.length()), 1, (short) 1));
        create("dots", fresh("a.b", 1));
        create("dots collide", fresh("a_b", 1));
        create("two replicas", new NewTopic(prefix + "x9", 1, (short) 2));
        create("no replicas", new NewTopic(prefix + "x10", 1, (short) 0));
        create("no partitions", new NewTopic(prefix + "x11", 0, (short) 1));
        create("negative partitions", new NewTopic(prefix + "x12", -2, (short) 1));
        create("unknown config", fresh("x1", 1).configs(Map.of("no.such.config", "1")));
        create("wrong value", fresh("x2", 1).configs(Map.of("retention.ms", "soon")));
        create("value out of range", fresh("x3", 1).configs(Map.of("segment.bytes", "13")));
        create("wrong policy", fresh("x4", 1).configs(Map.of("cleanup.policy", "burn")));
        create("null value", fresh("x5", 1).configs(Collections.singletonMap("retention.ms", null)));
        create("empty policy", fresh("nopolicy", 1).configs(Map.of("cleanup.policy", "")));
        create("throttled replicas", fresh("x6", 1).configs(Map.of("leader.replication.throttled.replicas", "0:x")));
        create("remote storage", fresh("x7", 1).configs(Map.of("remote.storage.enable", "true")));
        create("unknown broker", new NewTopic(prefix + "x13", Map.of(0, List.of(7))));
        create("same broker twice", new NewTopic(prefix + "x14", Map.of(0, List.of(1, 1))));
        create("gap in assignment", new NewTopic(prefix + "x15", Map.of(1, List.of(1))));
        create("empty assignment", new NewTopic(prefix + "x16", Map.of(0, List.of())));
        create("unequal assignment", new NewTopic(prefix + "x17", Map.of(0, List.of(1), 1, List.of(1, 2))));
        create("metadata topic", new NewTopic("__cluster_metadata", 1, (short) 1));
        create("very many partitions", fresh("x8", 10_001));
        CreateTopicsOptions only = new CreateTopicsOptions().validateOnly(true);
        tell("createTopics only validated", () -> admin.createTopics(List.of(fresh("only", 2)), only));
        tell("createTopics only validated, exists", () -> admin.createTopics(List.of(fresh("plain", 2)), only));
        tell("createTopics none", () -> admin.createTopics(List.of()));
        tell("listTopics", () -> admin.listTopics());
        tell("listTopics internal", () -> admin.listTopics(new ListTopicsOptions().listInternal(true)));
        tell("describeTopics", () -> admin.describeTopics(List.of(prefix + "plain", prefix + "none", "b d", "")));
        tell("describeTopics operations", () -> admin.describeTopics(List.of(prefix + "plain", prefix + "assigned"),
            new DescribeTopicsOptions().includeAuthorizedOperations(true).partitionSizeLimitPerResponse(1)));
        tell("describeTopics none", () -> admin.describeTopics(List.of()));
        tell("describeTopics by id", () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(
            id("plain"), new Uuid(1, 2), Uuid.ZERO_UUID))));
        tell("describeTopics by id with operations", () -> admin.describeTopics(TopicCollection.ofTopicIds(
            List.of(id("plain"))), new DescribeTopicsOptions().includeAuthorizedOperations(true)));
    }

    static Uuid id(String name) throws Exception {
        return admin.describeTopics(List.of(prefix + name)).allTopicNames().get().get(prefix + name).topicId();
    }

    static void create(String what, NewTopic... topics) {
        List<String> out = new ArrayList<>();
        String path = "createTopics " + what;
        try {
            CreateTopicsResult result = admin.createTopics(Arrays.asList(topics));
            for (NewTopic topic : new ArrayList<>(Arrays.asList(topics)).subList(0,
                    Set.copyOf(Arrays.asList(topics)).size())) {
                lines(out, path + ".made[" + topic.name() + "]", result.values().get(topic.name()));
                lines(out, path + ".partitions", result.numPartitions(topic.name()));
                lines(out, path + ".replicas", result.replicationFactor(topic.name()));
                KafkaFuture<Config> config = result.config(topic.name());
                lines(out, path + ".set", config.thenApply(held -> held.entries().stream()
                    .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .map(entry -> entry.name() + "=" + entry.value()).toList()));
            }
        } catch (Exception problem) {
            out.add(path + " = " + thrown(path, problem));
        }
        out.forEach(line -> System.out.println(masked(line)));
    }

    static void partitions() {
        grow("more", "plain", NewPartitions.increaseTo(4));
        grow("as many", "plain", NewPartitions.increaseTo(4));
        grow("fewer", "plain", NewPartitions.increaseTo(2));
        grow("none", "plain", NewPartitions.increaseTo(0));
        grow("negative", "plain", NewPartitions.increaseTo(-1));
        grow("assigned", "plain", NewPartitions.increaseTo(5, List.of(List.of(1))));
        grow("assigned to nobody", "plain", NewPartitions.increaseTo(6, List.of(List.of(9))));
        grow("too few assigned", "plain", NewPartitions.increaseTo(8, List.of(List.of(1))));
        grow("two replicas", "plain", NewPartitions.increaseTo(6, List.of(List.of(1, 2))));
        grow("unknown", "none", NewPartitions.increaseTo(4));
        tell("createPartitions validated", () -> admin.createPartitions(Map.of(prefix + "plain",
            NewPartitions.increaseTo(9)), new CreatePartitionsOptions().validateOnly(true)));
        tell("createPartitions after", () -> admin.describeTopics(List.of(prefix + "plain")).allTopicNames()
            .get().get(prefix + "plain").partitions().size());
    }

    static void grow(String what, String name, NewPartitions wanted) {
        tell("createPartitions " + what, () -> admin.createPartitions(Map.of(prefix + name, wanted)));
    }

    static AlterConfigOp op(AlterConfigOp.OpType type, String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    static void alter(String what, ConfigResource resource, AlterConfigOp... ops) {
        tell("incrementalAlterConfigs " + what, () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(ops))));
    }

    /** What is set for a resource itself. */
    static void set(String what, ConfigResource resource) throws InterruptedException {
        // Apache Kafka takes a moment until a broker works by its new configuration.
        Thread.sleep(resource.type() == ConfigResource.Type.BROKER ? 1000 : 0);
        tell("set " + what, () -> admin.describeConfigs(List.of(resource)).values().get(resource)
            .thenApply(held -> held.entries().stream().filter(entry -> entry.source().name().startsWith("DYNAMIC")
                && !entry.name().equals("min.insync.replicas")).map(entry -> entry.name() + "=" + entry.value()).toList()));
    }

    static void configs() throws Exception {
        var set = AlterConfigOp.OpType.SET;
        var delete = AlterConfigOp.OpType.DELETE;
        var append = AlterConfigOp.OpType.APPEND;
        var subtract = AlterConfigOp.OpType.SUBTRACT;
        ConfigResource plain = topic("plain");
        tell("describeConfigs topic", () -> admin.describeConfigs(List.of(plain),
            new DescribeConfigsOptions().includeSynonyms(true)));
        tell("describeConfigs documented", () -> admin.describeConfigs(List.of(plain),
            new DescribeConfigsOptions().includeDocumentation(true)).all().get().get(plain).entries().stream()
            .filter(entry -> !entry.name().startsWith("millrace."))
            .filter(entry -> entry.documentation() == null || entry.documentation().isEmpty())
            .map(ConfigEntry::name).toList());
        tell("describeConfigs unknown", () -> admin.describeConfigs(List.of(topic("none"))));
        tell("describeConfigs bad name", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.TOPIC, "a b"))));
        tell("describeConfigs empty name", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.TOPIC, ""))));
        tell("describeConfigs of unknown type", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.UNKNOWN, "x"))));
        tell("describeConfigs none", () -> admin.describeConfigs(List.of()));
        alter("set", plain, op(set, "retention.ms", "1000000"), op(set, "max.message.bytes", "123456"));
        set("after set", plain);
        alter("append", plain, op(append, "cleanup.policy", "compact"));
        set("after append", plain);
        alter("append again", plain, op(append, "cleanup.policy", "compact,delete"));
        set("after append again", plain);
        alter("subtract", plain, op(subtract, "cleanup.policy", "delete"));
        set("after subtract", plain);
        alter("subtract what is not there", plain, op(subtract, "cleanup.policy", "delete"));
        set("after that", plain);
        alter("subtract the last", plain, op(subtract, "cleanup.policy", "compact"));
        set("after the last", plain);
        alter("append a wrong one", plain, op(append, "cleanup.policy", "burn"));
        alter("append to a number", plain, op(append, "retention.ms", "5"));
        alter("subtract from a number", plain, op(subtract, "retention.ms", "5"));
        alter("delete", plain, op(delete, "cleanup.policy", ""), op(delete, "retention.ms", null));
        set("after delete", plain);
        alter("delete what is not set", plain, op(delete, "flush.ms", ""));
        alter("delete what is unknown", plain, op(delete, "no.such.config", ""));
        alter("set to null", plain, op(set, "retention.ms", null));
        alter("set to nothing", plain, op(set, "retention.ms", ""));
        alter("set and delete", plain, op(set, "flush.ms", "5"), op(delete, "flush.ms", ""));
        alter("set twice", plain, op(set, "flush.ms", "5"), op(set, "flush.ms", "6"));
        alter("unknown", plain, op(set, "no.such.config", "1"));
        alter("wrong value", plain, op(set, "retention.ms", "soon"));
        alter("out of range", plain, op(set, "min.cleanable.dirty.ratio", "2"));
        alter("spaces", plain, op(set, "retention.ms", " 77 "));
        set("after spaces", plain);
        alter("no ops", plain);
        alter("unknown topic", topic("none"), op(set, "retention.ms", "5"));
        alter("bad topic", new ConfigResource(ConfigResource.Type.TOPIC, "a b"), op(set, "retention.ms", "5"));
        alter("message format", plain, op(set, "message.format.version", "2.8"));
        alter("timestamps", plain, op(set, "message.timestamp.type", "Sometimes"));
        alter("retention below local", plain, op(set, "local.retention.bytes", "5000"), op(set, "retention.bytes", "4000"));
        alter("remote", plain, op(set, "remote.storage.enable", "true"));
        alter("throttled", plain, op(set, "leader.replication.throttled.replicas", "*"));
        alter("throttled more", plain, op(append, "leader.replication.throttled.replicas", "0:1"));
        set("after throttled", plain);
        alter("not throttled", plain, op(delete, "leader.replication.throttled.replicas", ""));
        tell("incrementalAlterConfigs validated", () -> admin.incrementalAlterConfigs(Map.of(plain,
            List.of(op(set, "flush.ms", "5"))), new AlterConfigsOptions().validateOnly(true)));
        tell("incrementalAlterConfigs several", () -> admin.incrementalAlterConfigs(Map.of(
            topic("good"), List.of(op(set, "flush.ms", "5")), topic("none"), List.of(op(set, "flush.ms", "5")),
            topic("defaults"), List.of(op(set, "flush.ms", "often")))));
        set("after several", topic("good"));
    }

    static void brokerConfigs() throws Exception {
        var set = AlterConfigOp.OpType.SET;
        var delete = AlterConfigOp.OpType.DELETE;
        var append = AlterConfigOp.OpType.APPEND;
        ConfigResource node = new ConfigResource(ConfigResource.Type.BROKER, "1");
        ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
        tell("describeConfigs broker", () -> admin.describeConfigs(List.of(node)));
        tell("describeConfigs all brokers", () -> admin.describeConfigs(List.of(all)));
        tell("describeConfigs other broker", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.BROKER, "7"))));
        tell("describeConfigs no broker", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.BROKER, "one"))));
        alter("broker", node, op(set, "log.cleaner.threads", "2"));
        set("broker", node);
        alter("broker, too many", node, op(set, "log.cleaner.threads", "100"));
        alter("broker, read only", node, op(set, "log.dirs", "/tmp"));
        alter("broker, unknown", node, op(set, "no.such.config", "1"));
        alter("broker, wrong", node, op(set, "log.cleaner.threads", "many"));
        alter("broker, of the cluster", node, op(set, "log.retention.ms", "many"));
        alter("broker, list", node, op(append, "log.cleanup.policy", "compact"));
        set("broker, list", node);
        alter("broker, back", node, op(delete, "log.cleaner.threads", ""), op(delete, "log.cleanup.policy", ""));
        set("broker, back", node);
        alter("all brokers", all, op(set, "message.max.bytes", "2000000"));
        set("all brokers", all);
        tell("describeConfigs topic beneath", () -> admin.describeConfigs(List.of(topic("good")),
            new DescribeConfigsOptions().includeSynonyms(true)).all().get().get(topic("good")).get("max.message.bytes"));
        alter("all brokers, per broker", all, op(set, "advertised.listeners", "PLAINTEXT://x:1"));
        alter("all brokers, back", all, op(delete, "message.max.bytes", ""));
        set("all brokers, back", all);
        alter("other broker", new ConfigResource(ConfigResource.Type.BROKER, "7"), op(set, "log.cleaner.threads", "2"));
        alter("no broker", new ConfigResource(ConfigResource.Type.BROKER, "one"), op(set, "log.cleaner.threads", "2"));
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, prefix + "g");
        tell("describeConfigs group", () -> admin.describeConfigs(List.of(group)));
        alter("group", group, op(set, "consumer.session.timeout.ms", "50000"));
        alter("group, out of range", group, op(set, "consumer.session.timeout.ms", "5"));
        alter("group, unknown", group, op(set, "retention.ms", "5"));
        set("group", group);
        alter("group without a name", new ConfigResource(ConfigResource.Type.GROUP, ""),
            op(set, "consumer.session.timeout.ms", "50000"));
        ConfigResource metrics = new ConfigResource(ConfigResource.Type.CLIENT_METRICS, prefix + "m");
        tell("describeConfigs metrics", () -> admin.describeConfigs(List.of(metrics)));
        alter("metrics", metrics, op(set, "interval.ms", "1000"), op(set, "metrics", "org.apache."),
            op(append, "match", "client_id=.*"));
        alter("metrics, out of range", metrics, op(set, "interval.ms", "1"));
        alter("metrics, wrong match", metrics, op(set, "match", "colour=red"));
        set("metrics", metrics);
        tell("listConfigResources", () -> admin.listConfigResources());
        for (ConfigResource.Type type : ConfigResource.Type.values()) {
            tell("listConfigResources " + type, () -> admin.listConfigResources(Set.of(type),
                new ListConfigResourcesOptions()));
        }
        tell("listClientMetricsResources", () -> admin.listClientMetricsResources());
        alter("metrics, back", metrics, op(delete, "interval.ms", ""), op(delete, "metrics", ""), op(delete, "match", ""));
        tell("listClientMetricsResources none", () -> admin.listClientMetricsResources());
        tell("describeConfigs logger", () -> admin.describeConfigs(List.of(
            new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "1"))).all().get().size());
        alter("logger", new ConfigResource(ConfigResource.Type.BROKER_LOGGER, "1"), op(set, "no.such.logger", "LOUD"));
    }

    static void records(String bootstrap) throws Exception {
        // The times of the records are old ones.
        alter("kept", topic("plain"), op(AlterConfigOp.OpType.SET, "retention.ms", "-1"));
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "linger.ms", 0);
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            long[] times = {1000, 3000, 2000, 3000, 500};
            for (long time : times) {
                producer.send(new ProducerRecord<>(prefix + "plain", 0, time, null, new byte[100])).get();
            }
            for (int index = 0; index < 20; index++) {
                producer.send(new ProducerRecord<>(prefix + "assigned", 0, null, null, new byte[100])).get();
            }
            tell("describeProducers", () -> admin.describeProducers(List.of(at("assigned", 0), at("plain", 1))));
        }
        tell("describeProducers unknown", () -> admin.describeProducers(List.of(at("none", 0))));
        tell("describeProducers partition", () -> admin.describeProducers(List.of(at("plain", 99))));
        tell("describeProducers at broker", () -> admin.describeProducers(List.of(at("good", 0)),
            new DescribeProducersOptions().brokerId(1)).all());
    }

    static void offsets() {
        Map<String, OffsetSpec> specs = new LinkedHashMap<>();
        specs.put("earliest", OffsetSpec.earliest());
        specs.put("latest", OffsetSpec.latest());
        specs.put("maxTimestamp", OffsetSpec.maxTimestamp());
        specs.put("earliestLocal", OffsetSpec.earliestLocal());
        specs.put("latestTiered", OffsetSpec.latestTiered());
        specs.put("earliestPendingUpload", OffsetSpec.earliestPendingUpload());
        for (long time : new long[] {0, 500, 1000, 1001, 2500, 3000, 3001, -7}) {
            specs.put("at " + time, OffsetSpec.forTimestamp(time));
        }
        specs.forEach((name, spec) -> {
            list(name, "plain", 0, spec);
            list(name + " of empty", "plain", 1, spec);
            for (IsolationLevel level : IsolationLevel.values()) {
                tell("listOffsets " + name + " " + level, () -> admin.listOffsets(Map.of(at("plain", 0), spec),
                    new ListOffsetsOptions(level)).partitionResult(at("plain", 0)));
            }
        });
        list("latest of unknown partition", "plain", 99, OffsetSpec.latest());
        list("latest of unknown topic", "none", 0, OffsetSpec.latest());
        tell("listOffsets none", () -> admin.listOffsets(Map.of()));
        delete("some", "plain", 0, 2);
        delete("fewer", "plain", 0, 1);
        delete("none", "plain", 0, 0);
        delete("too many", "plain", 0, 100);
        delete("negative", "plain", 0, -5);
        specs.forEach((name, spec) -> list(name + " after deletion", "plain", 0, spec));
        delete("all", "plain", 0, -1);
        specs.forEach((name, spec) -> list(name + " of all deleted", "plain", 0, spec));
        delete("of empty", "plain", 1, 0);
        delete("of empty, all", "plain", 1, -1);
        delete("unknown partition", "plain", 99, 1);
        delete("unknown topic", "none", 0, 1);
        tell("deleteRecords two", () -> admin.deleteRecords(Map.of(at("assigned", 0), RecordsToDelete.beforeOffset(3),
            at("assigned", 1), RecordsToDelete.beforeOffset(3))));
    }

    static void list(String what, String name, int partition, OffsetSpec spec) {
        tell("listOffsets " + what, () -> admin.listOffsets(Map.of(at(name, partition), spec))
            .partitionResult(at(name, partition)));
    }

    static void delete(String what, String name, int partition, long offset) {
        tell("deleteRecords " + what, () -> admin.deleteRecords(Map.of(at(name, partition),
            RecordsToDelete.beforeOffset(offset))));
    }

    static void logDirs(String dir) {
        tell("describeLogDirs", () -> admin.describeLogDirs(List.of(1)));
        tell("describeLogDirs unknown broker", () -> admin.describeLogDirs(List.of(7)));
        tell("describeReplicaLogDirs", () -> admin.describeReplicaLogDirs(List.of(
            new TopicPartitionReplica(prefix + "plain", 0, 1), new TopicPartitionReplica(prefix + "none", 0, 1),
            new TopicPartitionReplica(prefix + "plain", 99, 1))).values().values());
        move("where it is", "plain", 0, 1, dir);
        move("nowhere", "plain", 0, 1, "/no/such/dir");
        move("not absolute", "plain", 0, 1, "dir");
        move("unknown partition", "plain", 99, 1, dir);
        move("unknown topic", "none", 0, 1, dir);
        move("unknown broker", "plain", 0, 7, dir);
    }

    static void move(String what, String name, int partition, int node, String dir) {
        tell("alterReplicaLogDirs " + what, () -> admin.alterReplicaLogDirs(Map.of(
            new TopicPartitionReplica(prefix + name, partition, node), dir)).values().values());
    }

    static void reassignments() {
        tell("electLeaders preferred", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(at("plain", 0),
            at("plain", 99), at("none", 0))).partitions());
        tell("electLeaders unclean", () -> admin.electLeaders(ElectionType.UNCLEAN, Set.of(at("plain", 0),
            at("plain", 99), at("none", 0))).partitions());
        tell("electLeaders all preferred", () -> admin.electLeaders(ElectionType.PREFERRED, null).partitions());
        tell("electLeaders all unclean", () -> admin.electLeaders(ElectionType.UNCLEAN, null).partitions());
        reassign("here", "plain", 0, 1);
        reassign("elsewhere", "plain", 0, 2);
        reassign("here and elsewhere", "plain", 0, 1, 2);
        reassign("twice here", "plain", 0, 1, 1);
        reassign("unknown partition", "plain", 99, 1);
        reassign("unknown topic", "none", 0, 1);
        tell("alterPartitionReassignments cancelled", () -> admin.alterPartitionReassignments(Map.of(
            at("plain", 0), Optional.empty())));
        tell("alterPartitionReassignments none", () -> admin.alterPartitionReassignments(Map.of()));
        tell("listPartitionReassignments", () -> admin.listPartitionReassignments(Set.of(at("plain", 0))));
        tell("listPartitionReassignments unknown", () -> admin.listPartitionReassignments(
            Set.of(at("none", 0), at("plain", 99))));
    }

    static void reassign(String what, String name, int partition, Integer... nodes) {
        tell("alterPartitionReassignments " + what, () -> admin.alterPartitionReassignments(Map.of(
            at(name, partition), Optional.of(new NewPartitionReassignment(List.of(nodes))))));
    }

    static ClientQuotaEntity entity(String... pairs) {
        Map<String, String> out = new HashMap<>();
        for (int index = 0; index < pairs.length; index += 2) {
            out.put(pairs[index], pairs[index + 1]);
        }
        return new ClientQuotaEntity(out);
    }

    static void quota(String what, ClientQuotaEntity entity, String key, Double value) {
        tell("alterClientQuotas " + what, () -> admin.alterClientQuotas(List.of(
            new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op(key, value))))));
    }

    static void quotas() {
        quota("client", entity("client-id", prefix + "c"), "producer_byte_rate", 1e6);
        quota("all clients", entity("client-id", null), "request_percentage", 500.0);
        quota("user", entity("user", prefix + "u"), "consumer_byte_rate", 2e6);
        quota("user and client", entity("user", prefix + "u", "client-id", null), "controller_mutation_rate", 9.5);
        quota("ip", entity("ip", "192.0.2.1"), "connection_creation_rate", 5.0);
        quota("all ips", entity("ip", null), "connection_creation_rate", 50.0);
        quota("ip that is none", entity("ip", "not an address"), "connection_creation_rate", 5.0);
        quota("ip and user", entity("ip", "192.0.2.1", "user", "u"), "connection_creation_rate", 5.0);
        quota("unknown kind", entity("planet", "earth"), "producer_byte_rate", 5.0);
        quota("unknown key", entity("user", "u"), "colour", 5.0);
        quota("key of another kind", entity("ip", "192.0.2.1"), "producer_byte_rate", 5.0);
        quota("negative", entity("user", "u"), "producer_byte_rate", -1.0);
        quota("zero", entity("user", "u"), "producer_byte_rate", 0.0);
        quota("fraction", entity("user", "u"), "producer_byte_rate", 0.5);
        quota("not there", entity("user", "nobody"), "producer_byte_rate", null);
        quota("nothing", entity(), "producer_byte_rate", 1.0);
        quota("empty name", entity("user", ""), "producer_byte_rate", 1.0);
        tell("alterClientQuotas validated", () -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(
            entity("user", "v"), List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 5.0)))),
            new AlterClientQuotasOptions().validateOnly(true)));
        tell("describeClientQuotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()));
        ask("user", ClientQuotaFilterComponent.ofEntity("user", prefix + "u"));
        ask("default client", ClientQuotaFilterComponent.ofDefaultEntity("client-id"));
        ask("any ip", ClientQuotaFilterComponent.ofEntityType("ip"));
        ask("user and client", ClientQuotaFilterComponent.ofEntityType("user"),
            ClientQuotaFilterComponent.ofEntityType("client-id"));
        ask("unknown kind", ClientQuotaFilterComponent.ofEntityType("planet"));
        ask("twice", ClientQuotaFilterComponent.ofEntityType("user"), ClientQuotaFilterComponent.ofEntityType("user"));
        ask("ip and user", ClientQuotaFilterComponent.ofEntityType("ip"), ClientQuotaFilterComponent.ofEntityType("user"));
        quota("all clients, back", entity("client-id", null), "request_percentage", null);
        quota("all ips, back", entity("ip", null), "connection_creation_rate", null);
    }

    static void ask(String what, ClientQuotaFilterComponent... components) {
        tell("describeClientQuotas " + what, () -> admin.describeClientQuotas(ClientQuotaFilter.contains(List.of(components))));
        tell("describeClientQuotas only " + what, () -> admin.describeClientQuotas(
            ClientQuotaFilter.containsOnly(List.of(components))));
    }

    /** Apache Kafka takes a moment until it tells what it has just been told. */
    static void settle() throws InterruptedException {
        Thread.sleep(1500);
    }

    static void security() throws Exception {
        AclBinding binding = new AclBinding(new ResourcePattern(ResourceType.TOPIC, prefix + "plain", PatternType.LITERAL),
            new AccessControlEntry("User:a", "*", AclOperation.READ, AclPermissionType.ALLOW));
        tell("describeAcls", () -> admin.describeAcls(AclBindingFilter.ANY));
        tell("createAcls", () -> admin.createAcls(List.of(binding)).values().values());
        tell("deleteAcls", () -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).values().values());
        tell("createDelegationToken", () -> admin.createDelegationToken());
        tell("renewDelegationToken", () -> admin.renewDelegationToken(new byte[8]));
        tell("expireDelegationToken", () -> admin.expireDelegationToken(new byte[8]));
        tell("describeDelegationToken", () -> admin.describeDelegationToken());
        tell("describeUserScramCredentials", () -> admin.describeUserScramCredentials().all());
        tell("describeUserScramCredentials unknown", () -> admin.describeUserScramCredentials(List.of("nobody"))
            .description("nobody"));
        tell("alterUserScramCredentials delete", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialDeletion("nobody", ScramMechanism.SCRAM_SHA_256))));
        tell("alterUserScramCredentials weak", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("a", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 7), "secret"))));
        tell("alterUserScramCredentials nameless", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret"))));
        tell("alterUserScramCredentials", () -> admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("a", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret"))));
        settle();
        tell("describeUserScramCredentials all", () -> admin.describeUserScramCredentials().all());
    }

    static void features() {
        tell("describeFeatures", () -> admin.describeFeatures());
        tell("describeFeatures of the node", () -> admin.describeFeatures(new DescribeFeaturesOptions().nodeId(1)));
        update("unknown", "no.such.feature", 1, FeatureUpdate.UpgradeType.UPGRADE, false);
        update("too high", "metadata.version", 999, FeatureUpdate.UpgradeType.UPGRADE, false);
        update("down without leave", "group.version", 0, FeatureUpdate.UpgradeType.UPGRADE, false);
        update("down, validated", "group.version", 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE, true);
        update("the same", "group.version", 1, FeatureUpdate.UpgradeType.UPGRADE, false);
        update("metadata far down", "metadata.version", 1, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE, false);
        update("metadata to nothing", "metadata.version", 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE, false);
        tell("updateFeatures none", () -> admin.updateFeatures(Map.of(), new UpdateFeaturesOptions()));
        tell("describeMetadataQuorum", () -> admin.describeMetadataQuorum());
        tell("unregisterBroker unknown", () -> admin.unregisterBroker(7));
        tell("unregisterBroker negative", () -> admin.unregisterBroker(-1));
        tell("addRaftVoter", () -> admin.addRaftVoter(7, new Uuid(1, 2), Set.of(
            new RaftVoterEndpoint("CONTROLLER", "127.0.0.1", 1))));
        tell("removeRaftVoter", () -> admin.removeRaftVoter(7, new Uuid(1, 2)));
    }

    static void update(String what, String feature, int level, FeatureUpdate.UpgradeType type, boolean only) {
        tell("updateFeatures " + what, () -> admin.updateFeatures(Map.of(feature, new FeatureUpdate((short) level, type)),
            new UpdateFeaturesOptions().validateOnly(only)));
    }

    static void transactions() {
        tell("listTransactions", () -> admin.listTransactions());
        tell("listTransactions filtered", () -> admin.listTransactions(new ListTransactionsOptions()
            .filterStates(Set.of(TransactionState.ONGOING)).filterProducerIds(Set.of(1L)).filterOnDuration(5)));
        tell("listTransactions pattern", () -> admin.listTransactions(new ListTransactionsOptions()
            .filterOnTransactionalIdPattern("a.*")));
        tell("listTransactions wrong pattern", () -> admin.listTransactions(new ListTransactionsOptions()
            .filterOnTransactionalIdPattern("(a")));
        tell("describeTransactions", () -> admin.describeTransactions(List.of(prefix + "x")).description(prefix + "x"));
        tell("abortTransaction", () -> admin.abortTransaction(new AbortTransactionSpec(at("plain", 0), 5, (short) 0, 0)));
        tell("abortTransaction unknown", () -> admin.abortTransaction(
            new AbortTransactionSpec(at("none", 0), 5, (short) 0, 0)));
        tell("fenceProducers", () -> admin.fenceProducers(List.of(prefix + "x")).fencedProducers().values());
        tell("forceTerminateTransaction", () -> admin.forceTerminateTransaction(prefix + "y"));
    }

    static KafkaConsumer<byte[], byte[]> member(String bootstrap, String protocol, String group, String instance) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", prefix + group,
            "group.protocol", protocol, "client.id", "member-" + instance, "auto.offset.reset", "earliest",
            "enable.auto.commit", "false", "group.instance.id", instance));
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(prefix + "assigned"));
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (consumer.assignment().size() < 2 && System.nanoTime() < end) {
            consumer.poll(Duration.ofMillis(200));
        }
        consumer.commitSync(Map.of(at("assigned", 0), new OffsetAndMetadata(7, Optional.of(0), "note")));
        return consumer;
    }

    static void groups(String bootstrap) {
        for (String protocol : List.of("classic", "consumer")) {
            try (KafkaConsumer<byte[], byte[]> consumer = member(bootstrap, protocol, protocol, "i-" + protocol)) {
                group(protocol + " alive", prefix + protocol);
                listing(protocol + " alive");
                String group = prefix + protocol;
                tell(protocol + " alive alterConsumerGroupOffsets", () -> admin.alterConsumerGroupOffsets(group,
                    Map.of(at("assigned", 0), new OffsetAndMetadata(3))).partitionResult(at("assigned", 0)));
                tell(protocol + " alive deleteConsumerGroupOffsets", () -> admin.deleteConsumerGroupOffsets(group,
                    Set.of(at("assigned", 0))).partitionResult(at("assigned", 0)));
                tell(protocol + " alive deleteConsumerGroupOffsets of others", () -> admin.deleteConsumerGroupOffsets(group,
                    Set.of(at("plain", 0))).partitionResult(at("plain", 0)));
                tell(protocol + " alive deleteConsumerGroups", () -> admin.deleteConsumerGroups(List.of(group)));
                tell(protocol + " alive removeMembers nobody", () -> admin.removeMembersFromConsumerGroup(group,
                    new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody"))))
                    .memberResult(new MemberToRemove("nobody")));
                tell(protocol + " alive removeMembers", () -> admin.removeMembersFromConsumerGroup(group,
                    new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("i-" + protocol)))).all());
                tell(protocol + " removeMembers all of nobody", () -> admin.removeMembersFromConsumerGroup(group,
                    new RemoveMembersFromConsumerGroupOptions()).all());
            }
        }
        for (String protocol : List.of("classic", "consumer")) {
            String group = prefix + protocol;
            group(protocol + " empty", group);
            listing(protocol + " empty");
            TopicPartition place = at("assigned", 1);
            for (Map.Entry<String, TopicPartition> to : new TreeMap<>(Map.of("ok", place, "unknown partition",
                    at("assigned", 99), "unknown topic", at("none", 0))).entrySet()) {
                tell(protocol + " alterConsumerGroupOffsets " + to.getKey(), () -> admin.alterConsumerGroupOffsets(group,
                    Map.of(to.getValue(), new OffsetAndMetadata(4, Optional.empty(), ""))).partitionResult(to.getValue()));
                tell(protocol + " deleteConsumerGroupOffsets " + to.getKey(), () -> admin.deleteConsumerGroupOffsets(group,
                    Set.of(to.getValue())).partitionResult(to.getValue()));
            }
            tell(protocol + " alterConsumerGroupOffsets far away", () -> admin.alterConsumerGroupOffsets(group,
                Map.of(place, new OffsetAndMetadata(Long.MAX_VALUE, Optional.of(5), "x".repeat(4096)))).partitionResult(place));
            tell(protocol + " alterConsumerGroupOffsets long note", () -> admin.alterConsumerGroupOffsets(group,
                Map.of(place, new OffsetAndMetadata(1, Optional.empty(), "x".repeat(4097)))).partitionResult(place));
            tell(protocol + " alterConsumerGroupOffsets two", () -> admin.alterConsumerGroupOffsets(group,
                Map.of(place, new OffsetAndMetadata(1), at("plain", 0), new OffsetAndMetadata(0))).all());
            tell(protocol + " listConsumerGroupOffsets", () -> admin.listConsumerGroupOffsets(group).all());
            tell(protocol + " listConsumerGroupOffsets stable", () -> admin.listConsumerGroupOffsets(Map.of(group,
                new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(place, at("plain", 3), at("none", 0)))),
                new ListConsumerGroupOffsetsOptions().requireStable(true)).all());
        }
        tell("listConsumerGroupOffsets unknown", () -> admin.listConsumerGroupOffsets(prefix + "nogroup").all());
        tell("alterConsumerGroupOffsets new group", () -> admin.alterConsumerGroupOffsets(prefix + "simple",
            Map.of(at("plain", 0), new OffsetAndMetadata(3))).all());
        group("simple", prefix + "simple");
        listing("with simple");
        tell("alterConsumerGroupOffsets no group", () -> admin.alterConsumerGroupOffsets("",
            Map.of(at("plain", 0), new OffsetAndMetadata(3))).all());
        tell("deleteConsumerGroupOffsets unknown group", () -> admin.deleteConsumerGroupOffsets(prefix + "nogroup",
            Set.of(at("plain", 0))).all());
        tell("removeMembers unknown group", () -> admin.removeMembersFromConsumerGroup(prefix + "nogroup",
            new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody"))))
            .memberResult(new MemberToRemove("nobody")));
        tell("removeMembers all of unknown group", () -> admin.removeMembersFromConsumerGroup(prefix + "nogroup",
            new RemoveMembersFromConsumerGroupOptions()).all());
        group("unknown", prefix + "nogroup");
        group("nameless", "");
        tell("deleteConsumerGroups", () -> admin.deleteConsumerGroups(List.of(prefix + "classic", prefix + "consumer",
            prefix + "simple", prefix + "nogroup", "")));
        listing("after deletion");
    }

    static void group(String what, String group) {
        tell(what + " describeConsumerGroups", () -> admin.describeConsumerGroups(List.of(group),
            new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)));
        tell(what + " describeClassicGroups", () -> admin.describeClassicGroups(List.of(group)));
        tell(what + " describeShareGroups", () -> admin.describeShareGroups(List.of(group)));
        tell(what + " describeStreamsGroups", () -> admin.describeStreamsGroups(List.of(group)));
    }

    static void listing(String what) {
        tell(what + " listGroups", () -> admin.listGroups().all());
        tell(what + " listConsumerGroups", () -> admin.listConsumerGroups().all());
        for (GroupType type : GroupType.values()) {
            tell(what + " listGroups " + type, () -> admin.listGroups(new ListGroupsOptions()
                .withTypes(Set.of(type))).all());
        }
        for (GroupState state : GroupState.values()) {
            tell(what + " listGroups " + state, () -> admin.listGroups(new ListGroupsOptions()
                .inGroupStates(Set.of(state))).all());
        }
        tell(what + " listGroups for consumers", () -> admin.listGroups(ListGroupsOptions.forConsumerGroups()).all());
        tell(what + " listGroups protocol", () -> admin.listGroups(new ListGroupsOptions()
            .withProtocolTypes(Set.of("", "consumer"))).all());
        tell(what + " listGroups other protocol", () -> admin.listGroups(new ListGroupsOptions()
            .withProtocolTypes(Set.of("connect"))).all());
    }

    static void otherGroups() {
        String group = prefix + "share";
        TopicPartition place = at("plain", 0);
        tell("alterShareGroupOffsets", () -> admin.alterShareGroupOffsets(group, Map.of(place, 1L)).all());
        tell("listShareGroupOffsets", () -> admin.listShareGroupOffsets(Map.of(group,
            new ListShareGroupOffsetsSpec())).all());
        tell("deleteShareGroupOffsets", () -> admin.deleteShareGroupOffsets(group, Set.of(prefix + "plain")).all());
        tell("deleteShareGroups", () -> admin.deleteShareGroups(List.of(group)).all());
        tell("alterStreamsGroupOffsets", () -> admin.alterStreamsGroupOffsets(prefix + "streams",
            Map.of(place, new OffsetAndMetadata(1))).all());
        tell("listStreamsGroupOffsets", () -> admin.listStreamsGroupOffsets(Map.of(prefix + "streams",
            new ListStreamsGroupOffsetsSpec())).all());
        tell("deleteStreamsGroupOffsets", () -> admin.deleteStreamsGroupOffsets(prefix + "streams", Set.of(place)).all());
        tell("deleteStreamsGroups", () -> admin.deleteStreamsGroups(List.of(prefix + "streams")).all());
    }

    static void deletions() throws Exception {
        tell("deleteTopics", () -> admin.deleteTopics(List.of(prefix + "good", prefix + "none")));
        tell("deleteTopics by id", () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(
            id("assigned"), new Uuid(1, 2)))).topicIdValues());
        tell("deleteTopics bad names", () -> admin.deleteTopics(List.of("a b", "")));
        tell("deleteTopics none", () -> admin.deleteTopics(List.of()));
        tell("deleteTopics metadata", () -> admin.deleteTopics(List.of("__cluster_metadata")));
        create("after deletion", fresh("good", 2));
        settle();
        tell("describeTopics after deletion", () -> admin.describeTopics(List.of(prefix + "good", prefix + "assigned")));
    }

    static void telemetry() {
        tell("clientInstanceId", () -> admin.clientInstanceId(Duration.ofSeconds(5)).equals(Uuid.ZERO_UUID));
        tell("metrics", () -> admin.metrics().isEmpty());
        tell("registerMetricForSubscription", () -> {
            var metric = admin.metrics().values().iterator().next();
            admin.registerMetricForSubscription((org.apache.kafka.common.metrics.KafkaMetric) metric);
            admin.unregisterMetricFromSubscription((org.apache.kafka.common.metrics.KafkaMetric) metric);
            return "done";
        });
    }
}
