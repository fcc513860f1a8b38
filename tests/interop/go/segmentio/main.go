// segmentio/kafka-go against a broker: segmentio BOOTSTRAP [--groups].
//
// Makes a topic of its own, writes records with every codec, reads them back by partition and, on
// request, in a group; compares keys, values, headers, timestamps and offsets.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"

	"millrace.invalid/interop/check"
)

var codecs = []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd}

func produce(ctx context.Context, bootstrap, topic string, partition int) {
	writer := &kafka.Writer{
		Addr: kafka.TCP(bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll, Compression: codecs[partition],
		BatchBytes: check.MaxMessageBytes, BatchTimeout: 20 * time.Millisecond,
		Balancer: kafka.BalancerFunc(func(kafka.Message, ...int) int { return partition }),
	}
	var messages []kafka.Message
	for _, record := range check.Records(partition) {
		message := kafka.Message{Key: record.Key, Value: record.Value, Time: time.UnixMilli(record.Timestamp)}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: header.Key, Value: header.Value})
		}
		messages = append(messages, message)
	}
	check.Must("produce", writer.WriteMessages(ctx, messages...))
	check.Must("close the writer", writer.Close())
}

func compare(what string, got kafka.Message, want check.Record, offset int64) {
	where := fmt.Sprintf("%s: record %d", what, offset)
	check.Equal(where+" offset", got.Offset, offset)
	// This client does not tell null from empty.
	check.Equal(where+" key", string(got.Key), string(want.Key))
	check.Equal(where+" value", string(got.Value), string(want.Value))
	check.Equal(where+" timestamp", got.Time.UnixMilli(), want.Timestamp)
	check.Equal(where+" headers", len(got.Headers), len(want.Headers))
	for at, header := range got.Headers {
		check.Equal(where+" header key", header.Key, want.Headers[at].Key)
		check.Equal(where+" header value", string(header.Value), string(want.Headers[at].Value))
	}
}

func consume(ctx context.Context, bootstrap, topic string, partition int, from int64) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{bootstrap}, Topic: topic, Partition: partition, MaxBytes: 8 << 20, MaxWait: time.Second,
	})
	defer reader.Close()
	check.Must("seek", reader.SetOffset(from))
	wanted := check.Records(partition)
	for offset := from; offset < int64(len(wanted)); offset++ {
		message, err := reader.ReadMessage(ctx)
		check.Must(fmt.Sprintf("read %d of partition %d", offset, partition), err)
		compare(fmt.Sprintf("codec %d", partition), message, wanted[offset], offset)
	}
}

// Two members one after the other: the second goes on where the first has committed.
func groups(ctx context.Context, bootstrap, topic string, wanted int) {
	seen := map[string]bool{}
	for _, until := range []int{100, wanted} {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{bootstrap}, GroupID: "group-" + topic, GroupTopics: []string{topic}, MaxBytes: 8 << 20,
			StartOffset: kafka.FirstOffset, MaxWait: time.Second,
		})
		for len(seen) < until {
			message, err := reader.FetchMessage(ctx)
			check.Must("group fetch", err)
			check.Must("commit", reader.CommitMessages(ctx, message))
			key := fmt.Sprintf("%d/%d", message.Partition, message.Offset)
			if seen[key] {
				check.Fail("group: %s came twice", key)
			}
			seen[key] = true
		}
		check.Must("leave", reader.Close())
	}
	check.Equal("group: records", len(seen), wanted)
}

func main() {
	check.Client = "segmentio"
	if len(os.Args) < 2 {
		check.Fail("usage: segmentio BOOTSTRAP [--groups]")
	}
	bootstrap := os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	topic := fmt.Sprintf("interop-segmentio-%d", time.Now().UnixMilli())
	client := &kafka.Client{Addr: kafka.TCP(bootstrap)}
	// The records are years old: no retention may take them away while they are compared.
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: topic, NumPartitions: len(codecs), ReplicationFactor: 1,
		ConfigEntries: []kafka.ConfigEntry{
			{ConfigName: "max.message.bytes", ConfigValue: fmt.Sprint(check.MaxMessageBytes)},
			{ConfigName: "retention.ms", ConfigValue: "-1"},
		},
	}}})
	check.Must("create", err)
	check.Must("create the topic", created.Errors[topic])
	for partition := range codecs {
		produce(ctx, bootstrap, topic, partition)
		consume(ctx, bootstrap, topic, partition, 0)
		consume(ctx, bootstrap, topic, partition, 100)
	}
	count := len(check.Records(0))
	var requests []kafka.OffsetRequest
	for partition := range codecs {
		requests = append(requests, kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition))
	}
	offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: requests}})
	check.Must("offsets", err)
	for _, partition := range offsets.Topics[topic] {
		check.Must("offset", partition.Error)
		check.Equal("first offset", partition.FirstOffset, 0)
		check.Equal("last offset", partition.LastOffset, int64(count))
	}
	if len(os.Args) > 2 && os.Args[2] == "--groups" {
		groups(ctx, bootstrap, topic, count*len(codecs))
	}
	deleted, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	check.Must("delete", err)
	check.Must("delete the topic", deleted.Errors[topic])
	fmt.Printf("segmentio: %d comparisons equal\n", check.Comparisons)
}
