// Sarama against a broker: sarama BOOTSTRAP [--groups].
//
// Makes a topic of its own, writes records with every codec, reads them back by assignment and, on
// request, in a group of two members; compares keys, values, headers, timestamps and offsets.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"millrace.invalid/interop/check"
)

var codecs = []sarama.CompressionCodec{
	sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.MaxMessageBytes = check.MaxMessageBytes
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Fetch.Max = 8 << 20
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	return config
}

func encoder(value []byte) sarama.Encoder {
	if value == nil {
		return nil
	}
	return sarama.ByteEncoder(value)
}

func produce(bootstrap, topic string, partition int) {
	config := config()
	config.Producer.Compression = codecs[partition]
	if partition%2 == 0 {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	check.Must("producer", err)
	for index, record := range check.Records(partition) {
		message := &sarama.ProducerMessage{
			Topic: topic, Partition: int32(partition), Key: encoder(record.Key), Value: encoder(record.Value),
			Timestamp: time.UnixMilli(record.Timestamp),
		}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
		}
		_, offset, err := producer.SendMessage(message)
		check.Must("produce", err)
		check.Equal("offset told to the producer", offset, int64(index))
	}
	check.Must("close the producer", producer.Close())
}

func compare(what string, got *sarama.ConsumerMessage, want check.Record, offset int64) {
	where := fmt.Sprintf("%s: record %d", what, offset)
	check.Equal(where+" offset", got.Offset, offset)
	check.EqualBytes(where+" key", got.Key, want.Key)
	check.EqualBytes(where+" value", got.Value, want.Value)
	check.Equal(where+" timestamp", got.Timestamp.UnixMilli(), want.Timestamp)
	check.Equal(where+" headers", len(got.Headers), len(want.Headers))
	for at, header := range got.Headers {
		check.Equal(where+" header key", string(header.Key), want.Headers[at].Key)
		check.EqualBytes(where+" header value", header.Value, want.Headers[at].Value)
	}
}

func consume(bootstrap, topic string, partition int, from int64) {
	consumer, err := sarama.NewConsumer([]string{bootstrap}, config())
	check.Must("consumer", err)
	defer consumer.Close()
	stream, err := consumer.ConsumePartition(topic, int32(partition), from)
	check.Must("consume", err)
	defer stream.Close()
	wanted := check.Records(partition)
	for offset := from; offset < int64(len(wanted)); offset++ {
		select {
		case message := <-stream.Messages():
			compare(codecs[partition].String(), message, wanted[offset], offset)
		case <-time.After(30 * time.Second):
			check.Fail("partition %d: nothing at %d within 30 s", partition, offset)
		}
	}
}

// One member of the group: counts what it sees, marks it, and is done when the group has all.
type member struct {
	mutex  *sync.Mutex
	seen   map[string]int
	wanted int
	done   func()
}

func (member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (member member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		session.MarkMessage(message, "")
		member.mutex.Lock()
		member.seen[fmt.Sprintf("%d/%d", message.Partition, message.Offset)]++
		if len(member.seen) == member.wanted {
			member.done()
		}
		member.mutex.Unlock()
	}
	return nil
}

func groups(bootstrap, topic string, wanted int) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	all, done := context.WithCancel(ctx)
	member := member{&sync.Mutex{}, map[string]int{}, wanted, done}
	var members sync.WaitGroup
	for range 2 {
		group, err := sarama.NewConsumerGroup([]string{bootstrap}, "group-"+topic, config())
		check.Must("group", err)
		members.Add(1)
		go func() {
			defer members.Done()
			for all.Err() == nil {
				check.Must("group consume", group.Consume(all, []string{topic}, member))
			}
			check.Must("leave", group.Close())
		}()
	}
	members.Wait()
	check.Equal("group: records", len(member.seen), wanted)
}

func main() {
	check.Client = "sarama"
	if len(os.Args) < 2 {
		check.Fail("usage: sarama BOOTSTRAP [--groups]")
	}
	if os.Args[1] == "member" {
		groupMember(os.Args[2:])
		return
	}
	bootstrap := os.Args[1]
	topic := fmt.Sprintf("interop-sarama-%d", time.Now().UnixMilli())
	admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
	check.Must("admin", err)
	// The records are years old: no retention may take them away while they are compared.
	size, forever := fmt.Sprint(check.MaxMessageBytes), "-1"
	check.Must("create", admin.CreateTopic(topic, &sarama.TopicDetail{
		NumPartitions: int32(len(codecs)), ReplicationFactor: 1,
		ConfigEntries: map[string]*string{"max.message.bytes": &size, "retention.ms": &forever},
	}, false))
	for partition := range codecs {
		produce(bootstrap, topic, partition)
		consume(bootstrap, topic, partition, 0)
		consume(bootstrap, topic, partition, 100)
	}
	client, err := sarama.NewClient([]string{bootstrap}, config())
	check.Must("client", err)
	count := int64(len(check.Records(0)))
	for partition := range codecs {
		for time, wanted := range map[int64]int64{sarama.OffsetOldest: 0, sarama.OffsetNewest: count, check.FirstTimestamp + 95: 10} {
			offset, err := client.GetOffset(topic, int32(partition), time)
			check.Must("offset", err)
			check.Equal("offset", offset, wanted)
		}
	}
	described, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"max.message.bytes"}})
	check.Must("configs", err)
	check.Equal("max.message.bytes", described[0].Value, size)
	if len(os.Args) > 2 && os.Args[2] == "--groups" {
		groups(bootstrap, topic, int(count)*len(codecs))
		listed, err := admin.ListConsumerGroupOffsets("group-"+topic, nil)
		check.Must("committed offsets", err)
		for partition := range codecs {
			check.Equal("committed", listed.GetBlock(topic, int32(partition)).Offset, count)
		}
		check.Must("delete the group", admin.DeleteConsumerGroup("group-"+topic))
	}
	check.Must("delete records", admin.DeleteRecords(topic, map[int32]int64{0: 7}))
	oldest, err := client.GetOffset(topic, 0, sarama.OffsetOldest)
	check.Must("offset", err)
	check.Equal("oldest after DeleteRecords", oldest, 7)
	check.Must("delete", admin.DeleteTopic(topic))
	fmt.Printf("sarama: %d comparisons equal\n", check.Comparisons)
}
