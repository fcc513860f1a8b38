"""confluent-kafka (librdkafka) against a broker: `confluent.py BOOTSTRAP [--groups]`."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from common import CODECS, FIRST_TIMESTAMP, MAX_MESSAGE_BYTES, Checks, arguments, records, topic_name


def main():
    options = arguments()
    checks = Checks("confluent-kafka")
    topic = topic_name("confluent")
    admin = AdminClient({"bootstrap.servers": options.bootstrap})
    admin.create_topics([
        NewTopic(topic, num_partitions=len(CODECS), replication_factor=1,
                 config={"max.message.bytes": str(MAX_MESSAGE_BYTES),
                         "retention.ms": "-1"})
    ])[topic].result(30)
    metadata = admin.list_topics(topic, timeout=30).topics[topic]
    while len(metadata.partitions) != len(CODECS):
        time.sleep(0.1)
        metadata = admin.list_topics(topic, timeout=30).topics[topic]
    checks.equal("partitions", sorted(metadata.partitions), list(range(len(CODECS))))

    for partition, codec in enumerate(CODECS):
        produce(options, checks, topic, partition, codec)
        read_back(options, checks, topic, partition, codec)
    offsets(options, checks, admin, topic)
    configs(checks, admin, topic)
    idempotent(options, checks, admin)
    transactions(options, checks)
    if options.groups:
        groups(options, checks, topic)
    admin.create_partitions([NewPartitions(topic, len(CODECS) + 1)])[topic].result(30)
    admin.delete_topics([topic])[topic].result(30)
    checks.done()


def produce(options, checks, topic, partition, codec):
    failures = []
    producer = Producer({
        "bootstrap.servers": options.bootstrap, "compression.type": codec, "linger.ms": 20,
        "message.max.bytes": MAX_MESSAGE_BYTES, "acks": "all",
    })
    for record in records(codec):
        while True:
            try:
                producer.produce(
                    topic, partition=partition, key=record.key, value=record.value,
                    headers=record.headers, timestamp=record.timestamp,
                    on_delivery=lambda error, _: failures.append(error) if error else None)
                break
            except BufferError:
                producer.poll(0.1)
    checks.equal(f"{codec}: unsent", producer.flush(60), 0)
    checks.equal(f"{codec}: failures", failures, [])


def consumer_of(options, **more):
    return Consumer({
        "bootstrap.servers": options.bootstrap, "group.id": "interop", "enable.auto.commit": False,
        "auto.offset.reset": "error", "enable.partition.eof": True, "check.crcs": True,
        "fetch.message.max.bytes": 8 << 20, **more,
    })


def drain(checks, consumer):
    got = []
    while True:
        message = consumer.poll(30)
        checks.true("a message within 30 s", message is not None)
        if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
            return got
        checks.true(f"no error: {message.error()}", not message.error())
        got.append((message.offset(), message.key(), message.value(), message.headers(),
                    message.timestamp()[1]))


def read_back(options, checks, topic, partition, codec):
    consumer = consumer_of(options)
    consumer.assign([TopicPartition(topic, partition, 0)])
    got = drain(checks, consumer)
    checks.compare(codec, got, records(codec))
    consumer.assign([TopicPartition(topic, partition, 100)])
    checks.compare(f"{codec} from 100", drain(checks, consumer), records(codec)[100:], 100)
    consumer.close()


def offsets(options, checks, admin, topic):
    count = len(records("none"))
    consumer = consumer_of(options)
    checks.equal("watermarks", consumer.get_watermark_offsets(TopicPartition(topic, 0), 30), (0, count))
    found = consumer.offsets_for_times([TopicPartition(topic, 0, FIRST_TIMESTAMP + 95)], 30)
    checks.equal("offset for a time", found[0].offset, 10)
    found = consumer.offsets_for_times([TopicPartition(topic, 0, FIRST_TIMESTAMP * 2)], 30)
    checks.equal("offset for a late time", found[0].offset, -1)
    consumer.close()
    for spec, offset in ((OffsetSpec.earliest(), 0), (OffsetSpec.latest(), count),
                         (OffsetSpec.max_timestamp(), count - 1)):
        found = admin.list_offsets({TopicPartition(topic, 0): spec})
        checks.equal(f"{spec}", next(iter(found.values())).result(30).offset, offset)


def configs(checks, admin, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    found = admin.describe_configs([resource])[resource].result(30)
    checks.equal("max.message.bytes", found["max.message.bytes"].value, str(MAX_MESSAGE_BYTES))
    checks.equal("cleanup.policy", found["cleanup.policy"].value, "delete")


def idempotent(options, checks, admin):
    topic = topic_name("confluent-idempotent")
    admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True,
                         "linger.ms": 1})
    failures = []
    for index in range(2000):
        producer.produce(topic, value=b"%d" % index, partition=0,
                         on_delivery=lambda error, _: failures.append(error) if error else None)
        producer.poll(0)
    checks.equal("idempotent: unsent", producer.flush(60), 0)
    checks.equal("idempotent: failures", failures, [])
    consumer = consumer_of(options)
    consumer.assign([TopicPartition(topic, 0, 0)])
    got = drain(checks, consumer)
    checks.equal("idempotent: values", [record[2] for record in got],
                 [b"%d" % index for index in range(2000)])
    consumer.close()
    admin.delete_topics([topic])[topic].result(30)


def transactions(options, checks):
    """They work, or are refused for good, with a reason, at once: nobody waits for what does not come."""
    topic = topic_name("confluent-transactions")
    producer = Producer({"bootstrap.servers": options.bootstrap, "transactional.id": topic, "log_level": 0})
    started = time.time()
    try:
        producer.init_transactions(60)
        producer.begin_transaction()
        producer.produce(topic, value=b"in a transaction")
        producer.commit_transaction(60)
    except KafkaException as refused:
        error = refused.args[0]
        checks.true(f"transactions: refused for good: {error.str()}", error.fatal() and not error.retriable())
        checks.true(f"transactions: with a reason: {error.str()}", "transactions" in error.str())
    else:
        consumer = consumer_of(options, **{"isolation.level": "read_committed"})
        consumer.assign([TopicPartition(topic, 0, 0)])
        checks.equal("transactions: values", [record[2] for record in drain(checks, consumer)], [b"in a transaction"])
        consumer.close()
    checks.true("transactions: known within 30 s", time.time() - started < 30)


def groups(options, checks, topic):
    wanted = sum(len(records(codec)) for codec in CODECS)
    for protocol in ("classic", "consumer"):
        group(options, checks, topic, wanted, protocol)


def group(options, checks, topic, wanted, protocol):
    def consume(stop_after):
        consumer = consumer_of(options, **{
            "group.id": f"{protocol}-{topic}", "group.protocol": protocol,
            "auto.offset.reset": "earliest", "enable.partition.eof": False})
        consumer.subscribe([topic])
        got, deadline = [], time.time() + 60
        while len(got) < stop_after and time.time() < deadline:
            message = consumer.poll(1)
            if message is not None and not message.error():
                got.append((message.partition(), message.offset()))
        consumer.commit(asynchronous=False)
        consumer.close()
        return got

    first = consume(100)
    rest = consume(wanted - len(first))
    checks.equal(f"{protocol} group: records", len(set(first + rest)), wanted)
    checks.equal(f"{protocol} group: none twice", len(first + rest), wanted)


main()
