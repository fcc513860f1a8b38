// @platformatic/kafka against a broker: platformatic.mjs BOOTSTRAP [--groups].
//
// A topic of its own, records with every codec this client has on every Node, half of them by an
// idempotent producer; the end offsets afterwards. With --groups the records are read back in a
// group and compared. PLATFORMATIC_GROUP_PROTOCOLS (default: classic) says by which protocols,
// with commas between. Ends with status 1 on a difference.

import assert from "node:assert";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const cache = process.env.NODE_MODULES || path.join(import.meta.dirname, "node_modules");
const entry = createRequire(path.join(cache, "x.js")).resolve("@platformatic/kafka");
const { Admin, Consumer, ListOffsetTimestamps, ProduceAcks, Producer } = await import(pathToFileURL(entry));

const CODECS = ["none", "gzip", "snappy", "lz4"];
const FIRST_TIMESTAMP = 1_700_000_000_000n;
const PATIENCE_MS = 60_000;
let comparisons = 0;

function equal(what, got, wanted) {
  assert.deepStrictEqual(got, wanted, what);
  comparisons += 1;
}

function records(topic, partition) {
  const out = [];
  const add = (key, value, headers = []) =>
    out.push({ topic, partition, key: key && Buffer.from(key), value: Buffer.from(value),
      headers: new Map(headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
      timestamp: FIRST_TIMESTAMP + BigInt(out.length * 10) });
  add(undefined, "no key");
  add("headers", "x", [["a", "1"], ["b", ""]]);
  for (let index = 0; index < 300; index += 1) {
    add(index % 3 ? `k${index % 7}` : undefined, `line ${index} of a log\n`.repeat(1 + (index % 5)));
  }
  add("zeros", Buffer.alloc(900_000));
  return out;
}

async function produce(bootstrapBrokers, topic, partition) {
  const producer = new Producer({ clientId: "interop", bootstrapBrokers, idempotent: partition % 2 === 0 });
  const messages = records(topic, partition);
  for (let at = 0; at < messages.length; at += 100) {
    const answer = await producer.send({ messages: messages.slice(at, at + 100),
      compression: CODECS[partition], acks: ProduceAcks.ALL });
    equal(`${CODECS[partition]}: base offset`, answer.offsets[0].offset, BigInt(at));
  }
  await producer.close();
}

async function consume(bootstrapBrokers, topic, groupProtocol) {
  const wanted = CODECS.map((_, partition) => records(topic, partition));
  let left = wanted.reduce((sum, list) => sum + list.length, 0);
  const seen = CODECS.map(() => 0);
  const consumer = new Consumer({ groupId: `group-${groupProtocol}-${topic}`, clientId: "interop", bootstrapBrokers,
    groupProtocol });
  const stream = await consumer.consume({ autocommit: true, topics: [topic], mode: "earliest", maxBytes: 8 << 20,
    ...(groupProtocol === "classic" ? { sessionTimeout: 10_000, heartbeatInterval: 500 } : {}) });
  for await (const message of stream) {
    const { partition, offset } = message;
    const where = `${groupProtocol}, ${CODECS[partition]}: record ${offset}`;
    const want = wanted[partition][Number(offset)];
    equal(`${where} in order`, Number(offset), seen[partition]);
    seen[partition] += 1;
    equal(`${where} key`, message.key?.toString() ?? "", want.key?.toString() ?? "");
    assert.ok(want.value.equals(message.value), `${where} value`);
    equal(`${where} timestamp`, message.timestamp, want.timestamp);
    equal(`${where} headers`, [...message.headers].map(String), [...want.headers].map(String));
    left -= 1;
    if (left === 0) break;
  }
  await consumer.close(true);
}

async function main() {
  const [bootstrap, mode] = process.argv.slice(2);
  const bootstrapBrokers = [bootstrap];
  const topic = `interop-platformatic-${Date.now()}`;
  const admin = new Admin({ clientId: "interop", bootstrapBrokers });
  await admin.createTopics({ topics: [topic], partitions: CODECS.length, replicas: 1,
    configs: [{ name: "retention.ms", value: "-1" }] });
  for (const partition of CODECS.keys()) await produce(bootstrapBrokers, topic, partition);
  const [{ partitions }] = await admin.listOffsets({ topics: [{ name: topic,
    partitions: CODECS.map((_, partitionIndex) => ({ partitionIndex, timestamp: ListOffsetTimestamps.LATEST })) }] });
  for (const { partitionIndex, offset } of partitions) {
    equal(`${CODECS[partitionIndex]}: end`, offset, BigInt(records(topic, partitionIndex).length));
  }
  if (mode === "--groups") {
    for (const protocol of (process.env.PLATFORMATIC_GROUP_PROTOCOLS || "classic").split(",")) {
      await consume(bootstrapBrokers, topic, protocol);
    }
  }
  await admin.deleteTopics({ topics: [topic] });
  await admin.close();
  console.log(`platformatic: ${comparisons} comparisons equal`);
}

setTimeout(() => {
  console.error(`platformatic: FAILED: not done within ${PATIENCE_MS / 1000} s`);
  process.exit(1);
}, PATIENCE_MS).unref();
main().catch((error) => {
  console.error("platformatic: FAILED:", error.message, error.stack);
  process.exit(1);
});
