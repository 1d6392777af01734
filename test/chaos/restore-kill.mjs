// A process that restores many tenants at once, each at another step, is killed; another one goes on. Whoever reads a
// tenant meanwhile finds all that it had, or all that the backup has, or is told that it is suspended: never some of both.
//   npm run build && node test/chaos/restore-kill.mjs [kills] [tenants]
// POLYMONGO_SEED does it again, as far as the order in which answers come allows.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PolyMongoWrapper, TenantSuspendedError } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';
import { below, seed } from './seed.mjs';

const THIS_FILE = fileURLToPath(import.meta.url);
const COLLECTIONS = ['a', 'b', 'c'];
const DOCUMENTS = 2_000;
/** A restore waits for what tenants have begun, twice 300 ms. */
const MIN_RESTORE_MS = 500;
/** A process that was killed in the middle of a restore is taken over after 30 s. */
const TIMEOUT_MS = 60_000;

const wrapperOf = (mongoURI) =>
  new PolyMongoWrapper({
    mongoURI,
    handleSignals: false,
    shutdownTimeoutMS: 300,
    tenant: { exists: 'provisioned', suspension: { withinMS: 300 } },
  });

/** Restores all tenants, each a little later than the one before, and says when it has ended. */
async function restoreAll(mongoURI, folder, ids) {
  const polymongo = wrapperOf(mongoURI);
  await Promise.all(
    ids.map(async (id, n) => {
      await delay(n * 60);
      await polymongo.tenants.restore(id, { from: folder, drop: true, timeoutMS: TIMEOUT_MS });
    }),
  );
  await polymongo.actions.closeAll();
  process.disconnect();
}

async function main(kills, tenants) {
  const mongo = await EmbeddedMongo.start();
  const folder = await mkdtemp(join(tmpdir(), 'restore-kill-'));
  const polymongo = wrapperOf(mongo.uri);
  const ids = Array.from({ length: tenants }, (_, n) => `t${n}`);
  const native = (id) => polymongo.pools.primary.client.db(`tenant_${id}`);
  /** A restore of the tenant has begun, and not ended. */
  const isBeing = async (id) => (await native(id).listCollections({ name: 'polymongo_restore' }).toArray()).length > 0;
  const wrong = [];
  let version = 0;
  const change = async (id) => {
    for (const name of COLLECTIONS) await native(id).collection(name).updateMany({}, { $set: { version } });
  };
  for (const id of ids) {
    await polymongo.tenants.provision(id);
    for (const name of COLLECTIONS) {
      const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n, version: 0 }));
      await native(id).collection(name).insertMany(documents);
    }
  }
  await polymongo.tenants.backup({ to: folder });

  let reads = 0;
  let refused = 0;
  let isOver = false;
  const read = async (id) => {
    const found = await polymongo.tenants.run(id, async () => {
      const { db } = polymongo.pools.connectionOf(`tenant_${id}`);
      const versions = [];
      for (const name of COLLECTIONS) {
        const [counted] = await polymongo.pools.run(`tenant_${id}`, () =>
          db
            .collection(name)
            .aggregate([{ $group: { _id: null, count: { $sum: 1 }, versions: { $addToSet: '$version' } } }])
            .toArray(),
        );
        versions.push(`${counted?.count ?? 0} × ${counted?.versions}`);
      }
      return versions;
    });
    reads++;
    const allowed = [`${DOCUMENTS} × 0`, `${DOCUMENTS} × ${version}`];
    if (new Set(found).size > 1 || !allowed.includes(found[0])) wrong.push(`${id} has ${found.join(', ')}`);
  };
  const reader = async () => {
    while (!isOver) {
      await read(ids[below(ids.length)]).catch((error) => {
        if (error instanceof TenantSuspendedError) refused++;
        else wrong.push(`a read failed: ${error.stack}`);
      });
      await setImmediate();
    }
  };

  const start = () => fork(THIS_FILE, ['--restore', mongo.uri, folder, ids.join()]);
  for (let killed = 0; killed < kills; killed++) {
    version++;
    for (const id of ids) await change(id);
    isOver = false;
    const readers = [reader(), reader()];
    const began = performance.now();
    const child = start();
    const one = ids[below(ids.length)];
    while (!(await isBeing(one))) await setImmediate();
    await delay(below(MIN_RESTORE_MS)); // it is not over by then
    child.kill('SIGKILL');
    await once(child, 'exit');
    const staged = [];
    for (const id of ids) if (await isBeing(id)) staged.push(id);
    const other = start();
    const [code] = await once(other, 'exit');
    if (code !== 0) wrong.push(`the process that went on ended with ${code}`);
    isOver = true;
    await Promise.all(readers);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`killed in the middle of ${staged.length} of ${ids.length} restores; done after ${seconds} s`);
    if (staged.length === 0) wrong.push('the process was killed before or after all of it');
    const suspended = await polymongo.tenants.find({ isSuspended: true });
    if (suspended.length > 0) wrong.push(`${suspended.map(({ tenantId }) => tenantId).join()} stayed suspended`);
    for (const id of ids) {
      const names = (await native(id).listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
      if (names.join() !== COLLECTIONS.join()) wrong.push(`${id} has the collections ${names.join()}`);
      for (const name of COLLECTIONS) {
        const count = await native(id).collection(name).countDocuments({ version: 0 });
        if (count !== DOCUMENTS) wrong.push(`${id}.${name} has ${count} documents of the backup`);
      }
    }
  }
  await polymongo.actions.closeAll();
  await mongo.stop();
  await rm(folder, { recursive: true });
  console.log(`${kills} kills, ${reads} reads, ${refused} refused while suspended, POLYMONGO_SEED=${seed}`);
  for (const line of [...new Set(wrong)].slice(0, 20)) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--restore') await restoreAll(rest[0], rest[1], rest[2].split(','));
else await main(Number(first ?? 2), Number(rest[0] ?? 12));
