// What a call costs the client alone: answers of the server are played back, so that neither it nor sockets hide the rest.
//   npm run build && node bench/client.mjs [ways: plain,ours] [rounds]
// `plain` alone in a process tells what it costs where nothing uses AsyncLocalStorage.
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';
import { userSchema } from './user.schema.mjs';

const WAYS = (process.argv[2] ?? 'plain,ours').split(',');
const ROUNDS = Number(process.argv[3] ?? 1500);
const WARM_UP = 300;
const CALLS = 8; // so few that most bursts are not interrupted

const ofMongoose = createRequire(createRequire(import.meta.url).resolve('mongoose'));
const { Connection } = createRequire(ofMongoose.resolve('mongodb'))('./cmap/connection.js');
const { sendWire } = Connection.prototype;
let answer;
Connection.prototype.sendWire = async function* (message, options, type) {
  if (message.command?.find && answer) {
    await setImmediate();
    yield new (type ?? answer.type)(answer.bson);
    return;
  }
  for await (const response of sendWire.call(this, message, options, type)) {
    if (message.command?.find) answer = { bson: Buffer.from(response.bson), type: response.constructor };
    yield response;
  }
};

const server = await startServer();
const settings = { dbName: 'acme', autoIndex: false, autoCreate: false, maxPoolSize: 10 };
const connection = await mongoose.createConnection(server.uri, settings).asPromise();
const plain = connection.model('User', userSchema());
const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, autoIndex: false, handleSignals: false });
const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', userSchema()));
await plain.deleteMany();
const [{ _id }] = await plain.insertMany(
  Array.from({ length: 20 }, (_, i) => ({ name: `user ${i}`, age: i, tags: ['a', 'b'], address: { street: 'x' } })),
);

const models = { plain: () => plain, ours: () => users.db('acme') };
const kinds = {
  findOne: (model) => model().findOne({ _id }),
  'find().lean()': (model) => model().find().lean(),
};
for (const [kind, call] of Object.entries(kinds)) {
  section(`${kind}: µs of the client a call, ${ROUNDS} bursts of ${CALLS}`);
  answer = undefined;
  const times = Object.fromEntries(WAYS.map((way) => [way, []]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const way of round % 2 ? WAYS : [...WAYS].reverse()) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < CALLS; i++) await call(models[way]);
      if (round >= 0) times[way].push(Number(process.hrtime.bigint() - start) / 1e3 / CALLS);
    }
  }
  for (const way of WAYS) {
    const sorted = times[way].sort((a, b) => a - b);
    const at = (share) => sorted[Math.floor(sorted.length * share)].toFixed(1);
    row(way, `${at(0.05)} undisturbed (5 % of bursts are faster), median ${at(0.5)}`);
  }
}
await connection.close();
await polymongo.actions.closeAll();
server.stop();
