"""kafka-python against a broker: `kafkapython.py BOOTSTRAP [--groups]`."""

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from common import CODECS, FIRST_TIMESTAMP, MAX_MESSAGE_BYTES, Checks, arguments, records, topic_name


def main():
    options = arguments()
    checks = Checks("kafka-python")
    topic = topic_name("kafkapython")
    admin = KafkaAdminClient(bootstrap_servers=options.bootstrap)
    admin.create_topics([NewTopic(topic, len(CODECS), 1,
                                  topic_configs={"max.message.bytes": str(MAX_MESSAGE_BYTES),
                                                 "retention.ms": "-1"})])
    for partition, codec in enumerate(CODECS):
        producer = KafkaProducer(
            bootstrap_servers=options.bootstrap, acks="all", linger_ms=20,
            compression_type=None if codec == "none" else codec,
            max_request_size=MAX_MESSAGE_BYTES, enable_idempotence=False)
        sent = []
        wanted = accepted(codec)
        for record in wanted:
            sent.append(producer.send(
                topic, partition=partition, key=record.key, value=record.value,
                headers=record.headers, timestamp_ms=record.timestamp))
        producer.flush(60)
        checks.equal(f"{codec}: offsets", [future.get(30).offset for future in sent],
                     list(range(len(wanted))))
        producer.close()
        checks.compare(codec, read(options, topic, partition, 0, len(wanted)), wanted)
        checks.compare(f"{codec} from 100", read(options, topic, partition, 100, len(wanted)),
                       wanted[100:], 100)
    offsets(options, checks, topic)
    idempotent(options, checks, topic)
    if options.groups:
        groups(options, checks, topic)
    admin.delete_topics([topic])
    admin.close()
    checks.done()


def accepted(codec):
    """The records without what kafka-python refuses to write: neither key nor value, null headers."""
    return [
        record._replace(headers=[header for header in record.headers if header[1] is not None])
        for record in records(codec)
        if record.key is not None or record.value is not None
    ]


def read(options, topic, partition, first, end):
    consumer = KafkaConsumer(
        bootstrap_servers=options.bootstrap, group_id=None, enable_auto_commit=False,
        auto_offset_reset="none", max_partition_fetch_bytes=8 << 20, consumer_timeout_ms=30_000)
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    consumer.seek(place, first)
    got = []
    for record in consumer:
        got.append((record.offset, record.key, record.value, record.headers, record.timestamp))
        if record.offset == end - 1:
            break
    consumer.close()
    return got


def offsets(options, checks, topic):
    count = len(accepted("none"))
    consumer = KafkaConsumer(bootstrap_servers=options.bootstrap, group_id=None)
    place = TopicPartition(topic, 0)
    checks.equal("beginning", consumer.beginning_offsets([place]), {place: 0})
    checks.equal("end", consumer.end_offsets([place]), {place: count})
    found = consumer.offsets_for_times({place: FIRST_TIMESTAMP + 95})
    checks.equal("offset for a time", found[place].offset, 9)
    checks.true("the topic is listed", topic in consumer.topics())
    consumer.close()


def idempotent(options, checks, topic):
    producer = KafkaProducer(bootstrap_servers=options.bootstrap, enable_idempotence=True, linger_ms=1)
    first = len(accepted("none"))
    sent = [producer.send(topic, partition=0, value=b"%d" % index) for index in range(1000)]
    producer.flush(60)
    checks.equal("idempotent: offsets", [future.get(30).offset for future in sent],
                 list(range(first, first + 1000)))
    producer.close()
    got = read(options, topic, 0, first, first + 1000)
    checks.equal("idempotent: values", [record[2] for record in got],
                 [b"%d" % index for index in range(1000)])


def groups(options, checks, topic):
    wanted = sum(len(accepted(codec)) for codec in CODECS) + 1000
    got = []
    for stop_after in (100, wanted - 100):
        consumer = KafkaConsumer(
            topic, bootstrap_servers=options.bootstrap, group_id=f"group-{topic}",
            enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=50,
            max_partition_fetch_bytes=8 << 20, consumer_timeout_ms=30_000)
        seen = 0
        while seen < stop_after:
            found = consumer.poll(30_000)
            checks.true("group: records within 30 s", bool(found))
            for place, batch in found.items():
                got.extend((place.partition, record.offset) for record in batch)
                seen += len(batch)
            consumer.commit()
        consumer.close()
    checks.equal("group: records", len(set(got)), wanted)
    checks.equal("group: none twice", len(got), wanted)


main()
