"""One member of a group with kafka-python: see `members.py` for what it is given and prints."""

import json
import signal
import sys

from kafka import ConsumerRebalanceListener, KafkaConsumer


# Longer than any rebalance here. A poll of kafka-python 3.0 that gives up in the very moment in which the
# answer to its SyncGroup arrives loses it: the consumer takes itself for a member, has no partitions, and
# sends no heartbeat ever again. So no poll may give up; with 200 ms one run in ten got stuck.
POLL_MS = 120_000


class Asked(Exception):
    """SIGTERM came during a poll."""


class Told(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        print(json.dumps({"assigned": [[it.topic, it.partition] for it in assigned]}), flush=True)


def main(bootstrap, group, _protocol, topic, instance=""):
    # While its broker is away it asks for metadata ever more seldom, by default every half a minute in the
    # end, and goes on so when the broker is back. Apache Kafka counts leader epochs up at each start, and
    # refuses to be read from with the old ones, which it therefore keeps for as long.
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, group_instance_id=instance or None,
        auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000,
        heartbeat_interval_ms=500, metadata_max_age_ms=2000, reconnect_backoff_max_ms=1000)
    stopped = []
    polls = []

    def on_term(*_):
        stopped.append(True)
        if polls:
            raise Asked

    signal.signal(signal.SIGTERM, on_term)
    if topic.startswith("^"):
        consumer.subscribe(pattern=topic, listener=Told())
    else:
        consumer.subscribe([topic], listener=Told())
    while True:
        try:
            polls.append(True)
            if stopped:
                break
            found = consumer.poll(POLL_MS)
            polls.clear()
        except Asked:
            break
        for batch in found.values():
            for record in batch:
                print(json.dumps({"value": record.value.decode()}), flush=True)
        if not found:
            continue
        try:
            consumer.commit()
        except Exception as refused:  # somebody else has the partition now, or nobody answers
            print(f"commit: {refused!r}", file=sys.stderr, flush=True)
    consumer.close()


main(*sys.argv[1:])
