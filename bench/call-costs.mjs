// What whole calls on a database create, next to the same calls on a plain mongoose model, in one run: promises and bytes, which
// are the same on a busy machine as on a quiet one.
//   npm run build && node --expose-gc --max-semi-space-size=128 bench/call-costs.mjs
import { createHook } from 'node:async_hooks';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { compareModels } from './compared-models.mjs';

const CALLS = 200;
const ROUNDS = 9;
/** As many as the driver's bound on the wait for a socket costs alone. */
const MAX_PROMISES = 6;

const documents = Array.from({ length: 20 }, (_, i) => ({ name: `user ${i}`, age: i }));
const { _id, plain, bounded, ours, close } = await compareModels(documents);

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
  const ways = { plain: () => plain, 'plain, waitQueueTimeoutMS set': () => bounded, ours };
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
await close();

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
