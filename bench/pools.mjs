// Resolving models and running operations on many databases, next to what plain mongoose does in the same run.
//   npm run build && node --expose-gc bench/pools.mjs
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';

const MODELS = 10;
const server = await EmbeddedMongo.start();
const schema = () =>
  new mongoose.Schema({
    name: { type: String, index: true },
    age: Number,
    tags: [String],
    address: { street: String, city: String },
  });

await resolving();
await operations();
await memory();
await eviction();
await coldCalls();
await server.stop();

async function resolving() {
  section('resolving the model of a known database');
  for (const [databases, boundNS] of [
    [100, 50],
    [10_000, 200],
  ]) {
    const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
    const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', schema()));
    const names = shuffled(Array.from({ length: databases }, (_, i) => `tenant_${i}`));
    for (const name of names) users.db(name);
    const map = new Map(names.map((name) => [name, {}]));
    const [ours, plain] = bestOf(
      7,
      1_000_000,
      (i) => users.db(names[i % databases]),
      (i) => map.get(names[i % databases]),
    );
    row(
      `${databases} databases`,
      `${ours.toFixed(0)} ns (a bare Map: ${plain.toFixed(0)} ns)`,
      `at most ${boundNS} ns`,
      ours <= boundNS,
    );
  }
}

async function operations() {
  section('.db(name).findOne() next to the same call on a plain mongoose model');
  const remote = await startServer(); // in a process of its own: the CPU time here is the client's alone
  const polymongo = new PolyMongoWrapper({ mongoURI: remote.uri, autoIndex: false, handleSignals: false });
  const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', schema()));
  const connect = (options) =>
    mongoose
      .createConnection(remote.uri, {
        dbName: 'acme',
        autoIndex: false,
        autoCreate: false,
        maxPoolSize: 10,
        ...options,
      })
      .asPromise();
  const connections = [await connect({}), await connect({ waitQueueTimeoutMS: 10_000 })];
  const [plain, bounded] = connections.map((connection) => connection.model('User', schema()));
  const { _id } = await plain.create({ name: 'Ada' });
  const ways = {
    plain: () => plain.findOne({ _id }),
    bounded: () => bounded.findOne({ _id }),
    ours: () => users.db('acme').findOne({ _id }),
  };
  const whole = await alternated(ways, 400, 25);
  const { wallUS: callUS } = whole.plain;
  for (const [name, label] of [
    ['plain', 'plain'],
    ['bounded', 'plain, waitQueueTimeoutMS set'],
    ['ours', 'ours'],
  ]) {
    const { wallUS, cpuUS } = whole[name];
    row(`whole calls: ${label}`, `${wallUS.toFixed(0)} µs, of CPU ${cpuUS.toFixed(0)} µs (medians)`);
  }

  const acme = users.db('acme');
  const [oursDocNS, plainDocNS] = bestOf(
    5,
    50_000,
    () => new acme({ name: 'Ada' }),
    () => new plain({ name: 'Ada' }),
  );
  const ratio = oursDocNS / plainDocNS;
  row(
    'constructing a document',
    `${plainDocNS.toFixed(0)} ns plain, ${oursDocNS.toFixed(0)} ns ours`,
    'at most 1.5 ×',
    ratio <= 1.5,
  );

  // Measured apart: everything of a call but the driver, which both have replaced by an answer at once; and what the
  // statistics do with the three events that the driver has for each operation.
  const { findOne } = mongoose.mongo.Collection.prototype;
  const answer = { _id, name: 'Ada', tags: [] };
  mongoose.mongo.Collection.prototype.findOne = async () => answer;
  const [oursNS, plainNS] = await bestOfAsync(40, 1_000, ways.ours, ways.plain);
  mongoose.mongo.Collection.prototype.findOne = findOne;
  const { client } = polymongo.pools.poolOf('acme');
  const [{ address }] = [...client.topology.description.servers.values()];
  const operation = (emitter) => () => {
    for (const name of ['connectionCheckOutStarted', 'connectionCheckedOut', 'connectionCheckedIn'])
      emitter.emit(name, { address, connectionId: 1 });
  };
  const [countedNS, uncountedNS] = bestOf(20, 10_000, operation(client), operation(connections[0].getClient()));
  const statisticsNS = countedNS - uncountedNS;
  const layerNS = oursNS - plainNS;
  const share = ((layerNS + statisticsNS) / 10 / callUS).toFixed(2);
  row(
    'added by us',
    `${layerNS.toFixed(0)} ns + ${statisticsNS.toFixed(0)} ns of statistics = ${share} % of the call's median`,
    'at most 2 %',
    share <= 2,
  );
  for (const connection of connections) await connection.close();
  await polymongo.actions.closeAll();
  remote.stop();
}

