// copyDatabase between two pools beside the driver's find piped into insertMany, in one run.
//   npm run build && node bench/bulk-copy.mjs [documents]
import { performance } from 'node:perf_hooks';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../dist/esm/polymongo.wrapper.js';
import { row } from './report.mjs';
import { sample } from './sample-documents.mjs';
import { startServer } from './server.mjs';

const COUNT = Number(process.argv[2] ?? 20_000);
const [first, second] = [await startServer(), await startServer()];
console.log(`${COUNT} documents of about 1 KB, from ${first.name} to another\n`);
const source = new PolyMongoWrapper({ mongoURI: first.uri }, 'nest');
const target = new PolyMongoWrapper({ mongoURI: second.uri }, 'nest');
const [from, to] = await Promise.all([first, second].map(({ uri }) => new mongoose.mongo.MongoClient(uri).connect()));

for (let i = 0; i < COUNT; i += 1000) {
  const batch = Array.from({ length: Math.min(1000, COUNT - i) }, (_, k) => sample(i + k));
  await from.db('bench').collection('c').insertMany(batch);
}

async function time(run) {
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    await to.db('bench').dropDatabase();
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
    if ((await to.db('bench').collection('c').countDocuments()) !== COUNT) throw new Error('not everything was copied');
  }
  return best / 1000;
}
const cpu = () => process.cpuUsage().user + process.cpuUsage().system;
let clientCPU;
async function measure(name, run) {
  const before = cpu();
  const seconds = await time(run);
  clientCPU = (cpu() - before) / 1e6 / 3;
  console.log(
    `${name.padEnd(36)} ${Math.round(COUNT / seconds)} documents/s, ${clientCPU.toFixed(2)} s of CPU in the client`,
  );
  return { seconds, cpu: clientCPU };
}

const theirs = await measure("the driver's find into insertMany", async () => {
  let batch = [];
  const target = to.db('bench').collection('c');
  for await (const document of from.db('bench').collection('c').find({}, { promoteValues: false })) {
    if (batch.push(document) === 1000) await target.insertMany(batch.splice(0));
  }
  if (batch.length > 0) await target.insertMany(batch);
});
const ours = await measure('copyDatabase between pools', async () => {
  await source.bulkTasks.copyDatabase('bench', 'bench', { targetPools: target.pools });
});
row('rate', `${(theirs.seconds / ours.seconds).toFixed(2)} x`, 'at least 3 x', theirs.seconds / ours.seconds >= 3);
row('CPU of the client', `${(theirs.cpu / ours.cpu).toFixed(2)} x less`);

await Promise.all([from.close(), to.close(), source.actions.closeAll(), target.actions.closeAll()]);
first.stop();
second.stop();
