// 200 clients at once on one embedded MongoDB: CRUD, transactions and change streams for a minute. At the end every write
// is there, every event has come in order, no rejection was left unhandled, the closed clients have left nothing open on the server, and its memory has not grown
// beyond what it was when the oplog had been filled and the clients had run for some seconds.
//
//   npm run build && node bench/embedded-soak.mjs [SECONDS=60] [CLIENTS=200]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { row, section } from './report.mjs';

const SECONDS = Number(process.argv[2] ?? 60);
const CLIENTS = Number(process.argv[3] ?? 200);
const WARM_UP_SECONDS = 10; // before the minute, with all clients: code is compiled, pools and sessions are made
const READINGS = 6; // of the memory, beside the one at the start
const BOUND = 1.05; // what the memory may have grown by from the start to the end
const KEPT = 20; // documents a client keeps in its collection and in the ledger, so that the data does not grow
const BALANCE = 1000;
const OPLOG_ENTRIES = 100_000; // what the server keeps for change streams
const { MongoClient } = mongoose.mongo;

const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

const child = fork(new URL('embedded.process.mjs', import.meta.url), { execArgv: ['--expose-gc'] });
const [uri] = await once(child, 'message');
const memoryMB = async () => {
  child.send('memory');
  return (await once(child, 'message'))[0] / 1024 ** 2;
};

/** One client: its own collection, an account it moves money from, and a stream that has to see all it writes. */
class Worker {
  written = [];
  seen = [];
  committed = 0;
  round = 0;

  constructor(id) {
    this.id = id;
    this.client = new MongoClient(uri, { maxPoolSize: 2 });
    const db = this.client.db('soak');
    this.docs = db.collection(`docs${id}`);
    this.accounts = db.collection('accounts');
    this.ledger = db.collection('ledger');
  }

  async open() {
    await this.client.connect();
    await this.accounts.insertOne({ _id: this.id, balance: BALANCE, sent: 0 });
    this.stream = this.docs.watch();
    await this.stream.tryNext(); // the stream is open
    this.watching = this.watch();
  }

  async watch() {
    for await (const { operationType, documentKey } of this.stream) {
      if (operationType === 'drop') return;
      this.seen.push(`${operationType} ${documentKey._id}`);
    }
  }

  async run(until) {
    while (performance.now() < until) {
      const _id = this.round++;
      await this.docs.insertOne({ _id, text: 'x'.repeat(200), n: 0 });
      this.written.push(`insert ${_id}`);
      await this.docs.updateOne({ _id }, { $inc: { n: 1 } });
      this.written.push(`update ${_id}`);
      if ((await this.docs.findOne({ _id }))?.n !== 1) throw new Error(`client ${this.id} does not read its own write`);
      if (_id % 3 === 0) await this.transfer();
      if (_id >= KEPT) {
        await this.docs.deleteOne({ _id: _id - KEPT });
        this.written.push(`delete ${_id - KEPT}`);
      }
    }
  }

  /** Moves money to any other account; conflicts with other clients are retried by the driver. */
  transfer() {
    const to = Math.floor(Math.random() * CLIENTS);
    return this.client.withSession(async (session) => {
      await session.withTransaction(async () => {
        const n = this.committed;
        await this.accounts.updateOne({ _id: this.id }, { $inc: { balance: -1, sent: 1 } }, { session });
        await this.accounts.updateOne({ _id: to }, { $inc: { balance: 1 } }, { session });
        await this.ledger.insertOne({ _id: `${this.id}/${n}`, to }, { session });
        await this.ledger.deleteOne({ _id: `${this.id}/${n - KEPT}` }, { session });
      });
      this.committed++;
    });
  }

  /** Ends the stream with the collection's drop, once the documents have been counted. */
  async settle() {
    this.left = await this.docs.countDocuments();
    await this.docs.drop();
    await Promise.race([this.watching, sleep(20_000, undefined, { ref: false })]);
  }

  get hasLostWrites() {
    return this.left !== Math.min(this.round, KEPT);
  }

  get hasLostEvents() {
    return this.seen.join() !== this.written.join();
  }