async function memory() {
  section(`memory of a database with ${MODELS} models`);
  const instance = new mongoose.Mongoose();
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, maxCachedDatabases: 20_000, handleSignals: false });
  const models = Array.from({ length: MODELS }, (_, i) => polymongo.wrapModel(instance.model(`Model${i}`, schema())));
  await models[0].db('warm').findOne();
  const touch = (name) => models.forEach((model) => model.db(name).collection);
  touch('warm_too');
  const rssBefore = await settled(() => process.memoryUsage().rss);
  const before = await settled(() => process.memoryUsage().heapUsed);
  for (let i = 0; i < 10_000; i++) touch(`tenant_${i}`);
  const perDatabase = ((await settled(() => process.memoryUsage().heapUsed)) - before) / 10_000;
  const rssGrowth = (process.memoryUsage().rss - rssBefore) / 1024 ** 2;
  row('heap a database', `${(perDatabase / 1024).toFixed(1)} KB`, 'at most 16 KB', perDatabase <= 16 * 1024);
  row(
    '10,000 databases, resident',
    `${rssGrowth.toFixed(0)} MB more, ${(process.memoryUsage().rss / 1024 ** 2).toFixed(0)} MB in all`,
    'at most 300 MB',
    rssGrowth <= 300,
  );
  for (let i = 0; i < 10_000; i++) await polymongo.pools.release(`tenant_${i}`, 'evicted');
  const left = ((await settled(() => process.memoryUsage().heapUsed)) - before) / 1024 ** 2;
  row('after eviction', `${left.toFixed(1)} MB above the start`, 'at most 5 MB', left <= 5);

  const connection = mongoose.createConnection(server.uri);
  const compiledBefore = await settled(() => process.memoryUsage().heapUsed);
  const kept = [];
  for (let i = 0; i < 100; i++) {
    const child = connection.useDb(`compiled_${i}`, { noListener: true });
    kept.push(models.map((_, m) => child.model(`Model${m}`, schema())));
  }
  const compiled = ((await settled(() => process.memoryUsage().heapUsed)) - compiledBefore) / 100;
  row(
    'useDb + model()',
    `${(compiled / 1024).toFixed(0)} KB a database (${(compiled / perDatabase).toFixed(0)} × ours)`,
  );
  await connection.close();
  await polymongo.actions.closeAll();
  if (kept.length === 0) throw new Error('unreachable');
}

async function eviction() {
  section('a miss that lets the least recently used database go');
  const missUS = {};
  for (const max of [100, 10_000]) {
    const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, maxCachedDatabases: max, handleSignals: false });
    let made = 0;
    const miss = () => polymongo.pools.database(`tenant_${made++}`);
    while (made < max) miss();
    [missUS[max]] = bestOf(10, 200, miss).map((ns) => ns / 1e3);
    row(`${max} databases kept`, `${missUS[max].toFixed(1)} µs`);
    await polymongo.actions.closeAll();
  }
  const ratio = missUS[10_000] / missUS[100];
  row('100 times as many', `${ratio.toFixed(2)} times as long`, 'at most 2', ratio <= 2);
}

async function coldCalls() {
  section('1,000 concurrent first calls to a database with its own pool');
  const fresh = await EmbeddedMongo.start();
  const polymongo = new PolyMongoWrapper({
    mongoURI: fresh.uri,
    dbSpecific: [{ dbName: 'acme', options: { maxConnections: 10 } }],
    handleSignals: false,
  });
  const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', schema()));
  await Promise.all(Array.from({ length: 1_000 }, () => users.db('acme').findOne()));
  const probe = new mongoose.mongo.MongoClient(fresh.uri);
  const { connections } = await probe.db('admin').command({ serverStatus: 1 });
  await probe.close();
  const { totalConnections } = polymongo.stats.general().separateDB[0].poolStats;
  row(
    'sockets of the pool',
    `${totalConnections} (server: ${connections.current}, with monitors and this probe)`,
    'at most 10',
    totalConnections <= 10,
  );
  await polymongo.actions.closeAll();
  await fresh.stop();
}

/** The best nanoseconds per call of each way, measured in turns. */
function bestOf(rounds, times, ...ways) {
  const best = ways.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    ways.forEach((way, w) => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < times; i++) way(i);
      best[w] = Math.min(best[w], Number(process.hrtime.bigint() - start) / times);
    });
  }
  return best;
}

/** The best nanoseconds per awaited call of each way, measured in turns. */
async function bestOfAsync(rounds, times, ...ways) {
  const best = ways.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [w, way] of ways.entries()) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < times; i++) await way();
      best[w] = Math.min(best[w], Number(process.hrtime.bigint() - start) / times);
    }
  }
  return best;
}

/** Median microseconds of a call of each way, on the wall and of CPU, in alternating bursts after a warm-up. */
async function alternated(ways, rounds, burst) {
  const names = Object.keys(ways);
  const samples = Object.fromEntries(names.map((name) => [name, { wall: [], cpu: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? names : [...names].reverse()) {
      const cpu = process.cpuUsage();
      const start = process.hrtime.bigint();
      for (let i = 0; i < burst; i++) await ways[name]();
      const { user, system } = process.cpuUsage(cpu);
      if (round < rounds / 8) continue;
      samples[name].wall.push(Number(process.hrtime.bigint() - start) / 1e3 / burst);
      samples[name].cpu.push((user + system) / burst);
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, { wallUS: median(samples[name].wall), cpuUS: median(samples[name].cpu) }]),
  );
}

async function settled(read) {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return read();
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function shuffled(values) {
  for (let i = values.length - 1; i > 0; i--) {
    const j = (i * 7919) % (i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}
