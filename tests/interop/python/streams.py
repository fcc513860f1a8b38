"""A word count with Kafka Streams: `streams.py`.

Two instances of `java/WordCount.java` share the work. Without trouble every word's last count is
the true one; after an instance was killed, and after the broker was, it is at least that
(at_least_once). Streams makes its own topics and deletes records behind itself in one of them. See
`broker.py` for the environment.
"""

import collections
import os
import random
import shutil
import signal
import struct
import subprocess

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
)

from broker import Broker, INTEROP, Process, Steps, java, javac, run, wait

APPLICATION = "word-count"
LINES = f"{APPLICATION}-lines"
COUNTS = f"{APPLICATION}-counts"
REPARTITION = f"{APPLICATION}-words-repartition"
CHANGELOG = f"{APPLICATION}-counts-changelog"
PARTITIONS = 4
WORDS = [f"word{index}" for index in range(200)]


class Instance:
    def __init__(self, folder, broker, number):
        self.folder = folder
        self.state = os.path.join(folder, f"state-{number}")
        self.number = number
        self.broker = broker
        self.start()

    def start(self):
        self.process = Process(
            f"instance-{self.number}",
            java("WordCount", self.broker.bootstrap, APPLICATION, self.state,
                 classes=os.path.join(self.folder, "classes")), self.folder)

    def is_running(self):
        states = [it for it in self.process.lines() if it.startswith("state ")]
        return states[-1:] == ["state RUNNING"]

    def restored(self):
        return sum(int(it.split()[1]) for it in self.process.lines() if it.startswith("restored "))


class Text:
    """The lines that were written, and the counts that are read."""

    def __init__(self, broker):
        self.broker = broker
        self.random = random.Random(11)
        self.true = collections.Counter()
        self.seen = {}
        self.consumer = None

    def write(self, checks, lines, while_down=lambda: None):
        failures = []
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "enable.idempotence": True,
                             "log_level": 0})
        for index in range(lines):
            words = self.random.choices(WORDS, k=8)
            self.true.update(words)
            producer.produce(LINES, key=b"%d" % index, value=" ".join(words),
                             on_delivery=lambda error, _: error and failures.append(error))
            producer.poll(0)
            if index == lines // 2:
                while_down()
        checks.equal("lines unsent", producer.flush(60), 0)
        checks.equal("lines that failed", failures, [])

    def counts(self):
        """Each word's last count."""
        if self.consumer is None:
            self.consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "reads",
                                      "log_level": 0})
            self.consumer.assign([TopicPartition(COUNTS, it, 0) for it in range(PARTITIONS)])
        while True:
            messages = self.consumer.consume(5000, 0.3)
            if not messages:
                return self.seen
            for message in messages:
                if not message.error():
                    self.seen[message.key().decode()] = struct.unpack(">q", message.value())[0]

    def are_right(self):
        return self.counts() == self.true

    def are_enough(self):
        counts = self.counts()
        return all(counts.get(word, 0) >= count for word, count in self.true.items())


def own_topics(checks, admin):
    topics = admin.list_topics(timeout=30).topics
    wanted = {
        REPARTITION: {"cleanup.policy": "delete", "retention.ms": "-1", "segment.bytes": "52428800",
                      "message.timestamp.type": "CreateTime"},
        CHANGELOG: {"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"},
    }
    for name, configs in wanted.items():
        checks.equal(f"partitions of {name}", len(topics[name].partitions), PARTITIONS)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        found = admin.describe_configs([resource])[resource].result(30)
        checks.equal(f"configs of {name}", {it: found[it].value for it in configs}, configs)


def offsets(admin, topic, spec):
    found = admin.list_offsets({TopicPartition(topic, it): spec for it in range(PARTITIONS)})
    return [found[place].result(30).offset for place in sorted(found, key=lambda it: it.partition)]


def purged(admin):
    """Streams deleted what it had processed of the repartition topic."""
    ends = offsets(admin, REPARTITION, OffsetSpec.latest())
    return sum(ends) > 0 and offsets(admin, REPARTITION, OffsetSpec.earliest()) == ends


def committed(broker):
    found = broker.committed(APPLICATION)
    return [found.get((LINES, it)) for it in range(PARTITIONS)]


def both_run(checks, what, instances):
    wait(checks, f"{what}: both run", lambda: all(it.is_running() for it in instances))


def without_trouble(checks, broker, admin, text, instances):
    text.write(checks, 1500)
    both_run(checks, "first", instances)
    wait(checks, "first: the counts are right", text.are_right)
    text.write(checks, 500)
    wait(checks, "second: the counts are right", text.are_right)
    own_topics(checks, admin)
    wait(checks, "processed records are deleted", lambda: purged(admin))
    wait(checks, "everything is committed",
         lambda: committed(broker) == offsets(admin, LINES, OffsetSpec.latest()))


def an_instance_dies(checks, text, instances):
    instances[1].process.end(signal.SIGKILL)
    before = instances[0].restored()
    text.write(checks, 500)
    wait(checks, "the other instance counts on", text.are_enough)
    checks.true("it restored counts from the changelog", instances[0].restored() > before)
    shutil.rmtree(instances[1].state)
    instances[1].start()
    both_run(checks, "with the instance back", instances)
    wait(checks, "it restored counts, too", lambda: instances[1].restored() > 0)
    text.write(checks, 500)
    wait(checks, "both count on", text.are_enough)


def the_broker_dies(checks, broker, text, instances):
    def kill():
        broker.kill()
        broker.start()
    text.write(checks, 2000, kill)
    wait(checks, "after the broker's kill", text.are_enough)
    both_run(checks, "after the broker's kill", instances)


def reset(checks, broker, admin, text, folder, instances):
    """Kafka's reset tool deletes Streams' topics and starts over: then the counts are exact."""
    for it in instances:
        checks.true("an instance ends when asked", it.process.end())
        shutil.rmtree(it.state)
    done = subprocess.run(
        [f"{INTEROP}/kafka/tool.sh", "kafka-streams-application-reset", "--bootstrap-server",
         broker.bootstrap, "--application-id", APPLICATION, "--input-topics", LINES, "--force"],
        capture_output=True, text=True, timeout=120)
    checks.equal(f"the reset tool: {done.stdout} {done.stderr}", done.returncode, 0)
    wait(checks, "its topics are gone",
         lambda: not {REPARTITION, CHANGELOG} & set(admin.list_topics(timeout=30).topics))
    checks.equal("offsets are at the start", committed(broker), [0] * PARTITIONS)
    instances[0].start()
    wait(checks, "after the reset: the counts are right", text.are_right)
    checks.true("the instance ends when asked", instances[0].process.end())


def main(folder):
    checks = Steps("streams")
    broker = Broker(folder, {"offsets.topic.num.partitions": 4, "offsets.topic.replication.factor": 1,
                             "group.initial.rebalance.delay.ms": 500}).start()
    javac("WordCount.java", os.path.join(folder, "classes"))
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    topics = [NewTopic(it, num_partitions=PARTITIONS, replication_factor=1) for it in (LINES, COUNTS)]
    for created in admin.create_topics(topics).values():
        created.result(30)
    text = Text(broker)
    instances = [Instance(folder, broker, number) for number in range(2)]
    without_trouble(checks, broker, admin, text, instances)
    an_instance_dies(checks, text, instances)
    the_broker_dies(checks, broker, text, instances)
    reset(checks, broker, admin, text, folder, instances)
    text.consumer.close()
    checks.done()


run(main)
