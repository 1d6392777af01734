// One noisy tenant's queue of slow queries on ten sockets, and how long each of many quiet tenants waits for one query
// meanwhile: through the module, which serves them in turn, and on a plain connection, where the driver serves them in the
// order of arrival. Then what taking turns costs a call where nobody waits.
//   npm run build && node bench/fairness.mjs [slow queries] [quiet tenants]
// The slow queries are slow by a fail point, for which a server at MONGODB_URI needs enableTestCommands.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { PoolTurns } from '../dist/esm/providers/pools/pool.turns.js';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';
import { userSchema } from './user.schema.mjs';

const SLOW = Number(process.argv[2] ?? 1000);
const QUIET = Number(process.argv[3] ?? 100);
const SLOW_MS = 200;
const SOCKETS = 10;
const MAX_COST = 1.01;
const PAIRS = 400;
const CALLS = 25;

const server = await startServer();
const polymongo = new PolyMongoWrapper({
  mongoURI: server.uri,
  autoIndex: false,
  handleSignals: false,
  maxPoolSize: SOCKETS,
  waitQueueTimeoutMS: 0,
});
const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', userSchema()));
const plain = await mongoose
  .createConnection(server.uri, { maxPoolSize: SOCKETS, autoIndex: false, autoCreate: false })
  .asPromise();
const quiet = Array.from({ length: QUIET }, (_, i) => `fair_quiet_${i}`);
for (const dbName of [...quiet, 'fair_noisy']) await users.db(dbName).create({ name: dbName, age: 1 });

const find = {
  'in turn (the module)': (dbName) => users.db(dbName).findOne().lean(),
  'as they come (plain)': (dbName) => plain.getClient().db(dbName).collection('users').findOne(),
};
await setFailPoint({
  mode: 'alwaysOn',
  data: { failCommands: ['find'], namespace: 'fair_noisy.users', blockConnection: true, blockTimeMS: SLOW_MS },
});
section(
  `${SLOW} queries of ${SLOW_MS} ms by one tenant, and one query by each of ${QUIET} others, on ${SOCKETS} sockets`,
);
for (const [way, findOne] of Object.entries(find)) {
  const noise = Array.from({ length: SLOW }, () => findOne('fair_noisy'));
  await sleep(SLOW_MS / 2); // all sockets are taken
  const waits = await Promise.all(
    quiet.map(async (dbName) => {
      const start = performance.now();
      await findOne(dbName);
      return performance.now() - start;
    }),
  );
  await Promise.all(noise);
  row(way, `quiet tenants: p50 ${at(waits, 0.5).toFixed(0)} ms, p99 ${at(waits, 0.99).toFixed(0)} ms`);
}
await setFailPoint({ mode: 'off' });

section(`A call where nobody waits, ${PAIRS} pairs of ${CALLS} calls`);
const { during } = PoolTurns.prototype;
const atOnce = (_share, _step, command) => command();
const ratios = [];
for (let pair = -40; pair < PAIRS; pair++) {
  const times = new Map();
  for (const way of pair % 2 ? [during, atOnce] : [atOnce, during]) {
    PoolTurns.prototype.during = way;
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) await users.db('fair_quiet_0').findOne();
    times.set(way, performance.now() - start);
  }
  if (pair >= 0) ratios.push(times.get(during) / times.get(atOnce));
}
PoolTurns.prototype.during = during;
const half = (1.96 * Math.sqrt(PAIRS)) / 2 / PAIRS;
const [low, median, high] = [0.5 - half, 0.5, 0.5 + half].map((share) => at(ratios, share));
const figure = `${median.toFixed(3)} (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;
row('with turns, to without', figure, `median at most ${MAX_COST}`, median <= MAX_COST);

await plain.close();
await polymongo.actions.closeAll();
server.stop();

/** The value below which a share of all lies. */
function at(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function setFailPoint(options) {
  return plain
    .getClient()
    .db('admin')
    .command({ configureFailPoint: 'failCommand', ...options });
}
