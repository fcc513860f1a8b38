package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/IBM/sarama"

	"millrace.invalid/interop/check"
)

// Prints what it processes and commits behind it.
type teller struct{}

func (teller) Setup(session sarama.ConsumerGroupSession) error {
	places := [][]any{}
	for topic, partitions := range session.Claims() {
		for _, partition := range partitions {
			places = append(places, []any{topic, partition})
		}
	}
	check.Tell("assigned", places)
	return nil
}

func (teller) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (teller) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		check.Tell("value", string(message.Value))
		session.MarkMessage(message, "")
		session.Commit()
	}
	return nil
}

// groupMember is one member of a group: sarama member BOOTSTRAP GROUP PROTOCOL TOPIC INSTANCE. See
// python/members.py for what it is given and prints. Sarama knows the classic protocol only, and
// no patterns.
func groupMember(arguments []string) {
	bootstrap, group, topic, instance := arguments[0], arguments[1], arguments[3], arguments[4]
	config := config()
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Group.InstanceId = instance
	// Sarama commits over the connection that it fetches over, one request at a time: each commit waits
	// until a fetch that found nothing is over, and so does each record's here.
	config.Consumer.MaxWaitTime = 20 * time.Millisecond
	config.Metadata.RefreshFrequency = 2 * time.Second
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	// Sarama gives up where other clients go on: it is made anew, as its users do.
	for ctx.Err() == nil {
		member, err := sarama.NewConsumerGroup([]string{bootstrap}, group, config)
		for err == nil && ctx.Err() == nil {
			err = member.Consume(ctx, []string{topic}, teller{})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "consume:", err)
			time.Sleep(200 * time.Millisecond)
		}
		if member != nil {
			if err := member.Close(); err != nil {
				fmt.Fprintln(os.Stderr, "close:", err)
			}
		}
	}
}
