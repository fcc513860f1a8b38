// franz-go against a broker: franz BOOTSTRAP [--groups].
//
// Makes a topic of its own, writes records with every codec, reads them back by assignment and
// compares keys, values, headers, timestamps, order and offsets. Ends with status 1 and the first
// difference if anything is not equal.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"millrace.invalid/interop/check"
)

var (
	names  = []string{"none", "gzip", "snappy", "lz4", "zstd"}
	codecs = []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
)

func records(topic string, partition int) []*kgo.Record {
	var out []*kgo.Record
	for _, record := range check.Records(partition) {
		var headers []kgo.RecordHeader
		for _, header := range record.Headers {
			headers = append(headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
		}
		out = append(out, &kgo.Record{
			Topic: topic, Partition: int32(partition), Key: record.Key, Value: record.Value, Headers: headers,
			Timestamp: time.UnixMilli(record.Timestamp),
		})
	}
	return out
}

func read(ctx context.Context, bootstrap, topic string, partition int, from, count int64) []*kgo.Record {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.FetchMaxPartitionBytes(8<<20),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {int32(partition): kgo.NewOffset().At(from)}}))
	check.Must("consumer", err)
	defer client.Close()
	var got []*kgo.Record
	for int64(len(got)) < count {
		fetches := client.PollFetches(ctx)
		for _, err := range fetches.Errors() {
			check.Fail("fetch: %v", err.Err)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}

func compare(what string, got, wanted []*kgo.Record, first int64) {
	check.Equal(what+": number of records", len(got), len(wanted))
	for index, record := range got {
		where := fmt.Sprintf("%s: record %d", what, index)
		want := wanted[index]
		check.Equal(where+" offset", record.Offset, first+int64(index))
		check.EqualBytes(where+" key", record.Key, want.Key)
		check.EqualBytes(where+" value", record.Value, want.Value)
		check.Equal(where+" timestamp", record.Timestamp.UnixMilli(), want.Timestamp.UnixMilli())
		check.Equal(where+" headers", len(record.Headers), len(want.Headers))
		for at, header := range record.Headers {
			check.Equal(where+" header key", header.Key, want.Headers[at].Key)
			check.EqualBytes(where+" header value", header.Value, want.Headers[at].Value)
		}
	}
}

func roundTrip(ctx context.Context, bootstrap, topic string, partition int) {
	// The idempotent producer is the default; every second codec goes without.
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[partition]), kgo.ProducerBatchMaxBytes(check.MaxMessageBytes),
		kgo.ProducerLinger(20 * time.Millisecond)}
	if partition%2 == 1 {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	check.Must("producer", err)
	wanted := records(topic, partition)
	for _, result := range client.ProduceSync(ctx, records(topic, partition)...) {
		check.Must(names[partition]+": produce", result.Err)
	}
	client.Close()
	compare(names[partition], read(ctx, bootstrap, topic, partition, 0, int64(len(wanted))), wanted, 0)
	compare(names[partition]+" from 100",
		read(ctx, bootstrap, topic, partition, 100, int64(len(wanted)-100)), wanted[100:], 100)
}

// They work, or are refused for good and at once: nobody waits for what does not come.
func transactions(ctx context.Context, bootstrap, topic string) {
	started := time.Now()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(topic), kgo.AllowAutoTopicCreation())
	check.Must("transactional client", err)
	defer client.Close()
	if err = client.BeginTransaction(); err == nil {
		err = client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("in a transaction")}).FirstErr()
	}
	if err == nil {
		check.Must("commit", client.EndTransaction(ctx, kgo.TryCommit))
		check.Equal("transactions: records", len(read(ctx, bootstrap, topic, 0, 0, 1)), 1)
	} else {
		var refused *kerr.Error
		check.Equal(fmt.Sprintf("transactions: refused by the broker: %v", err), errors.As(err, &refused), true)
		check.Equal(fmt.Sprintf("transactions: refused to be tried again: %v", err), refused.Retriable, false)
	}
	check.Equal("transactions: known within 30 s", time.Since(started) < 30*time.Second, true)
}

func groups(ctx context.Context, bootstrap, topic string, wanted int) {
	seen := map[string]bool{}
	total := 0
	for _, stopAfter := range []int{100, wanted} {
		client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
			kgo.ConsumerGroup("group-"+topic), kgo.DisableAutoCommit(), kgo.FetchMaxPartitionBytes(8<<20),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		check.Must("group consumer", err)
		for total < stopAfter {
			fetches := client.PollRecords(ctx, 100)
			for _, err := range fetches.Errors() {
				check.Fail("group fetch: %v", err.Err)
			}
			for _, record := range fetches.Records() {
				seen[fmt.Sprintf("%d/%d", record.Partition, record.Offset)] = true
				total++
			}
			check.Must("commit", client.CommitUncommittedOffsets(ctx))
		}
		client.Close()
	}
	check.Equal("group: records", len(seen), wanted)
	check.Equal("group: none twice", total, wanted)
}

func main() {
	check.Client = "franz-go"
	if len(os.Args) < 2 {
		check.Fail("usage: franz BOOTSTRAP [--groups]")
	}
	if os.Args[1] == "member" {
		member(os.Args[2:])
		return
	}
	bootstrap := os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	topic := fmt.Sprintf("interop-franz-%d", time.Now().UnixMilli())

	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	check.Must("client", err)
	admin := kadm.NewClient(client)
	// The records are years old: no retention may take them away while they are compared.
	size, forever := fmt.Sprint(check.MaxMessageBytes), "-1"
	_, err = admin.CreateTopic(ctx, int32(len(codecs)), 1, map[string]*string{"max.message.bytes": &size, "retention.ms": &forever}, topic)
	check.Must("create", err)
	for partition := range codecs {
		roundTrip(ctx, bootstrap, topic, partition)
	}

	details, err := admin.ListTopics(ctx, topic)
	check.Must("metadata", err)
	check.Equal("partitions", len(details[topic].Partitions), len(codecs))
	wanted := int64(len(records(topic, 0)))
	ends, err := admin.ListEndOffsets(ctx, topic)
	check.Must("end offsets", err)
	starts, err := admin.ListStartOffsets(ctx, topic)
	check.Must("start offsets", err)
	after, err := admin.ListOffsetsAfterMilli(ctx, check.FirstTimestamp+95, topic)
	check.Must("offsets by time", err)
	for partition := range codecs {
		at := func(list kadm.ListedOffsets) int64 {
			o, _ := list.Lookup(topic, int32(partition))
			check.Must("offset", o.Err)
			return o.Offset
		}
		check.Equal("end", at(ends), wanted)
		check.Equal("start", at(starts), 0)
		check.Equal("offset for a time", at(after), 10)
	}
	described, err := admin.DescribeTopicConfigs(ctx, topic)
	check.Must("configs", err)
	for _, config := range described[0].Configs {
		if config.Key == "max.message.bytes" {
			check.Equal("max.message.bytes", config.MaybeValue(), size)
		}
	}
	transactions(ctx, bootstrap, topic+"-transactions")
	if len(os.Args) > 2 && os.Args[2] == "--groups" {
		groups(ctx, bootstrap, topic, int(wanted)*len(codecs))
	}
	_, err = admin.DeleteTopics(ctx, topic)
	check.Must("delete", err)
	fmt.Printf("franz-go: %d comparisons equal\n", check.Comparisons)
}
