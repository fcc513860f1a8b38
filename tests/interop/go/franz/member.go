package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"millrace.invalid/interop/check"
)

// member is one member of a group: franz member BOOTSTRAP GROUP PROTOCOL TOPIC INSTANCE. See
// python/members.py for what it is given and prints.
func member(arguments []string) {
	bootstrap, group, protocol, topic, instance := arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]
	told := func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
		places := [][]any{}
		for topic, partitions := range assigned {
			for _, partition := range partitions {
				places = append(places, []any{topic, partition})
			}
		}
		check.Tell("assigned", places)
	}
	options := []kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.MetadataMinAge(500 * time.Millisecond), kgo.MetadataMaxAge(2 * time.Second),
		kgo.OnPartitionsAssigned(told)}
	if protocol == "consumer" {
		options = append(options, kgo.ServerSideBalancer())
	}
	if instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	if strings.HasPrefix(topic, "^") {
		options = append(options, kgo.ConsumeRegex())
	}
	client, err := kgo.NewClient(options...)
	check.Must("member", err)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, 100)
		for _, record := range fetches.Records() {
			check.Tell("value", string(record.Value))
		}
		if fetches.NumRecords() > 0 {
			if err := client.CommitUncommittedOffsets(ctx); err != nil {
				fmt.Fprintln(os.Stderr, "commit:", err)
			}
		}
	}
	client.Close()
}
