"""aiokafka against a broker: `aio.py BOOTSTRAP [--groups]`."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from common import CODECS, FIRST_TIMESTAMP, MAX_MESSAGE_BYTES, Checks, arguments, records, topic_name


async def main():
    options = arguments()
    checks = Checks("aiokafka")
    topic = topic_name("aiokafka")
    admin = AIOKafkaAdminClient(bootstrap_servers=options.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(
        topic, len(CODECS), 1, topic_configs={"max.message.bytes": str(MAX_MESSAGE_BYTES),
                                                 "retention.ms": "-1"})])
    for partition, codec in enumerate(CODECS):
        producer = AIOKafkaProducer(
            bootstrap_servers=options.bootstrap, acks="all", linger_ms=20,
            compression_type=None if codec == "none" else codec,
            max_request_size=MAX_MESSAGE_BYTES)
        await producer.start()
        wanted = accepted(codec)
        sent = []
        for record in wanted:
            sent.append(await producer.send(
                topic, partition=partition, key=record.key, value=record.value,
                headers=record.headers, timestamp_ms=record.timestamp))
        placed = [(await future).offset for future in sent]
        checks.equal(f"{codec}: offsets", placed, list(range(len(wanted))))
        await producer.stop()
        checks.compare(codec, await read(options, topic, partition, 0, len(wanted)), wanted)
        checks.compare(f"{codec} from 100",
                       await read(options, topic, partition, 100, len(wanted)), wanted[100:], 100)
    await offsets(options, checks, topic)
    await idempotent(options, checks, topic)
    if options.groups:
        await groups(options, checks, topic)
    await admin.delete_topics([topic])
    await admin.close()
    checks.done()


def accepted(codec):
    """The records without what aiokafka refuses to write: neither key nor value, null headers."""
    return [
        record._replace(headers=[header for header in record.headers if header[1] is not None])
        for record in records(codec)
        if record.key is not None or record.value is not None
    ]


async def read(options, topic, partition, first, end):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=options.bootstrap, enable_auto_commit=False, auto_offset_reset="none",
        max_partition_fetch_bytes=8 << 20)
    await consumer.start()
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    consumer.seek(place, first)
    got = []
    while len(got) < end - first:
        record = await asyncio.wait_for(consumer.getone(), 30)
        got.append((record.offset, record.key, record.value, list(record.headers), record.timestamp))
    await consumer.stop()
    return got


async def offsets(options, checks, topic):
    count = len(accepted("none"))
    consumer = AIOKafkaConsumer(bootstrap_servers=options.bootstrap)
    await consumer.start()
    place = TopicPartition(topic, 0)
    checks.equal("beginning", await consumer.beginning_offsets([place]), {place: 0})
    checks.equal("end", await consumer.end_offsets([place]), {place: count})
    found = await consumer.offsets_for_times({place: FIRST_TIMESTAMP + 95})
    checks.equal("offset for a time", found[place].offset, 9)
    await consumer.stop()


async def idempotent(options, checks, topic):
    producer = AIOKafkaProducer(bootstrap_servers=options.bootstrap, enable_idempotence=True)
    await producer.start()
    first = len(accepted("none"))
    sent = [await producer.send(topic, partition=0, value=b"%d" % index) for index in range(1000)]
    placed = [(await future).offset for future in sent]
    checks.equal("idempotent: offsets", placed, list(range(first, first + 1000)))
    await producer.stop()
    got = await read(options, topic, 0, first, first + 1000)
    checks.equal("idempotent: values", [record[2] for record in got],
                 [b"%d" % index for index in range(1000)])


async def groups(options, checks, topic):
    wanted = sum(len(accepted(codec)) for codec in CODECS) + 1000
    got = []
    for stop_after in (100, wanted - 100):
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=options.bootstrap, group_id=f"group-{topic}",
            enable_auto_commit=False, auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 << 20)
        await consumer.start()
        seen = 0
        while seen < stop_after:
            record = await asyncio.wait_for(consumer.getone(), 30)
            got.append((record.partition, record.offset))
            seen += 1
        await consumer.commit()
        await consumer.stop()
    checks.equal("group: records", len(set(got)), wanted)
    checks.equal("group: none twice", len(got), wanted)


asyncio.run(main())
