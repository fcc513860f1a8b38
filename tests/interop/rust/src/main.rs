//! rskafka against a broker: `interop-rust BOOTSTRAP`.
//!
//! Makes a topic of its own, writes records with every codec, reads them back and compares keys,
//! values, headers, timestamps and offsets. Panics on the first difference.

use std::collections::BTreeMap;

use rskafka::chrono::{DateTime, Utc};
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::record::Record;

const COUNT: i64 = 1000;

/// `first` is the time of the first record, ms: now, for no retention to take it.
fn record(first: i64, codec: usize, index: i64) -> Record {
    let text = format!("line {index} of a log in codec {codec}, ").repeat((index % 9) as usize);
    Record {
        key: (index % 3 != 0).then(|| format!("key {index}").into_bytes()),
        value: (index % 50 != 7).then(|| text.into_bytes()),
        headers: BTreeMap::from([("at".to_owned(), index.to_string().into_bytes())]),
        timestamp: DateTime::<Utc>::from_timestamp_millis(first + index).expect("in range"),
    }
}

async fn round_trip(partition: &PartitionClient, codec: usize, compression: Compression) -> usize {
    let first = Utc::now().timestamp_millis();
    let mut next = 0;
    while next < COUNT {
        let batch: Vec<Record> = (next..next + 100).map(|index| record(first, codec, index)).collect();
        let result = partition.produce(batch, compression).await.expect("produce");
        assert_eq!(result, (next..next + 100).collect::<Vec<_>>(), "offsets of codec {codec}");
        next += 100;
    }
    let mut read = 0;
    while read < COUNT {
        let (records, high_watermark) =
            partition.fetch_records(read, 1..1_000_000, 5_000).await.expect("fetch");
        assert_eq!(high_watermark, COUNT, "high watermark of codec {codec}");
        assert!(!records.is_empty(), "records from {read} of codec {codec}");
        for found in records.iter().filter(|found| found.offset >= read).collect::<Vec<_>>() {
            assert_eq!(found.offset, read, "offset in codec {codec}");
            assert_eq!(found.record, record(first, codec, read), "record {read} of codec {codec}");
            read += 1;
        }
    }
    assert_eq!(partition.get_offset(OffsetAt::Earliest).await.expect("earliest"), 0);
    assert_eq!(partition.get_offset(OffsetAt::Latest).await.expect("latest"), COUNT);
    partition.delete_records(10, 5_000).await.expect("delete records");
    assert_eq!(partition.get_offset(OffsetAt::Earliest).await.expect("earliest"), 10);
    COUNT as usize * 2 + 3
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bootstrap = std::env::args().nth(1).expect("usage: interop-rust BOOTSTRAP");
    let client = ClientBuilder::new(vec![bootstrap]).build().await.expect("client");
    let topic = format!("interop-rskafka-{}", Utc::now().timestamp_millis());
    let controller = client.controller_client().expect("controller");
    let codecs = [
        Compression::NoCompression,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    controller.create_topic(&topic, codecs.len() as i32, 1, 10_000).await.expect("create");
    let mut comparisons = 0;
    for (codec, compression) in codecs.into_iter().enumerate() {
        let partition = client
            .partition_client(&topic, codec as i32, UnknownTopicHandling::Retry)
            .await
            .expect("partition");
        comparisons += round_trip(&partition, codec, compression).await;
    }
    let topics = client.list_topics().await.expect("topics");
    let found = topics.iter().find(|it| it.name == topic).expect("listed");
    assert_eq!(found.partitions.len(), codecs.len());
    controller.delete_topic(&topic, 10_000).await.expect("delete");
    println!("rskafka: {} comparisons equal", comparisons + 1);
}
