// Peak memory of importStream and exportStream at 200 MB and at 2 GB, each in a fresh process.
//   npm run build && node bench/bulk-memory.mjs [small MB] [large MB]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PolyMongoWrapper } from '../dist/esm/polymongo.wrapper.js';
import { startServer } from './server.mjs';

const DOCUMENT_BYTES = 1024;

function* exportFile(megabytes) {
  yield Buffer.from('{"database":"bench","exportDate":"2026-01-01T00:00:00.000Z","collections":{\n"c":{"documents":[');
  const count = Math.floor((megabytes * 1e6) / DOCUMENT_BYTES);
  const text = 'lorem ipsum dolor sit amet '.repeat(DOCUMENT_BYTES / 27);
  for (let i = 0; i < count; i++) {
    yield Buffer.from(
      `${i ? ',' : ''}\n{"_id":{"$numberInt":"${i}"},"at":{"$date":{"$numberLong":"${i}"}},"text":"${text}"}`,
    );
  }
  yield Buffer.from('\n],"indexes":[]}\n}}\n');
}

async function child(task, uri, megabytes) {
  const wrapper = new PolyMongoWrapper({ mongoURI: uri }, 'nest');
  let bytes = 0;
  if (task === 'import') {
    const { collections } = await wrapper.bulkTasks.importStream('bench', exportFile(megabytes));
    bytes = collections[0].bytes;
  } else for await (const chunk of wrapper.bulkTasks.exportStream('bench')) bytes += chunk.length;
  await wrapper.actions.closeAll();
  process.send({ task, megabytes, bytes, peakMB: process.resourceUsage().maxRSS / 1024 });
  process.disconnect();
}

async function main() {
  const sizes = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 2000)];
  const server = await startServer();
  console.log(`On ${server.name}\n`);
  const peaks = { import: [], export: [] };
  for (const megabytes of sizes) {
    for (const task of ['import', 'export']) {
      const run = fork(fileURLToPath(import.meta.url), ['child', task, server.uri, String(megabytes)]);
      const [result] = await once(run, 'message');
      peaks[task].push(result.peakMB);
      console.log(`${task} of ${Math.round(result.bytes / 1e6)} MB: peak ${result.peakMB.toFixed(0)} MB`);
    }
    const wrapper = new PolyMongoWrapper({ mongoURI: server.uri }, 'nest');
    await wrapper.bulkTasks.dropDatabase('bench');
    await wrapper.actions.closeAll();
  }
  for (const [task, [small, large]] of Object.entries(peaks)) {
    console.log(`${task}: ${(large - small).toFixed(0)} MB more for ${sizes[1] / sizes[0]} x the data`);
  }
  server.stop();
}

await (process.argv[2] === 'child' ? child(process.argv[3], process.argv[4], Number(process.argv[5])) : main());
