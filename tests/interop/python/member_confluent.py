"""One member of a group with confluent-kafka: see `members.py` for what it is given and prints.

`--range` before that has classic members use that assignor in place of cooperative-sticky.
"""

import json
import signal
import sys

from confluent_kafka import Consumer


def main(assignor, bootstrap, group, protocol, topic, instance=""):
    settings = {"bootstrap.servers": bootstrap, "group.id": group, "group.protocol": protocol,
                "auto.offset.reset": "earliest", "enable.auto.commit": False,
                "topic.metadata.refresh.interval.ms": 2000}
    if protocol == "classic":
        settings |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                     "partition.assignment.strategy": assignor}
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
        except Exception as refused:  # somebody else has the partition now, or nobody answers
            print(f"commit: {refused}", file=sys.stderr, flush=True)
    consumer.close()


if sys.argv[1] == "--range":
    main("range", *sys.argv[2:])
else:
    main("cooperative-sticky", *sys.argv[1:])
