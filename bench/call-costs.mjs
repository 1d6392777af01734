// What whole calls on a database create, next to the same calls on a plain mongoose model, in one run: promises and bytes, which
// are the same on a busy machine as on a quiet one.
//   npm run build && node --expose-gc --max-semi-space-size=128 bench/call-costs.mjs
import { createHook } from 'node:async_hooks';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';
import { userSchema } from './user.schema.mjs';

const CALLS = 200;
const ROUNDS = 9;
/** As many as the driver's bound on the wait for a socket costs alone. */
const MAX_PROMISES = 6;

const server = await startServer(); // in a process of its own
const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, autoIndex: false, handleSignals: false });
const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', userSchema()));
const connections = [];
const plainModel = async (options) => {
  const settings = { dbName: 'acme', autoIndex: false, autoCreate: false, maxPoolSize: 10, ...options };
  const connection = await mongoose.createConnection(server.uri, settings).asPromise();
  connections.push(connection);
  return connection.model('User', userSchema());
};
const plain = await plainModel({});
const bounded = await plainModel({ waitQueueTimeoutMS: 10_000 }); // as ours has by default
await plain.deleteMany();
const [{ _id }] = await plain.insertMany(Array.from({ length: 20 }, (_, i) => ({ name: `user ${i}`, age: i })));

let promises = 0;
const hook = createHook({
  init(_, type) {
    if (type === 'PROMISE') promises++;
  },
});

const kinds = {
  findOne: (model) => model.findOne({ _id }),
  'find().lean()': (model) => model.find().lean(),
  updateOne: (model) => model.updateOne({ _id }, { age: 1 }),
};
for (const [name, call] of Object.entries(kinds)) {
  section(`${name}: promises and bytes of one call, the median of ${ROUNDS} × ${CALLS}`);
  const ways = { plain: () => plain, 'plain, waitQueueTimeoutMS set': () => bounded, ours: () => users.db('acme') };
  const costs = {};
  for (const [way, model] of Object.entries(ways)) {
    const once = () => call(model());
    for (let i = 0; i < 10 * CALLS; i++) await once(); // connected, and compiled
    costs[way] = { promises: await promisesOf(once), bytes: await bytesOf(once) };
  }
  for (const [way, { promises: count, bytes }] of Object.entries(costs)) {
    const more = count - costs.plain.promises;
    const figure = `${count.toFixed(1)} promises, ${(bytes / 1024).toFixed(1)} KB`;
    if (way === 'ours') row(way, figure, `at most ${MAX_PROMISES} promises more than plain`, more <= MAX_PROMISES);
    else row(way, figure);
  }
}
for (const connection of connections) await connection.close();
await polymongo.actions.closeAll();
server.stop();

async function promisesOf(once) {
  promises = 0;
  hook.enable();
  for (let i = 0; i < CALLS; i++) await once();
  hook.disable();
  return promises / CALLS;
}

async function bytesOf(once) {
  const measured = [];
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) await once();
    measured.push((process.memoryUsage().heapUsed - before) / CALLS);
  }
  return measured.sort((a, b) => a - b)[ROUNDS >> 1];
}
