"""Groups whose members come, crash, leave and return, and whose broker is killed: `members.py`.

Each member is a process of its own with one of the clients, in the classic or in the consumer
protocol (KIP-848), and in groups that hold both. All groups live at the same time on one broker,
which is killed and started again. Every acknowledged record must be processed at least once,
whatever happens, and what is committed stays so. See `broker.py` for the environment.

A member is given BOOTSTRAP GROUP PROTOCOL TOPIC INSTANCE, where a TOPIC that begins with ^ is a
pattern and INSTANCE may be empty. It prints lines of JSON, {"assigned": [[topic, partition], ...]}
whenever it is assigned partitions, and {"value": "..."} for each record that it has processed,
before it commits behind it. On SIGTERM it leaves the group, unless it is static.

usage: members.py [clients...]      a client is a name in KINDS, or the first word of one
"""

import json
import os
import signal
import sys
import threading
import time
from typing import NamedTuple

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from broker import Broker, INTEROP, Process, Steps, java, javac, run, wait

PYTHON = [sys.executable]
CACHE = os.environ.get("INTEROP_CACHE") or os.path.join(INTEROP, "../../target/interop-cache")
HERE = os.path.join(INTEROP, "python")
PARTITIONS = 4
GROWN = 6
CLASSIC = ["classic"]
CONSUMER = ["consumer"]
# The longest that a step may take; most take one session time-out, which is six.
SECONDS = 60


class Kind(NamedTuple):
    """A client, with the protocols that its members speak, in turns."""

    name: str
    protocols: list
    command: list
    has_statics: bool = True
    # "later": topics that come up under the pattern are taken; "once": only those that are there.
    patterns: str = "later"


def kinds(folder):
    confluent = PYTHON + [f"{HERE}/member_confluent.py"]
    of_java = java("Member", classes=folder, heap="96m")
    franz = [f"{CACHE}/go/franz", "member"]
    return [
        Kind("librdkafka", CLASSIC, confluent),
        Kind("librdkafka-consumer", CONSUMER, confluent),
        # Its cooperative-sticky puts user data into assignments; Kafka does not let a consumer of the
        # new protocol into a group that has such, as they would be lost.
        Kind("librdkafka-both", CLASSIC + CONSUMER, confluent + ["--range"], has_statics=False),
        Kind("java", CLASSIC, of_java),
        Kind("java-consumer", CONSUMER, of_java),
        Kind("java-both", CLASSIC + CONSUMER, of_java),
        Kind("kafka-python", CLASSIC, PYTHON + [f"{HERE}/member_kafkapython.py"]),
        Kind("aiokafka", CLASSIC, PYTHON + [f"{HERE}/member_aio.py"]),
        Kind("kafkajs", CLASSIC, ["node", f"{INTEROP}/node/member.js"], False, "once"),
        Kind("franz-go", CLASSIC, franz),
        Kind("franz-go-consumer", CONSUMER, franz),
        Kind("sarama", CLASSIC, [f"{CACHE}/go/sarama", "member"], True, "no"),
    ]


class Member:
    def __init__(self, group, index, topic, instance=""):
        protocol = group.kind.protocols[index % len(group.kind.protocols)]
        self.process = Process(
            f"{group.kind.name}-{index}",
            [*group.kind.command, group.broker.bootstrap, group.name, protocol, topic, instance],
            group.folder)
        self.read = 0
        self.values = {}
        self.assigned = set()

    def look(self):
        """Reads what it printed since."""
        lines = self.process.lines()
        for line in lines[self.read:]:
            told = json.loads(line)
            if "value" in told:
                self.values[told["value"]] = self.values.get(told["value"], 0) + 1
            self.assigned |= {tuple(it) for it in told.get("assigned") or []}
        self.read = len(lines)
        return self


class Group:
    """The members of one kind, their topic, and what was written to it."""

    def __init__(self, kind, broker, folder):
        self.kind = kind
        self.broker = broker
        self.folder = folder
        self.topic = f"members-{kind.name}"
        self.name = f"group-{kind.name}"
        self.members = []
        self.wanted = set()

    def join(self, index, instance="", topic=None):
        self.members.append(Member(self, index, topic or self.topic, instance))
        return self.members[-1]

    def processed(self):
        return set().union(*(it.look().values for it in self.members))

    def missing(self):
        return self.wanted - self.processed()

    def leave(self, checks, member):
        # A client that does not end by itself within this time was not asked in a way it knows.
        checks.true(f"{self.kind.name}: leaves when asked", member.process.end(signal.SIGTERM, 30))


