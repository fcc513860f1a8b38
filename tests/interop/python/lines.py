"""The lines of a file through a client: `lines.py CLIENT BOOTSTRAP TOPIC IN OUT`.

Creates the topic, writes one record per line to its one partition, reads them from offset 0 on and
writes them to OUT, a line each. With confluent, kafkapython or aiokafka.
"""

import asyncio
import sys
from pathlib import Path


def confluent(bootstrap, topic, lines, out):
    from confluent_kafka import Consumer, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(30)
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20})
    for line in lines:
        while True:
            try:
                producer.produce(topic, value=line, partition=0,
                                 on_delivery=lambda error, _: failures.append(error) if error else None)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(120) == 0 and not failures, failures[:3]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "check.crcs": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    left = len(lines)
    while left:
        found = consumer.consume(10_000, 30)
        assert found, f"{left} are left, and none came within 30 s"
        for message in found:
            assert not message.error(), message.error()
            out.write(message.value() + b"\n")
        left -= len(found)
    consumer.close()


def kafkapython(bootstrap, topic, lines, out):
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import NewTopic

    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    failures = []
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
    for line in lines:
        producer.send(topic, partition=0, value=line).add_errback(failures.append)
    producer.flush(300)
    producer.close()
    assert not failures, failures[:3]
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="none",
                             consumer_timeout_ms=30_000)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    left = len(lines)
    while left:
        found = consumer.poll(30_000, max_records=10_000).get(place, [])
        assert found, f"{left} are left, and none came within 30 s"
        out.writelines(record.value + b"\n" for record in found)
        left -= len(found)
    consumer.close()


async def aiokafka(bootstrap, topic, lines, out):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
    await producer.start()
    for at in range(0, len(lines), 10_000):
        sent = [await producer.send(topic, partition=0, value=line) for line in lines[at:at + 10_000]]
        await asyncio.gather(*sent)
    await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="none")
    await consumer.start()
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    left = len(lines)
    while left:
        found = (await consumer.getmany(place, timeout_ms=30_000)).get(place, [])
        assert found, f"{left} are left, and none came within 30 s"
        out.writelines(record.value + b"\n" for record in found)
        left -= len(found)
    await consumer.stop()


def main():
    client, bootstrap, topic, source, target = sys.argv[1:]
    lines = Path(source).read_bytes().split(b"\n")[:-1]
    with open(target, "wb") as out:
        if client == "aiokafka":
            asyncio.run(aiokafka(bootstrap, topic, lines, out))
        else:
            {"confluent": confluent, "kafkapython": kafkapython}[client](bootstrap, topic, lines, out)


main()
