// Backup, verification and restore of many tenants through the module, beside a plain loop that exports one database after
// the other as the same gzipped file: seconds, their ratio in one run, and what they take of memory and sockets.
//   npm run bench -- bench/backup.mjs [tenants] [documents of each]
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { pipeline } from 'node:stream/promises';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';
import { startServer } from './server.mjs';

const TENANTS = Number(process.argv[2] ?? 1000);
const DOCUMENTS = Number(process.argv[3] ?? 200);
const MAX_GROWTH_MB = 150;
const SOCKETS = 10;
const MB = 1024 ** 2;

const server = await startServer();
const folder = await mkdtemp(join(tmpdir(), 'polymongo-bench-'));
const options = { mongoURI: server.uri, autoIndex: false, handleSignals: false, maxPoolSize: SOCKETS };
const polymongo = new PolyMongoWrapper({ ...options, tenant: { exists: 'provisioned' } });
const { tenants, bulkTasks } = polymongo;
const ids = Array.from({ length: TENANTS }, (_, n) => `bench${n}`);
const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({ n, name: `name ${n}`, text: 'x'.repeat(200) }));
const client = polymongo.pools.primary.client;
for (const id of ids) {
  await tenants.provision(id);
  await client
    .db(`tenant_${id}`)
    .collection('items')
    .insertMany(documents.map((each) => ({ ...each })));
}

const ways = {
  'backup()': () => tenants.backup({ to: folder, tenants: ids }),
  'a plain loop of exports': async () => {
    for (const id of ids) {
      const stream = bulkTasks.exportStream(`tenant_${id}`, { gzip: true, snapshot: true });
      await pipeline(stream, createWriteStream(join(folder, `${id}.plain.gz`)));
    }
  },
  'verify()': () => tenants.verify({ from: folder, tenants: ids }),
  'restore() beside, one after the other': async () => {
    for (const id of ids.slice(0, 100)) await tenants.restore(id, { from: folder, as: `${id}-then` });
  },
};
section(`${TENANTS} tenants of ${DOCUMENTS} documents, on ${SOCKETS} sockets`);
const seconds = {};
let isWithin = true;
for (const [way, run] of Object.entries(ways)) {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  let sockets = 0;
  const look = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
    sockets = Math.max(sockets, polymongo.stats.general().totalConnectionsAcrossPools);
  }, 20);
  const start = performance.now();
  await run();
  seconds[way] = (performance.now() - start) / 1000;
  clearInterval(look);
  const growth = (peak - before) / MB;
  row(way, `${seconds[way].toFixed(1)} s, at most ${growth.toFixed(0)} MB more, ${sockets} sockets`);
  if (sockets > SOCKETS || growth > MAX_GROWTH_MB) isWithin = false;
}
const ratio = seconds['backup()'] / seconds['a plain loop of exports'];
row('backup() to the plain loop', ratio.toFixed(2));
await polymongo.actions.closeAll();
await server.stop();
await rm(folder, { recursive: true });
if (!isWithin) {
  console.error('Out of bounds.');
  process.exitCode = 1;
}
