// kafkajs against a broker: kafkajs.js BOOTSTRAP [--groups].
//
// kafkajs consumes in groups only. Without --groups its producing half is tested: a topic of its
// own, records with every codec, the offsets that come back, the end offsets afterwards. With
// --groups the records are read back and compared too. Ends with status 1 on a difference.

const assert = require("node:assert");
const path = require("node:path");
const cache = process.env.NODE_MODULES || path.join(__dirname, "node_modules");
const load = (name) => require(path.join(cache, name));
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = load("kafkajs");
const snappy = load("snappyjs");
const lz4 = load("lz4-napi");
const zstd = load("@bokuweb/zstd-wasm");

const CODECS = ["None", "GZIP", "Snappy", "LZ4", "ZSTD"];
const FIRST_TIMESTAMP = 1_700_000_000_000;
const MAX_MESSAGE_BYTES = 6 << 20;
let comparisons = 0;

function equal(what, got, wanted) {
  assert.deepStrictEqual(got, wanted, what);
  comparisons += 1;
}

/** Kafka's snappy frames: a header of 16 bytes, then blocks with their length. */
function unframeSnappy(buffer) {
  if (buffer.subarray(1, 7).toString() !== "SNAPPY") return snappy.uncompress(buffer);
  const blocks = [];
  for (let at = 16; at < buffer.length; ) {
    const size = buffer.readUInt32BE(at);
    blocks.push(snappy.uncompress(buffer.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

function codecs() {
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: async (encoder) => Buffer.from(snappy.compress(encoder.buffer)),
    decompress: async (buffer) => Buffer.from(unframeSnappy(buffer)),
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async (encoder) => lz4.compressFrame(encoder.buffer),
    decompress: async (buffer) => lz4.decompressFrame(buffer),
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async (encoder) => Buffer.from(zstd.compress(encoder.buffer, 3)),
    decompress: async (buffer) => Buffer.from(zstd.decompress(buffer)),
  });
}

/** Bytes that do not compress, the same for the same seed. */
function noise(size, seed) {
  const out = Buffer.alloc(size);
  let state = seed + 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}

function records(partition) {
  const out = [];
  const add = (key, value, headers = {}) =>
    out.push({ partition, key, value, headers, timestamp: String(FIRST_TIMESTAMP + out.length * 10) });
  add(null, Buffer.from("no key"));
  add(Buffer.from("no value"), null);
  add(null, null);
  add(Buffer.alloc(0), Buffer.alloc(0));
  add(Buffer.from("headers"), Buffer.from("x"), { a: [Buffer.from("1"), Buffer.from("2")], b: Buffer.from([0, 255]) });
  for (let index = 0; index < 300; index += 1) {
    const key = index % 3 ? Buffer.from(`k${index % 7}`) : null;
    add(key, Buffer.from(`line ${index} of a log\n`.repeat(index % 5)));
  }
  add(Buffer.from("noise"), noise(70_000, partition));
  add(Buffer.from("zeros"), Buffer.alloc(900_000));
  add(Buffer.from("big"), noise((5 << 20) - 4096, partition + 100));
  add(Buffer.from("after big"), Buffer.from("end"));
  return out;
}

async function main() {
  const [bootstrap, mode] = process.argv.slice(2);
  await zstd.init();
  codecs();
  const kafka = new Kafka({ clientId: "interop", brokers: [bootstrap], logLevel: logLevel.ERROR });
  const topic = `interop-kafkajs-${Date.now()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: CODECS.length, replicationFactor: 1,
      configEntries: [{ name: "max.message.bytes", value: String(MAX_MESSAGE_BYTES) },
        { name: "retention.ms", value: "-1" }] }],
  });
  for (const [partition, codec] of CODECS.entries()) {
    // Every second codec with the idempotent producer.
    const producer = kafka.producer({ idempotent: partition % 2 === 0, maxInFlightRequests: 1 });
    await producer.connect();
    const messages = records(partition);
    let offset = 0;
    for (let at = 0; at < messages.length; at += 100) {
      const part = messages.slice(at, at + 100);
      const answer = await producer.send({ topic, acks: -1, compression: CompressionTypes[codec], messages: part });
      equal(`${codec}: error code`, answer[0].errorCode, 0);
      equal(`${codec}: base offset`, answer[0].baseOffset, String(offset));
      offset += part.length;
    }
    await producer.disconnect();
  }
  const count = records(0).length;
  for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
    equal(`partition ${partition}: high`, high, String(count));
    equal(`partition ${partition}: low`, low, "0");
  }
  const byTime = await admin.fetchTopicOffsetsByTimestamp(topic, FIRST_TIMESTAMP + 95);
  equal("offset for a time", byTime.find((entry) => entry.partition === 0).offset, "10");
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  equal("partitions", metadata.topics[0].partitions.length, CODECS.length);
  if (mode === "--groups") await groups(kafka, topic, count);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  console.log(`kafkajs: ${comparisons} comparisons equal`);
}

async function groups(kafka, topic, count) {
  const got = new Map(CODECS.map((_, partition) => [partition, []]));
  let total = 0;
  const consumer = kafka.consumer({ groupId: `group-${topic}`, maxBytesPerPartition: 8 << 20 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${total} records within 60 s`)), 60_000);
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        got.get(partition).push(message);
        total += 1;
        if (total === count * CODECS.length) {
          clearTimeout(late);
          resolve();
        }
      },
    });
  });
  await consumer.disconnect();
  for (const [partition, messages] of got) {
    const wanted = records(partition);
    for (const [index, message] of messages.entries()) {
      const where = `${CODECS[partition]}: record ${index}`;
      const want = wanted[index];
      equal(`${where} offset`, message.offset, String(index));
      equal(`${where} key`, message.key, want.key);
      assert.ok(
        want.value === null ? message.value === null : want.value.equals(message.value), `${where} value`);
      equal(`${where} timestamp`, message.timestamp, want.timestamp);
      equal(`${where} headers`, Object.keys(message.headers), Object.keys(want.headers));
    }
  }
}

main().catch((error) => {
  console.error("kafkajs: FAILED:", error.message, error.stack);
  process.exit(1);
});