class Writer:
    """Writes to all groups' topics; what is acknowledged is wanted."""

    def __init__(self, broker, groups):
        self.groups = groups
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True,
                                  "linger.ms": 5, "log_level": 0, "retry.backoff.max.ms": 200,
                                  "reconnect.backoff.max.ms": 500})
        self.failures = []
        self.lock = threading.Lock()

    def write(self, what, partitions=PARTITIONS, count=10):
        for group in self.groups:
            for partition in range(partitions):
                for index in range(count):
                    self.one(group, partition, f"{what}-{partition}-{index}")

    def one(self, group, partition, value, topic=None):
        def on_delivery(error, _):
            with self.lock:
                self.failures.append(error) if error else group.wanted.add(value)
        self.producer.produce(topic or group.topic, value=value, partition=partition,
                              on_delivery=on_delivery)
        self.producer.poll(0)

    def flush(self, checks):
        checks.equal("records unsent", self.producer.flush(60), 0)
        checks.equal("records that failed", self.failures, [])


class Flow(threading.Thread):
    """Records all the while, a few in every partition."""

    def __init__(self, writer, name):
        super().__init__(daemon=True)
        self.writer = writer
        self.prefix = name
        self.ended = threading.Event()

    def run(self):
        count = 0
        while not self.ended.wait(0.1):
            self.writer.write(f"{self.prefix}-{count}", PARTITIONS, 1)
            count += 1

    def end(self, checks):
        self.ended.set()
        self.join()
        self.writer.flush(checks)


def for_all(checks, what, groups, done):
    """Waits until `done(group)` of each group; tells which ones it is not."""
    started = time.time()
    deadline = started + SECONDS
    left = list(groups)
    while left:
        left = [it for it in left if not done(it)]
        if left and time.time() > deadline:
            checks.fail(f"{what}: not within {SECONDS} s: {[it.kind.name for it in left]}; for the first, missing "
                        f"{sorted(left[0].missing())[:8]}")
        time.sleep(0.1)
    checks.true(what, True)
    print(f"members: {what}: {time.time() - started:.1f} s", flush=True)


def processed(checks, what, groups):
    for_all(checks, f"{what}: processed", groups, lambda it: not it.missing())


def assigned(checks, what, groups):
    for_all(checks, f"{what}: everybody has something", groups,
            lambda it: all(member.look().assigned for member in it.members if member.process.is_up()))


def committed(broker, group):
    return {partition: offset for (_, partition), offset in broker.committed(group.name).items()}


def ends(admin, topic, partitions):
    found = admin.list_offsets({TopicPartition(topic, it): OffsetSpec.latest() for it in range(partitions)})
    return {place.partition: it.result(30).offset for place, it in found.items()}


def members_change(checks, writer, groups):
    """A member crashes, one leaves, a static one crashes (or stops) and returns."""
    writer.write("first")
    writer.flush(checks)
    for group in groups:
        group.join(0)
        group.join(1)
        group.join(0, "fixed" if group.kind.has_statics else "")
    processed(checks, "first", groups)
    assigned(checks, "first", groups)

    for group in groups:
        group.members[0].process.end(signal.SIGKILL)
    writer.write("crash")
    writer.flush(checks)
    processed(checks, "a crash", groups)

    for group in groups:
        group.leave(checks, group.members[1])
    writer.write("leave")
    writer.flush(checks)
    processed(checks, "a leave", groups)

    for group in groups:
        # In the consumer protocol a crashed static member's id is taken until its session ends.
        if group.kind.protocols[0] == "consumer":
            group.leave(checks, group.members[2])
        else:
            group.members[2].process.end(signal.SIGKILL)
        group.join(0, "fixed" if group.kind.has_statics else "")
    writer.write("static")
    writer.flush(checks)
    processed(checks, "a static member's return", groups)


def the_broker_dies(checks, broker, writer, groups):
    """Killed while records flow: with two members at work, and in the middle of a rebalance."""
    for group in groups:
        group.join(1)
    assigned(checks, "before the kill", groups)
    for what, joins in (("at work", False), ("in a rebalance", True)):
        flow = Flow(writer, f"kill {what}")
        flow.start()
        time.sleep(1)
        if joins:
            for group in groups:
                group.join(1)
            wait(checks, "somebody joined", lambda: any(it.members[-1].look().assigned for it in groups))
        broker.kill()
        time.sleep(0.5)
        broker.start()
        time.sleep(1)
        flow.end(checks)
        processed(checks, f"a killed broker, {what}", groups)


