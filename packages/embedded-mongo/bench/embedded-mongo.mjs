// The embedded MongoDB against servers that do no work at all, through the same driver, in one run:
// - find by _id among DOCUMENTS documents, against one that answers every find with a canned document;
// - insertMany of 1 KB documents, against one that answers ok and throws the documents away;
// - the time from a write to its change-stream event, from start to the first answer, and the memory per document.
//
//   npm run build && node --expose-gc bench/embedded-mongo.mjs [DOCUMENTS=1000000]
import { performance } from 'node:perf_hooks';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'bson';
import mongoose from 'mongoose';
import { row, section } from './report.mjs';

const DOCUMENTS = Number(process.argv[2] ?? 1_000_000);
const FINDS = 30_000;
const BATCH = 1000;
const TURNS = 10;
const ONE_KB = 'x'.repeat(960);
const { MongoClient } = mongoose.mongo;

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Speaks just enough of the protocol to keep the driver content, and knows nothing. */
async function startCanned(port = 0) {
  const document = { _id: 1, text: ONE_KB };
  const replyTo = (command) => {
    const [name] = Object.keys(command);
    if (name === 'find') return { cursor: { firstBatch: [document], id: 0n, ns: 'bench.docs' }, ok: 1 };
    if (name === 'insert') return { n: BATCH, ok: 1 };
    return {
      helloOk: true,
      ismaster: true,
      isWritablePrimary: true,
      minWireVersion: 0,
      maxWireVersion: 21,
      maxBsonObjectSize: 16777216,
      maxMessageSizeBytes: 48000000,
      maxWriteBatchSize: 100000,
      logicalSessionTimeoutMinutes: 30,
      ok: 1,
    };
  };
  const find = serialize(replyTo({ find: 1 }));
  const insert = serialize(replyTo({ insert: 1 }));
  const server = createServer((socket) => {
    let buffered = Buffer.alloc(0);
    const chunks = [];
    let size = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      while (size >= 16) {
        if (chunks[0].length < 4 || size >= chunks[0].readInt32LE(0)) {
          buffered = chunks.length > 1 ? Buffer.concat(chunks.splice(0)) : chunks.splice(0)[0];
          chunks.push(buffered);
        }
        const length = chunks[0].readInt32LE(0);
        if (size < length) return;
        answer(socket, buffered.subarray(0, length));
        chunks.splice(0);
        size -= length;
        if (size > 0) chunks.push(buffered.subarray(length));
      }
    });
  });
  const answer = (socket, frame) => {
    const isMsg = frame.readInt32LE(12) === 2013;
    const head = isMsg ? 21 : 36;
    const isFind = isMsg && frame[26] === 0x66 && frame[27] === 0x69; // "fi"
    const isInsert = isMsg && frame[26] === 0x69 && frame[27] === 0x6e && frame[28] === 0x73; // "ins"
    const body = isFind
      ? find
      : isInsert
        ? insert
        : serialize(replyTo(isMsg ? deserialize(frame.subarray(21)) : { hello: 1 }));
    const reply = Buffer.alloc(head + body.length);
    reply.writeInt32LE(reply.length, 0);
    reply.writeInt32LE(frame.readInt32LE(4), 8);
    reply.writeInt32LE(isMsg ? 2013 : 1, 12);
    if (!isMsg) reply.writeInt32LE(1, 32);
    reply.set(body, head);
    socket.write(reply);
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `mongodb://127.0.0.1:${server.address().port}/?directConnection=true`;
}

if (process.argv[2] === 'server') {
  const { EmbeddedMongo } = await import('embedded-mongo');
  const uri = process.argv[3] === 'canned' ? await startCanned() : (await EmbeddedMongo.start()).uri;
  process.on('message', () => {
    globalThis.gc?.();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    process.send({ bytes: heapUsed + Math.max(external, arrayBuffers) });
  });
  process.send({ uri });
} else await main();

async function startServer(kind) {
  const child = fork(fileURLToPath(import.meta.url), ['server', kind], {
    execArgv: ['--expose-gc', '--max-old-space-size=6000'],
  });
  const [{ uri }] = await once(child, 'message');
  const client = await new MongoClient(uri).connect();
  const memory = async () => {
    child.send('memory');
    return (await once(child, 'message'))[0].bytes;
  };
  return { child, client, memory, docs: client.db('bench').collection('docs') };
}

