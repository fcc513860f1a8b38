// The lines of a file through kafkajs: lines.js BOOTSTRAP TOPIC IN OUT [--groups].
//
// Creates the topic and writes one record per line to its one partition. With --groups it reads them
// in a group of its own and writes them to OUT, a line each.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const cache = process.env.NODE_MODULES || path.join(__dirname, "node_modules");
const { Kafka, logLevel } = require(path.join(cache, "kafkajs"));

const SENT_AT_ONCE = 5000;

/** The lines as the file has them, which need not be UTF-8. */
function split(content) {
  const lines = [];
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(10, from);
    lines.push(content.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

async function write(kafka, topic, lines) {
  const producer = kafka.producer();
  await producer.connect();
  for (let at = 0; at < lines.length; at += SENT_AT_ONCE) {
    const messages = lines.slice(at, at + SENT_AT_ONCE).map((value) => ({ value, partition: 0 }));
    const [answer] = await producer.send({ topic, acks: -1, messages });
    assert.strictEqual(answer.errorCode, 0);
    assert.strictEqual(answer.baseOffset, String(at));
  }
  await producer.disconnect();
}

async function read(kafka, topic, count, target) {
  const out = fs.openSync(target, "w");
  const consumer = kafka.consumer({ groupId: `group-${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let next = 0;
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, (event) => reject(event.payload.error));
    consumer.run({
      eachBatch: async ({ batch }) => {
        const fresh = batch.messages.filter((message) => Number(message.offset) >= next);
        fs.writeSync(out, Buffer.concat(fresh.flatMap(({ value }) => [value, Buffer.from("\n")])));
        next += fresh.length;
        if (next >= count) resolve();
      },
    }).catch(reject);
  });
  await consumer.disconnect();
  fs.closeSync(out);
}

async function main() {
  const [bootstrap, topic, source, target, mode] = process.argv.slice(2);
  const lines = split(fs.readFileSync(source));
  const kafka = new Kafka({ clientId: "lines", brokers: [bootstrap], logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
  await admin.disconnect();
  await write(kafka, topic, lines);
  if (mode === "--groups") await read(kafka, topic, lines.length, target);
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
