// The lines of a file through franz-go: lines BOOTSTRAP TOPIC IN OUT.
//
// Creates the topic, writes one record per line to its one partition, reads them from offset 0 on and
// writes them to OUT, a line each.
package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"millrace.invalid/interop/check"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	bootstrap, topic := os.Args[1], os.Args[2]
	content, err := os.ReadFile(os.Args[3])
	check.Must("lines", err)
	lines := bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
	write(ctx, bootstrap, topic, lines)
	out, err := os.Create(os.Args[4])
	check.Must("output", err)
	buffered := bufio.NewWriter(out)
	read(ctx, bootstrap, topic, len(lines), buffered)
	check.Must("output", buffered.Flush())
	check.Must("output", out.Close())
}

func write(ctx context.Context, bootstrap, topic string, lines [][]byte) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ProducerLinger(20*time.Millisecond))
	check.Must("producer", err)
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, topic)
	check.Must("topic", err)
	var failed atomic.Pointer[error]
	for _, line := range lines {
		client.Produce(ctx, &kgo.Record{Topic: topic, Value: line}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	check.Must("flush", client.Flush(ctx))
	if err := failed.Load(); err != nil {
		check.Fail("produce: %v", *err)
	}
}

func read(ctx context.Context, bootstrap, topic string, count int, out *bufio.Writer) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}))
	check.Must("consumer", err)
	defer client.Close()
	for count > 0 {
		fetches := client.PollFetches(ctx)
		for _, err := range fetches.Errors() {
			check.Fail("fetch, %d are left: %v", count, err.Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			out.Write(record.Value)
			out.WriteByte('\n')
		})
		count -= fetches.NumRecords()
	}
}
