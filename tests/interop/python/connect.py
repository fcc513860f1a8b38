"""Kafka Connect in distributed mode with its file connectors: `connect.py`.

Two workers in one group and four connectors: two read a file each into a topic, two write a topic
each to a file. A worker is killed, then the broker, then all of them at once; every line must
arrive, in the topic and in the file, and each exactly once where nobody was killed. See
`broker.py` for the environment.
"""

import json
import os
import signal
import time
import urllib.error
import urllib.request

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource

from broker import Broker, Process, Steps, java, kafka_libs, run, wait
from ports import free_port

CONNECTORS = ("source-a", "source-b", "sink-a", "sink-b")
INTERNAL = {"connect-configs": 1, "connect-offsets": 4, "connect-status": 2}


class Worker:
    """One Connect worker."""

    def __init__(self, folder, broker, number):
        self.folder = folder
        self.number = number
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.path = os.path.join(folder, f"worker-{number}.properties")
        jar = next(it for it in os.listdir(kafka_libs()) if it.startswith("connect-file-"))
        with open(self.path, "w") as out:
            out.write(f"""bootstrap.servers={broker.bootstrap}
group.id=connect
listeners=http://{self.address}
plugin.path={os.path.join(kafka_libs(), jar)}
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-configs
config.storage.replication.factor=1
config.storage.segment.ms=2000
config.storage.min.cleanable.dirty.ratio=0.01
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=4
offset.storage.segment.ms=2000
offset.storage.min.cleanable.dirty.ratio=0.01
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=2
status.storage.segment.ms=2000
status.storage.min.cleanable.dirty.ratio=0.01
session.timeout.ms=6000
heartbeat.interval.ms=500
scheduled.rebalance.max.delay.ms=2000
worker.sync.timeout.ms=3000
offset.flush.interval.ms=500
consumer.session.timeout.ms=6000
consumer.heartbeat.interval.ms=500
consumer.metadata.max.age.ms=2000
consumer.auto.offset.reset=earliest
""")
        self.start()

    def start(self):
        self.process = Process(
            f"worker-{self.number}",
            java("org.apache.kafka.connect.cli.ConnectDistributed", self.path, heap="384m"), self.folder)

    def ask(self, method, path, body=None):
        """What the worker answers, or None while it cannot."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return json.loads(text) if text else {}
        except (urllib.error.HTTPError, OSError, ValueError):
            return None

    def until(self, checks, method, path, body=None):
        """Asks until it is answered: during rebalances workers refuse changes."""
        got = []
        wait(checks, f"{method} {path}",
             lambda: got.append(self.ask(method, path, body)) or got[-1] is not None)
        return got[-1]

    def placed(self):
        """Where each connector and task runs: {"source-a/0": "HOST:PORT"}; None unless all run."""
        found = {}
        for name in CONNECTORS:
            status = self.ask("GET", f"/connectors/{name}/status")
            if not status or not status["tasks"]:
                return None
            for key, it in [("", status["connector"])] + [(t["id"], t) for t in status["tasks"]]:
                if it["state"] != "RUNNING":
                    return None
                found[f"{name}/{key}"] = it["worker_id"]
        return found

    def is_everything_at(self, *workers):
        placed = self.placed()
        return placed is not None and set(placed.values()) == {it.address for it in workers}


class Lines:
    """The files, their topics, and what was written to them."""

    def __init__(self, folder, bootstrap, name):
        self.name = name
        self.source = os.path.join(folder, f"{name}.in")
        self.sink = os.path.join(folder, f"{name}.out")
        self.topic = f"lines-{name}"
        self.written = []
        self.bootstrap = bootstrap
        open(self.source, "w").close()

    def write(self, what, count=500):
        lines = [f"{what} {index} of {self.name}" for index in range(count)]
        with open(self.source, "a") as out:
            out.write("".join(f"{line}\n" for line in lines))
        self.written += lines

    def in_topic(self):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "reads", "log_level": 0})
        place = TopicPartition(self.topic, 0, 0)
        try:
            end = consumer.get_watermark_offsets(place, 10)[1]
            consumer.assign([place])
            got = []
            while len(got) < end:
                message = consumer.poll(10)
                if message is None or message.error():
                    return got
                got.append(message.value().decode())
            return got
        except Exception:  # the topic is not there yet, or the broker is not
            return []
        finally:
            consumer.close()

    def in_sink(self):
        try:
            with open(self.sink) as text:
                return text.read().split("\n")[:-1]
        except FileNotFoundError:
            return []

    def are_there(self):
        """All lines are in the file behind the topic, and so they are in the topic."""
        return set(self.written) <= set(self.in_sink()) and set(self.written) <= set(self.in_topic())

    def last_seen(self):
        """In the order in which lines were written: without what came again after a kill."""
        return list(dict.fromkeys(self.in_topic()))


def source(lines, batch=100):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max": "1", "file": lines.source, "topic": lines.topic, "batch.size": str(batch)}


def sink(lines):
    return {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max": "1", "file": lines.sink, "topics": lines.topic}


def everything(checks, what, files):
    wait(checks, f"{what}: all lines in topics and files", lambda: all(it.are_there() for it in files))
    for it in files:
        checks.equal(f"{what}: order of {it.name}", it.last_seen(), it.written)


def internal_topics(checks, broker):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    topics = admin.list_topics(timeout=30).topics
    for name, partitions in INTERNAL.items():
        checks.equal(f"partitions of {name}", len(topics[name].partitions), partitions)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        configs = admin.describe_configs([resource])[resource].result(30)
        checks.equal(f"cleanup.policy of {name}", configs["cleanup.policy"].value, "compact")
        checks.equal(f"segment.ms of {name}", configs["segment.ms"].value, "2000")


def compacted(checks, broker):
    """Records were left out of the internal topics, and what is left is read to the end."""
    for name, partitions in INTERNAL.items():
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "reads",
                             "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        ends = [consumer.get_watermark_offsets(TopicPartition(name, it), 30)[1] for it in range(partitions)]
        consumer.assign([TopicPartition(name, it, 0) for it in range(partitions)])
        records = eofs = 0
        while eofs < partitions:
            message = consumer.poll(30)
            checks.true(f"{name}: read to the end", message is not None)
            if message.error():
                checks.equal(f"{name}: an error", message.error().code(), KafkaError._PARTITION_EOF)
                eofs += 1
            else:
                records += 1
        consumer.close()
        checks.true(f"{name} is compacted: {records} records of {sum(ends)}", 0 < records < sum(ends))


def offset_of(worker, name):
    answer = worker.ask("GET", f"/connectors/{name}/offsets") or {}
    return [it["offset"].get("position") for it in answer.get("offsets", [])]


def without_trouble(checks, worker, files):
    for it in files:
        it.write("first")
        worker.until(checks, "POST", "/connectors", {"name": f"source-{it.name}", "config": source(it)})
        worker.until(checks, "POST", "/connectors", {"name": f"sink-{it.name}", "config": sink(it)})
    everything(checks, "first", files)
    for it in files:
        it.write("second")
    everything(checks, "second", files)
    for it in files:
        checks.equal(f"{it.name}: once in the topic", it.in_topic(), it.written)
        checks.equal(f"{it.name}: once in the file", it.in_sink(), it.written)


def a_worker_dies(checks, workers, files):
    wait(checks, "both workers have something", lambda: workers[0].is_everything_at(*workers))
    workers[1].process.end(signal.SIGKILL)
    for it in files:
        it.write("worker killed")
    wait(checks, "all tasks at the other worker", lambda: workers[0].is_everything_at(workers[0]))
    everything(checks, "after a worker's kill", files)
    workers[1].start()
    wait(checks, "tasks at both workers again", lambda: workers[0].is_everything_at(*workers))
    for it in files:
        it.write("worker back")
        # The same keys again in the topic of the configurations.
        workers[1].until(checks, "PUT", f"/connectors/source-{it.name}/config", source(it, 200))
    everything(checks, "with the worker back", files)


def the_broker_dies(checks, broker, workers, files):
    for it in files:
        it.write("before the kill", 5000)
    broker.kill()
    for it in files:
        it.write("while it is gone")
    broker.start()
    for it in files:
        it.write("after the kill")
    everything(checks, "after the broker's kill", files)
    wait(checks, "all run", lambda: workers[0].is_everything_at(*workers))
    for it in files:
        wait(checks, f"position of {it.name}",
             lambda: offset_of(workers[0], f"source-{it.name}") == [os.path.getsize(it.source)])


def all_die(checks, broker, workers, files):
    for it in workers:
        it.process.end(signal.SIGKILL)
    broker.kill()
    for it in files:
        it.write("nobody is there")
    broker.start()
    before = [len(it.in_topic()) for it in files]
    for it in workers:
        it.start()
    everything(checks, "after everybody's kill", files)
    wait(checks, "all run again", lambda: workers[0].is_everything_at(*workers))
    for it, count in zip(files, before):
        # The positions in the offsets topic were those of the files' ends.
        checks.equal(f"{it.name}: none twice", len(it.in_topic()), count + 500)


def offsets_reset(checks, broker, worker, lines):
    """A stopped sink's offsets are deleted: once resumed it writes everything again."""
    name = f"sink-{lines.name}"
    group = f"connect-{name}"
    count = len(lines.in_topic())
    wait(checks, "the sink's committed offset", lambda: broker.committed(group) == {(lines.topic, 0): count})
    worker.until(checks, "PUT", f"/connectors/{name}/stop")
    wait(checks, "stopped", lambda: (worker.ask("GET", f"/connectors/{name}/status") or {"connector": {}})
         ["connector"].get("state") == "STOPPED")
    worker.until(checks, "DELETE", f"/connectors/{name}/offsets")
    checks.equal("the sink's offsets are gone", broker.committed(group), {})
    os.unlink(lines.sink)
    worker.until(checks, "PUT", f"/connectors/{name}/resume")
    wait(checks, "everything again", lambda: lines.in_sink() == lines.in_topic())


def main(folder):
    checks = Steps("connect")
    broker = Broker(folder, {"log.cleaner.backoff.ms": 200, "offsets.topic.num.partitions": 4,
                             "offsets.topic.replication.factor": 1,
                             "group.initial.rebalance.delay.ms": 0}).start()
    workers = [Worker(folder, broker, number) for number in range(2)]
    files = [Lines(folder, broker.bootstrap, name) for name in "ab"]
    without_trouble(checks, workers[0], files)
    a_worker_dies(checks, workers, files)
    the_broker_dies(checks, broker, workers, files)
    all_die(checks, broker, workers, files)
    offsets_reset(checks, broker, workers[1], files[0])
    internal_topics(checks, broker)
    compacted(checks, broker)
    for name in CONNECTORS:
        workers[0].until(checks, "DELETE", f"/connectors/{name}")
    wait(checks, "no connectors", lambda: workers[1].ask("GET", "/connectors") == [])
    for it in workers:
        checks.true("a worker ends when asked", it.process.end())
    checks.done()


run(main)
