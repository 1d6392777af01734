// Resolving models and running operations on many databases, next to what plain mongoose does in the same run.
//   npm run build && node --expose-gc bench/pools.mjs
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { row, section } from './report.mjs';

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
await coldCalls();
await server.stop();

async function resolving() {
  section('resolving the model of a known database');
  for (const [databases, boundNS] of [
    [100, 50],
    [10_000, 200],
  ]) {
    const polymongo = new PolyMongoWrapper({ mongoURI: server.uri }, 'nest');
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
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, autoIndex: false }, 'nest');
  const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', schema()));
  const connection = await mongoose
    .createConnection(server.uri, { dbName: 'acme', autoIndex: false, autoCreate: false })
    .asPromise();
  const plain = connection.model('User', schema());
  const { _id } = await plain.create({ name: 'Ada' });
  const ways = { plain: () => plain.findOne({ _id }), ours: () => users.db('acme').findOne({ _id }) };
  const samples = { plain: [], ours: [] };
  for (let round = 0; round < 6_000; round++) {
    for (const name of round % 2 ? ['plain', 'ours'] : ['ours', 'plain']) {
      const start = process.hrtime.bigint();
      await ways[name]();
      if (round > 1_000) samples[name].push(Number(process.hrtime.bigint() - start));
    }
  }
  const [plainNS, oursNS] = [median(samples.plain), median(samples.ours)];
  row('medians', `${(plainNS / 1e3).toFixed(1)} µs plain, ${(oursNS / 1e3).toFixed(1)} µs ours`);

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

  // What we add, apart from the call itself: resolving, the lease, and the collection's wrapper around nothing.
  const database = polymongo.pools.database('acme');
  const nothing = Promise.resolve();
  let added = Infinity;
  for (let round = 0; round < 9; round++) {
    const times = 50_000;
    const start = process.hrtime.bigint();
    for (let i = 0; i < times; i++) {
      users.db('acme');
      await database.run(() => database.run(() => nothing));
    }
    const with_ = Number(process.hrtime.bigint() - start) / times;
    const bare = process.hrtime.bigint();
    for (let i = 0; i < times; i++) await nothing;
    added = Math.min(added, with_ - Number(process.hrtime.bigint() - bare) / times);
  }
  const share = (added / plainNS) * 100;
  row('added by us', `${added.toFixed(0)} ns, ${share.toFixed(2)} % of the call's median`, 'at most 2 %', share <= 2);
  await connection.close();
  await polymongo.actions.closeAll();
}

async function memory() {
  section(`memory of a database with ${MODELS} models`);
  const instance = new mongoose.Mongoose();
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, maxCachedDatabases: 20_000 }, 'nest');
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

async function coldCalls() {
  section('1,000 concurrent first calls to a database with its own pool');
  const fresh = await EmbeddedMongo.start();
  const polymongo = new PolyMongoWrapper(
    { mongoURI: fresh.uri, dbSpecific: [{ dbName: 'acme', options: { maxConnections: 10 } }] },
    'nest',
  );
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
