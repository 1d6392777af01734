// Whole calls on a database, next to the same calls on a plain mongoose model, in alternating blocks of one run.
//   npm run build && node bench/calls.mjs [blocks]
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { compareModels } from './compared-models.mjs';

const BLOCKS = Number(process.argv[2] ?? 60);
const BURSTS = 12;
const CALLS = 25;
const DOCUMENTS = 20;
const MAX_RATIO = 1.02;

const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
  name: `user ${i}`,
  age: i,
  tags: ['a', 'b'],
  address: { street: 'x' },
}));
const { _id, plain, again, bounded, ours, close } = await compareModels(documents);

const kinds = {
  findOne: (model) => model().findOne({ _id }),
  'find().lean()': (model) => model().find().lean(),
};
for (const [name, call] of Object.entries(kinds)) {
  section(`${name}: ratio to plain mongoose, ${BLOCKS} blocks of ${BURSTS} × ${CALLS} calls`);
  const ways = {
    plain: () => call(() => plain),
    'plain again': () => call(() => again),
    'plain, waitQueueTimeoutMS set': () => call(() => bounded),
    ours: () => call(ours),
  };
  const { ratios, medianUS } = await measure(ways);
  row('plain', `${medianUS.toFixed(0)} µs a call`);
  for (const [way, values] of Object.entries(ratios)) {
    const { median, low, high } = interval(values);
    const figure = `${median.toFixed(3)} (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;
    if (way === 'ours') row(way, figure, `upper end at most ${MAX_RATIO}`, high <= MAX_RATIO);
    else row(way, figure);
  }
}
await close();

/** For each way the ratio of its time to that of `plain`, block by block; bursts take turns in an order that changes. */
async function measure(ways) {
  const names = Object.keys(ways);
  const ratios = Object.fromEntries(names.slice(1).map((name) => [name, []]));
  const plainTimes = [];
  for (let block = -4; block < BLOCKS; block++) {
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let burst = 0; burst < BURSTS; burst++) {
      const shift = burst % names.length;
      for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < CALLS; i++) await ways[name]();
        times[name].push(Number(process.hrtime.bigint() - start) / 1e3 / CALLS);
      }
    }
    if (block < 0) continue; // warming up
    const base = medianOf(times.plain);
    plainTimes.push(base);
    for (const name of names.slice(1)) ratios[name].push(medianOf(times[name]) / base);
  }
  return { ratios, medianUS: medianOf(plainTimes) };
}

/** The median, and the order statistics that enclose it with 95 % probability. */
function interval(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const spread = (1.96 * Math.sqrt(n)) / 2;
  const at = (rank) => sorted[Math.min(n - 1, Math.max(0, rank))];
  return { median: medianOf(values), low: at(Math.floor(n / 2 - spread)), high: at(Math.ceil(n / 2 + spread)) };
}

function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
