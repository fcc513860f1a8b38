"""Groups whose members come, crash, leave and return: `members.py BOOTSTRAP`.

Each member is a process of its own with confluent-kafka, in the classic and in the consumer
protocol (KIP-848), and in groups that hold both. Every record must be processed at least once,
whatever happens to the members.
"""

import json
import os
import signal
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from common import Checks, topic_name

DEADLINE = 90


def member(bootstrap, group, protocol, topic, instance):
    """Consumes, prints what it processed, commits; ends on SIGTERM."""
    settings = {"bootstrap.servers": bootstrap, "group.id": group, "group.protocol": protocol,
                "auto.offset.reset": "earliest", "enable.auto.commit": False,
                "topic.metadata.refresh.interval.ms": 2000}
    if protocol == "classic":
        settings |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                     "partition.assignment.strategy": "cooperative-sticky"}
    if instance:
        settings["group.instance.id"] = instance
    consumer = Consumer(settings)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

    def told(_, partitions):
        print(json.dumps({"assigned": [[it.topic, it.partition] for it in partitions]}), flush=True)

    consumer.subscribe([topic], on_assign=told)
    while not stopped:
        message = consumer.poll(0.2)
        if message is None or message.error():
            continue
        print(json.dumps({"value": message.value().decode()}), flush=True)
        try:
            consumer.commit(message=message, asynchronous=False)
        except Exception:  # somebody else has the partition now and processes the record again
            pass
    consumer.close()


class Member:
    def __init__(self, bootstrap, group, protocol, topic, instance=""):
        self.out = open(os.path.join("/tmp", f"{group}-{time.time_ns()}"), "w+")
        os.unlink(self.out.name)
        self.process = subprocess.Popen(
            [sys.executable, __file__, "member", bootstrap, group, protocol, topic, instance],
            stdout=self.out)

    def lines(self):
        self.out.seek(0)
        return [json.loads(line) for line in self.out.read().split("\n")[:-1]]

    def values(self):
        return {line["value"] for line in self.lines() if "value" in line}

    def assigned(self):
        return [tuple(it) for line in self.lines() for it in line.get("assigned", [])]

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(DEADLINE)


def wait(checks, what, done):
    deadline = time.time() + DEADLINE
    while not done():
        checks.true(f"within {DEADLINE} s: {what}", time.time() < deadline)
        time.sleep(0.2)
    checks.true(what, True)


def produce(bootstrap, topic, partitions, prefix):
    producer = Producer({"bootstrap.servers": bootstrap})
    values = {f"{prefix}-{partition}-{index}" for partition in range(partitions) for index in range(10)}
    for value in values:
        producer.produce(topic, value=value, partition=int(value.split("-")[-2]))
    producer.flush(60)
    return values


def scenario(bootstrap, checks, admin, protocols):
    name = "+".join(protocols)
    topic = topic_name(f"members-{name.replace('+', '-')}")
    admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])[topic].result(30)
    group = f"group-{topic}"
    wanted = produce(bootstrap, topic, 4, "first")
    start = lambda index, what=topic, instance="": Member(
        bootstrap, group, protocols[index % len(protocols)], what, instance)
    members = [start(0), start(1), start(1, topic, "fixed")]
    everything = lambda: set().union(*(it.values() for it in members))
    wait(checks, f"{name}: the first records", lambda: wanted <= everything())
    wait(checks, f"{name}: everybody has something", lambda: all(it.assigned() for it in members))

    members[0].end(signal.SIGKILL)
    wanted |= produce(bootstrap, topic, 4, "crash")
    wait(checks, f"{name}: after a crash", lambda: wanted <= everything())

    members[1].end(signal.SIGTERM)
    wanted |= produce(bootstrap, topic, 4, "leave")
    wait(checks, f"{name}: after a leave", lambda: wanted <= everything())

    members[2].end(signal.SIGTERM)
    members.append(start(1, topic, "fixed"))
    wanted |= produce(bootstrap, topic, 4, "static")
    wait(checks, f"{name}: after a static member's return", lambda: wanted <= everything())

    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(30)
    wait(checks, f"{name}: six partitions",
         lambda: len(admin.list_topics(topic, timeout=30).topics[topic].partitions) == 6)
    wanted |= produce(bootstrap, topic, 6, "grown")
    wait(checks, f"{name}: after the topic grew", lambda: wanted <= everything())
    for it in members[3:]:
        it.end(signal.SIGTERM)
    admin.delete_topics([topic])[topic].result(30)


def pattern(bootstrap, checks, admin, protocol):
    prefix = topic_name(f"pattern-{protocol}")
    topics = [f"{prefix}-{index}" for index in range(2)]
    admin.create_topics([NewTopic(topics[0], num_partitions=2, replication_factor=1)])[topics[0]].result(30)
    wanted = produce(bootstrap, topics[0], 2, "one")
    consumer = Member(bootstrap, f"group-{prefix}", protocol, f"^{prefix}-.*")
    wait(checks, f"{protocol} pattern: the first topic", lambda: wanted <= consumer.values())
    admin.create_topics([NewTopic(topics[1], num_partitions=2, replication_factor=1)])[topics[1]].result(30)
    wanted |= produce(bootstrap, topics[1], 2, "two")
    wait(checks, f"{protocol} pattern: a topic that came later", lambda: wanted <= consumer.values())
    consumer.end(signal.SIGTERM)
    for topic in topics:
        admin.delete_topics([topic])[topic].result(30)


def main():
    bootstrap = sys.argv[1]
    checks = Checks("members")
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for protocols in (["classic"], ["consumer"], ["classic", "consumer"]):
        scenario(bootstrap, checks, admin, protocols)
    for protocol in ("classic", "consumer"):
        pattern(bootstrap, checks, admin, protocol)
    checks.done()


if __name__ == "__main__":
    if sys.argv[1] == "member":
        member(*sys.argv[2:7])
    else:
        main()