async function insertBatches({ docs }, batches, firstId) {
  const start = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const base = firstId + batch * BATCH;
    await docs.insertMany(Array.from({ length: BATCH }, (_, i) => ({ _id: base + i, text: ONE_KB })));
  }
  return performance.now() - start;
}

async function findById({ docs }, finds) {
  const start = performance.now();
  for (let i = 0; i < finds; i++) await docs.findOne({ _id: (i * 7919) % DOCUMENTS });
  return performance.now() - start;
}

/** Times two sorts of work by turns, so that what else the machine does falls on both; their rates, each of `count` a turn. */
async function byTurns(turns, count, first, second) {
  const taken = [0, 0];
  for (let turn = 0; turn < turns; turn++) {
    taken[0] += await first(turn);
    taken[1] += await second(turn);
  }
  return taken.map((ms) => (turns * count * 1000) / ms);
}

async function eventDelay({ client }) {
  const watched = client.db('bench').collection('watched');
  const stream = watched.watch();
  await once(stream, 'resumeTokenChanged', { signal: AbortSignal.timeout(5000) }).catch(() => {});
  const delays = [];
  let arrived;
  stream.on('change', () => arrived());
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (let i = 0; i < 200; i++) {
    const seen = new Promise((resolve) => (arrived = resolve));
    const start = performance.now();
    void watched.insertOne({ i });
    await seen;
    delays.push(performance.now() - start);
  }
  await stream.close();
  return median(delays);
}

async function startTime() {
  const { EmbeddedMongo } = await import('embedded-mongo');
  const start = performance.now();
  const mongo = await EmbeddedMongo.start();
  const client = await new MongoClient(mongo.uri).connect();
  await client.db('admin').command({ ping: 1 });
  const taken = performance.now() - start;
  await client.close();
  await mongo.stop();
  return taken;
}

async function main() {
  const startedIn = await startTime();
  const canned = await startServer('canned');
  const embedded = await startServer('embedded');
  const batches = Math.max(TURNS, Math.floor(DOCUMENTS / BATCH));
  const perTurn = Math.max(1, Math.min(10, Math.floor(batches / TURNS)));
  const timed = perTurn * TURNS;
  await insertBatches(canned, 20, 0);
  const before = await embedded.memory();
  await insertBatches(embedded, batches - timed, 0);
  const firstId = (turn) => (batches - timed + turn * perTurn) * BATCH;
  const [dropped, inserted] = await byTurns(
    TURNS,
    perTurn * BATCH,
    (turn) => insertBatches(canned, perTurn, firstId(turn)),
    (turn) => insertBatches(embedded, perTurn, firstId(turn)),
  );
  const after = await embedded.memory();
  await findById(canned, FINDS);
  await findById(embedded, FINDS);
  const [cannedFinds, finds] = await byTurns(
    TURNS,
    FINDS / TURNS,
    () => findById(canned, FINDS / TURNS),
    () => findById(embedded, FINDS / TURNS),
  );
  const delay = await eventDelay(embedded);
  const share = (part, whole) =>
    `${part.toFixed(0)}/s of ${whole.toFixed(0)}/s = ${((100 * part) / whole).toFixed(0)} %`;
  const perDocument = (after - before) / (batches * BATCH) / 1000;
  section(`The embedded MongoDB at ${DOCUMENTS.toLocaleString('en')} documents`);
  row('start to first answer', `${startedIn.toFixed(0)} ms with the driver's connect`, 'under 100 ms', startedIn < 100);
  row('find by _id, of canned', share(finds, cannedFinds), 'at least 70 %', finds >= 0.7 * cannedFinds);
  row('insertMany of 1 KB, of dropped', share(inserted, dropped), 'at least 40 %', inserted >= 0.4 * dropped);
  row('memory per 1 KB document', `${perDocument.toFixed(2)} KB`, 'under 2.5 KB', perDocument < 2.5);
  row('write to change event, median', `${delay.toFixed(2)} ms`, 'under 5 ms', delay < 5);
  for (const { child, client } of [canned, embedded]) {
    await client.close();
    child.kill();
  }
}
