// copyDatabase between two pools beside the driver's find piped into insertMany, in one run.
//   npm run build && node bench/bulk-copy.mjs [documents]
import { performance } from 'node:perf_hooks';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../dist/esm/polymongo.wrapper.js';
import { row } from '../packages/embedded-mongo/bench/report.mjs';
import { sample } from './sample-documents.mjs';
import { startServer } from './server.mjs';

const COUNT = Number(process.argv[2] ?? 20_000);
const ROUNDS = 5;
const [first, second] = [await startServer(), await startServer()];
console.log(`${COUNT} documents of about 1 KB, from ${first.name} to another\n`);
const source = new PolyMongoWrapper({ mongoURI: first.uri, handleSignals: false });
const target = new PolyMongoWrapper({ mongoURI: second.uri, handleSignals: false });
const [from, to] = await Promise.all([first, second].map(({ uri }) => new mongoose.mongo.MongoClient(uri).connect()));

for (let i = 0; i < COUNT; i += 1000) {
  const batch = Array.from({ length: Math.min(1000, COUNT - i) }, (_, k) => sample(i + k));
  await from.db('bench').collection('c').insertMany(batch);
}

const cpu = () => process.cpuUsage().user + process.cpuUsage().system;

/** Best wall time and least CPU of the client, in seconds. They take turns, so that a busy moment is nobody's. */
async function race(runs) {
  const best = runs.map(() => ({ seconds: Infinity, cpu: Infinity }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, run] of runs.entries()) {
      await to.db('bench').dropDatabase();
      const [start, before] = [performance.now(), cpu()];
      await run();
      best[i].seconds = Math.min(best[i].seconds, (performance.now() - start) / 1000);
      best[i].cpu = Math.min(best[i].cpu, (cpu() - before) / 1e6);
      if ((await to.db('bench').collection('c').countDocuments()) !== COUNT)
        throw new Error('not everything was copied');
    }
  }
  return best;
}
const told = ({ seconds, cpu: used }) =>
  `${Math.round(COUNT / seconds)} documents/s, ${used.toFixed(2)} s of CPU in the client`;

async function findIntoInsertMany() {
  let batch = [];
  const collection = to.db('bench').collection('c');
  for await (const document of from.db('bench').collection('c').find({}, { promoteValues: false })) {
    if (batch.push(document) === 1000) await collection.insertMany(batch.splice(0));
  }
  if (batch.length > 0) await collection.insertMany(batch);
}
const copyDatabase = () => source.bulkTasks.copyDatabase('bench', 'bench', { targetPools: target.pools });

const [theirs, ours] = await race([findIntoInsertMany, copyDatabase]);
row('find into insertMany', told(theirs));
row('copyDatabase', told(ours));
row('rate', `${(theirs.seconds / ours.seconds).toFixed(2)} x`, 'at least 3 x', theirs.seconds / ours.seconds >= 3);
row('CPU of the client', `${(theirs.cpu / ours.cpu).toFixed(2)} x less`);

await Promise.all([from.close(), to.close(), source.actions.closeAll(), target.actions.closeAll()]);
first.stop();
second.stop();
