// franz-go against a broker: franz BOOTSTRAP [--groups].
//
// Makes a topic of its own, writes records with every codec, reads them back by assignment and
// compares keys, values, headers, timestamps, order and offsets. Ends with status 1 and the first
// difference if anything is not equal.
package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	firstTimestamp  = 1_700_000_000_000
	maxMessageBytes = 6 << 20
)

var (
	names  = []string{"none", "gzip", "snappy", "lz4", "zstd"}
	codecs = []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	comparisons int
)

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "franz-go: FAILED: "+format+"\n", arguments...)
	os.Exit(1)
}

func must(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func equal[T comparable](what string, got, wanted T) {
	if got != wanted {
		fail("%s: %v instead of %v", what, got, wanted)
	}
	comparisons++
}

func equalBytes(what string, got, wanted []byte) {
	if !bytes.Equal(got, wanted) || (got == nil) != (wanted == nil) {
		fail("%s: %d bytes (%.60q) instead of %d (%.60q)", what, len(got), got, len(wanted), wanted)
	}
	comparisons++
}

func noise(size int, seed int64) []byte {
	out := make([]byte, size)
	rand.New(rand.NewSource(seed)).Read(out)
	return out
}

func records(topic string, partition int) []*kgo.Record {
	var out []*kgo.Record
	add := func(key, value []byte, headers ...kgo.RecordHeader) {
		out = append(out, &kgo.Record{
			Topic: topic, Partition: int32(partition), Key: key, Value: value, Headers: headers,
			Timestamp: time.UnixMilli(firstTimestamp + int64(len(out))*10),
		})
	}
	add(nil, []byte("no key"))
	add([]byte("no value"), nil)
	add(nil, nil)
	add([]byte{}, []byte{})
	add([]byte("headers"), []byte("x"), kgo.RecordHeader{Key: "a", Value: []byte("1")},
		kgo.RecordHeader{Key: "a", Value: []byte("2")}, kgo.RecordHeader{Key: "empty", Value: []byte{}},
		kgo.RecordHeader{Key: "null", Value: nil})
	for index := range 300 {
		var key []byte
		if index%3 != 0 {
			key = fmt.Appendf(nil, "k%d", index%7)
		}
		add(key, bytes.Repeat(fmt.Appendf(nil, "line %06d of a log\n", index), index%5))
	}
	add([]byte("noise"), noise(70_000, int64(partition)))
	add([]byte("zeros"), make([]byte, 900_000))
	add([]byte("big"), noise(5<<20-4096, int64(partition)+100))
	add([]byte("after big"), []byte("end"))
	return out
}

func read(ctx context.Context, bootstrap, topic string, partition int, from, count int64) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.FetchMaxPartitionBytes(8<<20),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {int32(partition): kgo.NewOffset().At(from)}}))
	must("consumer", err)
	defer client.Close()
	var got []*kgo.Record
	for int64(len(got)) < count {
		fetches := client.PollFetches(ctx)
		for _, err := range fetches.Errors() {
			fail("fetch: %v", err.Err)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}

func compare(what string, got, wanted []*kgo.Record, first int64) {
	equal(what+": number of records", len(got), len(wanted))
	for index, record := range got {
		where := fmt.Sprintf("%s: record %d", what, index)
		want := wanted[index]
		equal(where+" offset", record.Offset, first+int64(index))
		equalBytes(where+" key", record.Key, want.Key)
		equalBytes(where+" value", record.Value, want.Value)
		equal(where+" timestamp", record.Timestamp.UnixMilli(), want.Timestamp.UnixMilli())
		equal(where+" headers", len(record.Headers), len(want.Headers))
		for at, header := range record.Headers {
			equal(where+" header key", header.Key, want.Headers[at].Key)
			equalBytes(where+" header value", header.Value, want.Headers[at].Value)
		}
	}
}

func roundTrip(ctx context.Context, bootstrap, topic string, partition int) {
	// The idempotent producer is the default; every second codec goes without.
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[partition]), kgo.ProducerBatchMaxBytes(maxMessageBytes),
		kgo.ProducerLinger(20 * time.Millisecond)}
	if partition%2 == 1 {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	must("producer", err)
	wanted := records(topic, partition)
	for _, result := range client.ProduceSync(ctx, records(topic, partition)...) {
		must(names[partition]+": produce", result.Err)
	}
	client.Close()
	compare(names[partition], read(ctx, bootstrap, topic, partition, 0, int64(len(wanted))), wanted, 0)
	compare(names[partition]+" from 100",
		read(ctx, bootstrap, topic, partition, 100, int64(len(wanted)-100)), wanted[100:], 100)
}

func groups(ctx context.Context, bootstrap, topic string, wanted int) {
	seen := map[string]bool{}
	total := 0
	for _, stopAfter := range []int{100, wanted} {
		client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
			kgo.ConsumerGroup("group-"+topic), kgo.DisableAutoCommit(), kgo.FetchMaxPartitionBytes(8<<20),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		must("group consumer", err)
		for total < stopAfter {
			fetches := client.PollRecords(ctx, 100)
			for _, err := range fetches.Errors() {
				fail("group fetch: %v", err.Err)
			}
			for _, record := range fetches.Records() {
				seen[fmt.Sprintf("%d/%d", record.Partition, record.Offset)] = true
				total++
			}
			must("commit", client.CommitUncommittedOffsets(ctx))
		}
		client.Close()
	}
	equal("group: records", len(seen), wanted)
	equal("group: none twice", total, wanted)
}

func main() {
	if len(os.Args) < 2 {
		fail("usage: franz BOOTSTRAP [--groups]")
	}
	bootstrap := os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	topic := fmt.Sprintf("interop-franz-%d", time.Now().UnixMilli())

	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	must("client", err)
	admin := kadm.NewClient(client)
	// The records are years old: no retention may take them away while they are compared.
	size, forever := fmt.Sprint(maxMessageBytes), "-1"
	_, err = admin.CreateTopic(ctx, int32(len(codecs)), 1, map[string]*string{"max.message.bytes": &size, "retention.ms": &forever}, topic)
	must("create", err)
	for partition := range codecs {
		roundTrip(ctx, bootstrap, topic, partition)
	}

	details, err := admin.ListTopics(ctx, topic)
	must("metadata", err)
	equal("partitions", len(details[topic].Partitions), len(codecs))
	wanted := int64(len(records(topic, 0)))
	ends, err := admin.ListEndOffsets(ctx, topic)
	must("end offsets", err)
	starts, err := admin.ListStartOffsets(ctx, topic)
	must("start offsets", err)
	after, err := admin.ListOffsetsAfterMilli(ctx, firstTimestamp+95, topic)
	must("offsets by time", err)
	for partition := range codecs {
		at := func(list kadm.ListedOffsets) int64 { o, _ := list.Lookup(topic, int32(partition)); must("offset", o.Err); return o.Offset }
		equal("end", at(ends), wanted)
		equal("start", at(starts), 0)
		equal("offset for a time", at(after), 10)
	}
	described, err := admin.DescribeTopicConfigs(ctx, topic)
	must("configs", err)
	for _, config := range described[0].Configs {
		if config.Key == "max.message.bytes" {
			equal("max.message.bytes", config.MaybeValue(), size)
		}
	}
	if len(os.Args) > 2 && os.Args[2] == "--groups" {
		groups(ctx, bootstrap, topic, int(wanted)*len(codecs))
	}
	_, err = admin.DeleteTopics(ctx, topic)
	must("delete", err)
	fmt.Printf("franz-go: %d comparisons equal\n", comparisons)
}
