// Processes use, provision and deprovision the same tenants; some are killed in the middle of it and others take their
// place. No tenant ever has what a former one of its id had; when all have ended, every tenant that is gone has no
// database, and nothing has hung.
//   npm run build && node test/chaos/deprovision-kill.mjs [kills] [processes]
// POLYMONGO_SEED does it again, as far as the order in which the processes' answers come allows.
import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';
import { below, seed } from './seed.mjs';

const THIS_FILE = fileURLToPath(import.meta.url);
const TENANTS = Array.from({ length: 5 }, (_, n) => `t${n}`);
/** How long one action may take: a killed process is waited for until its record is over (5 s), or taken over (30 s). */
const TIMEOUT_MS = 45_000;
/** Between one kill and the next. */
const ACTIONS_BETWEEN = 30;
const HANG_MS = 2 * TIMEOUT_MS;

/** What a process may be refused here: the others are at it. */
const EXPECTED = new Set([
  'TenantUnknownError',
  'TenantBusyError',
  'TenantRemovalError',
  'TenantInUseError',
  'TenantTakenOverError',
]);

/** Does things for tenants until it is told to stop or killed; tells what it finds wrong. */
async function work(mongoURI) {
  const wrong = [];
  const polymongo = new PolyMongoWrapper({
    mongoURI,
    tenant: {
      exists: 'provisioned',
      existsTTLMS: 5_000,
      seed: async (tenantId, connection) => {
        const left = await connection.collection('notes').countDocuments();
        if (left > 0) wrong.push(`${tenantId} began with ${left} notes of a former one`);
        await connection.collection('plans').updateOne({ _id: 'plan' }, { $set: { tenantId } }, { upsert: true });
      },
    },
  });
  const Note = polymongo.wrapModel(mongoose.model('Note', new mongoose.Schema({ tenantId: String })));
  const actions = {
    use: (id) =>
      polymongo.tenants.run(id, async () => {
        await Note.tenant().create({ tenantId: id });
        const others = await Note.tenant().countDocuments({ tenantId: { $ne: id } });
        if (others > 0) wrong.push(`${id} has ${others} notes of others`);
      }),
    provision: (id) => polymongo.tenants.provision(id, { timeoutMS: TIMEOUT_MS }),
    deprovision: (id) => polymongo.tenants.deprovision(id, { confirm: id, timeoutMS: TIMEOUT_MS }),
  };
  const likely = ['use', 'use', 'use', 'use', 'use', 'use', 'provision', 'provision', 'deprovision'];
  let isOver = false;
  process.on('message', () => (isOver = true));
  const worker = async () => {
    while (!isOver) {
      const name = likely[below(likely.length)];
      const id = TENANTS[below(TENANTS.length)];
      const isLate = setTimeout(() => wrong.push(`${name} of ${id} hangs`), HANG_MS);
      try {
        await actions[name](id);
        process.send({ done: name });
      } catch (error) {
        if (!EXPECTED.has(error.name)) wrong.push(`${name} of ${id}: ${error.stack}`);
        await delay(below(50));
      }
      clearTimeout(isLate);
      for (const line of wrong.splice(0)) process.send({ wrong: line });
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  await polymongo.actions.closeAll();
  process.disconnect();
}

async function main(kills, processes) {
  const mongo = await EmbeddedMongo.start();
  const wrong = [];
  const done = {};
  const ended = new EventEmitter();
  const start = () => {
    const env = { ...process.env, POLYMONGO_SEED: String(below(2 ** 31)) };
    const child = fork(THIS_FILE, ['--work', mongo.uri], { env });
    child.on('message', (told) => {
      if (told.wrong) wrong.push(told.wrong);
      else done[told.done] = (done[told.done] ?? 0) + 1;
      ended.emit('action');
    });
    return child;
  };
  const alive = Array.from({ length: processes }, start);
  for (let killed = 0; killed < kills; killed++) {
    for (let actions = ACTIONS_BETWEEN; actions > 0; actions--) await once(ended, 'action');
    await delay(below(100));
    const at = below(alive.length);
    const child = alive[at];
    child.kill('SIGKILL');
    await once(child, 'exit');
    alive[at] = start();
  }
  const stopped = alive.map(async (child) => {
    const exit = once(child, 'exit');
    child.send('stop');
    const hung = delay(HANG_MS, undefined, { ref: false }).then(() => child.kill('SIGKILL') && ['hung']);
    const [code] = await Promise.race([exit, hung]);
    if (code !== 0) wrong.push(`a process that was told to stop ended with ${code}`);
  });
  await Promise.all(stopped);

  const left = await removeTheRest(mongo.uri, wrong);
  await mongo.stop();
  const counts = Object.entries(done).map(([name, count]) => `${count} × ${name}`);
  console.log(
    `${processes} processes, ${kills} killed, ${counts.join(', ')}, ${left} tenants left (POLYMONGO_SEED=${seed}): ${wrong.length} wrong`,
  );
  for (const line of wrong) console.log(line);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

/** Ends what killed processes have left half done, and compares the databases that are there with the tenants. */
async function removeTheRest(uri, wrong) {
  const polymongo = new PolyMongoWrapper({ mongoURI: uri, tenant: { exists: 'provisioned', existsTTLMS: 5_000 } });
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  const databases = async () =>
    (await client.db().admin().listDatabases({ nameOnly: true })).databases
      .map(({ name }) => name)
      .filter((name) => name.startsWith('tenant_'));
  const records = await client.db('default').collection('polymongo_tenants').find().toArray();
  for (const { _id, state: has } of records) {
    if (has !== 'ready') await polymongo.tenants.deprovision(_id, { confirm: _id, timeoutMS: TIMEOUT_MS });
  }
  const tenants = (await polymongo.tenants.list()).map((id) => `tenant_${id}`);
  const orphans = (await databases()).filter((name) => !tenants.includes(name));
  if (orphans.length > 0) wrong.push(`databases of no tenant: ${orphans.join(', ')}`);
  for (const id of await polymongo.tenants.list()) {
    await polymongo.tenants.deprovision(id, { confirm: id, timeoutMS: TIMEOUT_MS });
  }
  if ((await databases()).length > 0) wrong.push(`still there at the end: ${(await databases()).join(', ')}`);
  await polymongo.actions.closeAll();
  await client.close();
  return tenants.length;
}

const [mode, given] = process.argv.slice(2);
if (mode === '--work') await work(given);
else await main(Number(mode ?? 6), Number(given ?? 3));