def topics_grow(checks, admin, writer, groups):
    for group in groups:
        admin.create_partitions([NewPartitions(group.topic, GROWN)])[group.topic].result(30)
    wait(checks, "the producer knows the partitions", lambda: all(
        len(writer.producer.list_topics(it.topic, timeout=10).topics[it.topic].partitions) == GROWN
        for it in groups))
    writer.write("grown", GROWN)
    writer.flush(checks)
    processed(checks, "topics that grew", groups)


def commits_stay(checks, broker, admin, writer, groups):
    """What is committed outlives the broker's kill, and the next members begin there."""
    wanted = {}
    writer.write("last", GROWN)
    writer.flush(checks)
    processed(checks, "before the end", groups)
    for group in groups:
        wanted[group.name] = ends(admin, group.topic, GROWN)
    for_all(checks, "everything is committed", groups,
            lambda it: committed(broker, it) == wanted[it.name])
    broker.kill()
    broker.start()
    for group in groups:
        for member in group.members:
            if member.process.is_up():
                group.leave(checks, member)
    for group in groups:
        checks.equal(f"{group.kind.name}: committed after a kill", committed(broker, group), wanted[group.name])
    for group in groups:
        group.members = []
        group.wanted = set()
        # The static member's return: the others would wait until its session ends.
        group.join(0, "fixed" if group.kind.has_statics else "")
    writer.write("after", GROWN)
    writer.flush(checks)
    processed(checks, "with new members", groups)
    for group in groups:
        checks.equal(f"{group.kind.name}: nothing twice", group.processed(), group.wanted)
        group.leave(checks, group.members[0])


def patterns(checks, admin, writer, groups):
    """A topic that comes up under a pattern while its members are at work."""
    groups = [it for it in groups if it.kind.patterns != "no"]
    if not groups:
        return
    topics = {it.name: [f"under-{it.kind.name}.{index}" for index in range(2)] for it in groups}

    def write(which):
        created = [NewTopic(topics[it.name][which], num_partitions=2, replication_factor=1) for it in groups]
        for future in admin.create_topics(created).values():
            future.result(30)
        for group in groups:
            for partition in range(2):
                writer.one(group, partition, f"pattern-{which}-{partition}", topics[group.name][which])
        writer.flush(checks)

    for group in groups:
        group.members, group.wanted, group.name = [], set(), f"patterns-{group.kind.name}"
        topics[group.name] = topics[f"group-{group.kind.name}"]
    write(0)
    for group in groups:
        group.join(0, topic=f"^under-{group.kind.name}[.].*")
    processed(checks, "the first topic of a pattern", groups)
    write(1)
    for group in groups:
        if group.kind.patterns == "once":
            group.leave(checks, group.members[0])
            group.join(0, topic=f"^under-{group.kind.name}[.].*")
    processed(checks, "a topic that came later", groups)
    for group in groups:
        group.leave(checks, group.members[-1])


def main(folder):
    checks = Steps("members")
    # librdkafka waits for the answer to a heartbeat no longer than until the next one is due. What it
    # does not wait for may be its assignment, which Apache Kafka tells once; so there is time for it.
    broker = Broker(folder, {
        "offsets.topic.num.partitions": 4, "offsets.topic.replication.factor": 1,
        "group.initial.rebalance.delay.ms": 0, "group.consumer.session.timeout.ms": 6000,
        "group.consumer.min.session.timeout.ms": 6000, "group.consumer.heartbeat.interval.ms": 2000,
        "group.consumer.min.heartbeat.interval.ms": 2000}).start()
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    classes = os.path.join(folder, "classes")
    javac("Member.java", classes)
    chosen = sys.argv[1:]
    groups = [Group(it, broker, folder) for it in kinds(classes)
              if not chosen or any(it.name == name or it.name.startswith(f"{name}-") for name in chosen)]
    topics = [NewTopic(it.topic, num_partitions=PARTITIONS, replication_factor=1) for it in groups]
    for created in admin.create_topics(topics).values():
        created.result(30)
    writer = Writer(broker, groups)
    members_change(checks, writer, groups)
    the_broker_dies(checks, broker, writer, groups)
    topics_grow(checks, admin, writer, groups)
    commits_stay(checks, broker, admin, writer, groups)
    patterns(checks, admin, writer, groups)
    checks.done()


run(main)
