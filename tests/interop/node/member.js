// One member of a group with kafkajs: member.js BOOTSTRAP GROUP PROTOCOL TOPIC.
//
// See python/members.py for what it is given and prints. kafkajs knows the classic protocol only,
// and neither static members nor topics that come later under a pattern: it looks once, when it
// subscribes.

const path = require("node:path");
const cache = process.env.NODE_MODULES || path.join(__dirname, "node_modules");
const { Kafka, logLevel } = require(path.join(cache, "kafkajs"));

async function main() {
  const [bootstrap, groupId, , topic] = process.argv.slice(2);
  const kafka = new Kafka({ clientId: "member", brokers: [bootstrap], logLevel: logLevel.ERROR,
    retry: { retries: 30, maxRetryTime: 1000 } });
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500, metadataMaxAge: 2000,
    maxWaitTimeInMs: 200 });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const assigned = Object.entries(payload.memberAssignment)
      .flatMap(([name, partitions]) => partitions.map((partition) => [name, partition]));
    console.log(JSON.stringify({ assigned }));
  });
  await consumer.connect();
  await consumer.subscribe({ topic: topic.startsWith("^") ? new RegExp(topic) : topic, fromBeginning: true });
  process.on("SIGTERM", () => consumer.disconnect().then(() => process.exit(0)));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic: name, partition, message }) => {
      console.log(JSON.stringify({ value: message.value.toString() }));
      const offset = String(BigInt(message.offset) + 1n);
      await consumer.commitOffsets([{ topic: name, partition, offset }]);
    },
  });
}

main().catch((error) => {
  console.error("kafkajs: FAILED:", error.message, error.stack);
  process.exit(1);
});
