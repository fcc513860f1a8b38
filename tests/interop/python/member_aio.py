"""One member of a group with aiokafka: see `members.py` for what it is given and prints."""

import asyncio
import json
import signal
import sys

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener


class Told(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        print(json.dumps({"assigned": [[it.topic, it.partition] for it in assigned]}), flush=True)


async def main(bootstrap, group, _protocol, topic, instance=""):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, group_instance_id=instance or None,
        auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000,
        heartbeat_interval_ms=500, metadata_max_age_ms=2000)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    if topic.startswith("^"):
        consumer.subscribe(pattern=topic, listener=Told())
    else:
        consumer.subscribe([topic], listener=Told())
    await consumer.start()
    while not stopped.is_set():
        found = await consumer.getmany(timeout_ms=200)
        for batch in found.values():
            for record in batch:
                print(json.dumps({"value": record.value.decode()}), flush=True)
        if not found:
            continue
        try:
            await consumer.commit()
        except Exception as refused:  # somebody else has the partition now, or nobody answers
            print(f"commit: {refused!r}", file=sys.stderr, flush=True)
    await consumer.stop()


asyncio.run(main(*sys.argv[1:]))