  async close() {
    await this.stream.close();
    await this.client.close();
  }
}

/**
 * Fills the oplog with what the clients write, so that it is as long and as large at the start of the measurement as at
 * its end: its window is what a server that has just started has not used yet.
 */
async function fillOplog(client) {
  const filler = client.db('soak').collection('filler');
  for (let i = 0; i < OPLOG_ENTRIES / 3000; i++) {
    await filler.insertMany(Array.from({ length: 1000 }, (_, _id) => ({ _id, text: 'x'.repeat(200), n: 0 })));
    await filler.updateMany({}, { $inc: { n: 1 } });
    await filler.deleteMany({});
  }
}

/** What clients keep open on the server. */
async function openOnServer(client) {
  const { connections, logicalSessionRecordCache, metrics } = await client.db('admin').command({ serverStatus: 1 });
  return {
    connections: connections.current,
    sessions: logicalSessionRecordCache.activeSessionsCount,
    cursors: metrics.cursor.open.total,
    operations: connections.active,
  };
}

/** What of it the closed clients have left behind, once their sockets are gone. */
async function leftBehind(client, before) {
  for (let tries = 0; ; tries++) {
    const now = await openOnServer(client);
    const left = Object.keys(now).filter((what) => now[what] > before[what]);
    if (left.length === 0 || tries === 50) return left.map((what) => `${now[what] - before[what]} ${what}`);
    await sleep(20);
  }
}

const observer = new MongoClient(uri, { maxPoolSize: 1, serverMonitoringMode: 'poll' }); // two connections, from first to last
await observer.connect();
await fillOplog(observer);
const openBefore = await openOnServer(observer);
const workers = Array.from({ length: CLIENTS }, (_, id) => new Worker(id));
await Promise.all(workers.map((worker) => worker.open()));

const start = performance.now();
const until = start + (WARM_UP_SECONDS + SECONDS) * 1000;
const running = Promise.all(workers.map((worker) => worker.run(until)));
await sleep(WARM_UP_SECONDS * 1000);
const megabytes = [await memoryMB()];
for (let i = 0; i < READINGS; i++) {
  await Promise.race([running, sleep((SECONDS * 1000) / READINGS)]);
  megabytes.push(await memoryMB());
}
await running;
const taken = (performance.now() - start) / 1000;
await Promise.all(workers.map((worker) => worker.settle()));

const [first] = workers;
const accounts = await first.accounts.find().toArray();
const total = accounts.reduce((sum, { balance }) => sum + balance, 0);
const sent = accounts.reduce((sum, account) => sum + account.sent, 0);
const entries = await first.ledger.countDocuments();
const committed = workers.reduce((sum, worker) => sum + worker.committed, 0);
const kept = workers.reduce((sum, worker) => sum + Math.min(worker.committed, KEPT), 0);
const halfDone = Math.abs(total - CLIENTS * BALANCE) + Math.abs(sent - committed) + Math.abs(entries - kept);
const events = workers.reduce((sum, worker) => sum + worker.seen.length, 0);
const writes = workers.reduce((sum, worker) => sum + worker.written.length, 0);
await Promise.all(workers.map((worker) => worker.close()));
const left = await leftBehind(observer, openBefore);
await observer.close();
child.disconnect();
await sleep(0); // a rejection that nobody handles is known by now

const none = (count) => [`${count}`, 'none', count === 0];
section(`${CLIENTS} clients for ${taken.toFixed(0)} s: ${writes} writes, ${committed} transactions, ${events} events`);
row('clients with lost writes', ...none(workers.filter((worker) => worker.hasLostWrites).length));
row('clients with lost events', ...none(workers.filter((worker) => worker.hasLostEvents).length));
row('transactions half done', ...none(halfDone));
row('unhandled rejections', ...none(unhandled.length));
row('left on the server', left.join(', ') || '0', 'none', left.length === 0);
const growth = megabytes.at(-1) / megabytes[0];
const readings = megabytes.map((megabyte) => megabyte.toFixed(1)).join(', ');
row('server memory', `${readings} MB`, `flat within ${Math.round((BOUND - 1) * 100)} %`, growth < BOUND);
