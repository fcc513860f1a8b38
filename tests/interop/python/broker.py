"""A broker that a script starts, kills and starts again, and other processes beside it.

`BROKER=kafka` in the environment takes Apache Kafka instead of Millrace, to try a script against
the original. `MILLRACE` names the binary (default: target/debug/millrace).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from common import Checks
from ports import free_port

INTEROP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The longest that a broker may take to answer, s: Kafka's JVM on a busy machine.
START_SECONDS = 90


def kafka_libs():
    """The folder with Apache Kafka's jars."""
    cache = os.environ.get("INTEROP_CACHE") or os.path.join(INTEROP, "../../target/interop-cache")
    return os.path.join(os.environ.get("KAFKA_HOME") or os.path.join(cache, "kafka"), "libs")


def java(main, *arguments, classes="", heap="256m", properties=()):
    """The command line of a Java program that has Kafka's jars."""
    path = os.path.join(kafka_libs(), "*") + (os.pathsep + classes if classes else "")
    return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path,
            f"-Dlog4j2.configurationFile={INTEROP}/kafka/log4j2-tools.xml", *properties, main,
            *arguments]


def javac(source, out):
    """Compiles one of the programs in `java/` into the folder `out`."""
    subprocess.run(["javac", "-nowarn", "-cp", os.path.join(kafka_libs(), "*"), "-d", out,
                    os.path.join(INTEROP, "java", source)], check=True)


class Process:
    """A process with its output in a file; ended with the script at the latest."""

    running = []

    def __init__(self, name, command, folder, **more):
        self.name = name
        self.path = os.path.join(folder, f"{name}-{time.time_ns()}.out")
        with open(self.path, "w") as out, open(f"{self.path}.err", "w") as errors:
            self.process = subprocess.Popen(command, stdout=out, stderr=errors,
                                            stdin=subprocess.DEVNULL, **more)
        Process.running.append(self)

    def lines(self):
        """The whole lines that it has printed."""
        with open(self.path) as out:
            return out.read().split("\n")[:-1]

    def errors(self, last=15):
        with open(f"{self.path}.err", errors="replace") as text:
            return "".join(text.readlines()[-last:])

    def is_up(self):
        return self.process.poll() is None

    def end(self, how=signal.SIGTERM, seconds=60):
        """Sends a signal and waits; a process that does not end is killed and False returned."""
        self.process.send_signal(how)
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False

    @classmethod
    def end_all(cls):
        for it in cls.running:
            if it.is_up():
                it.process.kill()
                it.process.wait()


class Broker:
    """One broker on a folder and a port of its own."""

    def __init__(self, folder, settings):
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.data = os.path.join(folder, "broker")
        self.folder = folder
        self.settings = [f"{name}={value}" for name, value in settings.items()]
        self.process = None

    def command(self):
        if os.environ.get("BROKER") == "kafka":
            return [f"{INTEROP}/kafka/start.sh", str(self.port), self.data, *self.settings]
        binary = os.environ.get("MILLRACE") or f"{INTEROP}/../../target/debug/millrace"
        sets = [part for pair in self.settings for part in ("--set", pair)]
        return [binary, "serve", "--listen", self.bootstrap, "--data-dir", self.data,
                "--set", "millrace.admin.listener=", *sets]

    def start(self):
        self.process = Process("broker", self.command(), self.folder)
        deadline = time.time() + START_SECONDS
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        while True:
            try:
                admin.list_topics(timeout=2)
                return self
            except Exception as error:
                if time.time() > deadline or not self.process.is_up():
                    raise RuntimeError(f"no broker: {error}: {self.process.errors()}") from error

    def committed(self, group):
        """What the group has committed, by topic and partition.

        A new client each time: librdkafka's finds the coordinator no more that was killed beneath it.
        """
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
        places = found.result(30).topic_partitions
        return {(it.topic, it.partition): it.offset for it in places if it.offset >= 0}

    def kill(self):
        self.process.end(signal.SIGKILL)

    def stop(self):
        self.process.end(signal.SIGTERM)


class Steps(Checks):
    """Checks whose failure still ends the processes that were started."""

    def fail(self, text):
        raise AssertionError(text)


def wait(checks, what, done, seconds=90):
    """Until `done()`; after `seconds` the run has failed, with what `done` returned last."""
    deadline = time.time() + seconds
    while not done():
        if time.time() > deadline:
            checks.fail(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    checks.true(what, True)


def run(main):
    """`main(folder)` in a temporary folder; whatever was started ends with it."""
    folder = tempfile.mkdtemp(prefix="millrace-interop-")
    status = 1
    try:
        main(folder)
        status = 0
    except Exception as error:
        for it in Process.running:
            print(f"--- {it.name}:\n{it.errors(5)}", file=sys.stderr)
        traceback.print_exception(error)
    finally:
        Process.end_all()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)
