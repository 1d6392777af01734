// Peak memory (resident set) of importStream and exportStream at 200 MB and at 2 GB, each in a process of its own that
// holds nothing but the wrapper; the server is in another.
//   npm run build && node bench/bulk-memory.mjs [small MB] [large MB] [bytes of a document]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PolyMongoWrapper } from '../dist/esm/polymongo.wrapper.js';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';

const BOUND_MB = 32;
const CHUNK_BYTES = 64 * 1024;
const ID_DIGITS = 24;

/** An export file as a file stream would give it: in chunks of 64 KiB, each in a buffer of its own. */
function* exportFile(megabytes, documentBytes) {
  const head = Buffer.from(
    '{"database":"bench","exportDate":"2026-01-01T00:00:00.000Z","collections":{\n"c":{"documents":[',
  );
  const before = '\n{"_id":{"$oid":"';
  const text = 'lorem ipsum dolor sit amet '.repeat(Math.ceil(documentBytes / 27));
  const document = Buffer.from(
    `${before}${'0'.repeat(ID_DIGITS)}"},"at":{"$date":{"$numberLong":"5"}},"text":"${text}"},`,
  );
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / document.length));
  const chunks = Math.ceil((megabytes * 1e6) / document.length / perChunk);
  yield head;
  for (let id = 0; id < chunks * perChunk; id += perChunk) {
    const chunk = Buffer.allocUnsafe(document.length * perChunk);
    for (let i = 0; i < perChunk; i++) {
      document.copy(chunk, i * document.length);
      const last = i * document.length + before.length + ID_DIGITS - 1;
      for (let rest = id + i, at = last; rest > 0; rest = Math.floor(rest / 10)) chunk[at--] = 48 + (rest % 10);
    }
    yield id + perChunk < chunks * perChunk ? chunk : chunk.subarray(0, -1);
  }
  yield Buffer.from('\n],"indexes":[]}\n}}\n');
}

async function child(task, uri, megabytes, documentBytes) {
  const wrapper = new PolyMongoWrapper({ mongoURI: uri, handleSignals: false });
  let bytes = 0;
  if (task === 'import') {
    const { collections } = await wrapper.bulkTasks.importStream('bench', exportFile(megabytes, documentBytes));
    bytes = collections[0].bytes;
  } else for await (const chunk of wrapper.bulkTasks.exportStream('bench')) bytes += chunk.length;
  await wrapper.actions.closeAll();
  process.send({ bytes, peakMB: process.resourceUsage().maxRSS / 1024 });
  process.disconnect();
}

async function main(small = '200', large = '2000', documentBytes = '1024') {
  const server = await startServer();
  const peaks = { import: [], export: [] };
  section(`Peak memory, documents of ${documentBytes} bytes; ${server.name}`);
  for (const megabytes of [small, large]) {
    for (const task of ['import', 'export']) {
      const run = fork(fileURLToPath(import.meta.url), ['child', task, server.uri, megabytes, documentBytes]);
      const [result] = await once(run, 'message');
      peaks[task].push(result.peakMB);
      row(`${task} of ${Math.round(result.bytes / 1e6)} MB`, `${result.peakMB.toFixed(0)} MB`);
    }
    const wrapper = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
    await wrapper.bulkTasks.dropDatabase('bench');
    await wrapper.actions.closeAll();
  }
  for (const [task, [less, more]] of Object.entries(peaks)) {
    row(
      `${task}, more for ${large / small} x`,
      `${(more - less).toFixed(0)} MB`,
      `at most ${BOUND_MB} MB`,
      more - less <= BOUND_MB,
    );
  }
  server.stop();
}

const [role, ...args] = process.argv.slice(2);
if (role === 'child') await child(args[0], args[1], Number(args[2]), Number(args[3]));
else await main(...process.argv.slice(2));
