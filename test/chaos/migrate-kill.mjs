// Processes migrate the same tenants; they are killed at random and others take their place, and some are suspended until
// they have been taken over. Each migration ran once a tenant and in order, or is reported half-done where it has no transaction.
//   npm run build && node test/chaos/migrate-kill.mjs [kills] [tenants] [migrations]
// POLYMONGO_SEED does it again, as far as the order in which the processes' messages come allows.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { Migration, PolyMongoWrapper } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';
import { below, seed } from './seed.mjs';

const THIS_FILE = fileURLToPath(import.meta.url);
const PROCESSES = 3;
const LOCK_MS = 1_000;
const HANG_MS = 600_000;

const nameOf = (n) => `${String(n + 1).padStart(4, '0')}-step`;
/** Every third has no transaction. */
const isTransactional = (n) => n % 3 !== 1;

/** The migrations: each notes that it began and ended, and whether a later one was there before it. */
function classesOf(migrations) {
  return Array.from({ length: migrations }, (_, n) => {
    class Step {
      async up({ db, tenant }) {
        const runs = db.collection('runs');
        const later = await runs.countDocuments({ n: { $gt: n } });
        await runs.insertOne({ n, what: 'begin', later });
        process.send({ up: tenant });
        await runs.insertOne({ n, what: 'end' });
      }
    }
    Migration(nameOf(n), { isTransactional: isTransactional(n), checksum: nameOf(n) })(Step);
    return Step;
  });
}

/** What a run may end with here: the others are at it, or were and are gone. */
const EXPECTED = new Set(['MigrationBusyError', 'MigrationTakenOverError']);

/** Migrates all tenants until nothing is left; what is half-done is told, and taken for done, as a person would after a look. */
async function work(mongoURI, tenants, migrations) {
  const polymongo = new PolyMongoWrapper({ mongoURI });
  const classes = classesOf(Number(migrations));
  const own = await polymongo.useMigrations({ classes, lockMS: LOCK_MS, waitMS: 3 * LOCK_MS });
  const ids = Array.from({ length: Number(tenants) }, (_, n) => `t${n}`);
  for (let left = ids; left.length > 0;) {
    const failed = [];
    const order = left.map((id) => [below(2 ** 31), id]).sort(([a], [b]) => a - b);
    const run = polymongo.tenants.migrate({ tenants: order.map(([, id]) => id), concurrency: 6, onError: 'collect' });
    for await (const { tenantId, ok, error } of run) {
      if (ok) continue;
      failed.push(tenantId);
      if (error.name === 'MigrationHalfDoneError') {
        process.send({ halfDone: `${tenantId} ${error.migration}` });
        const [marked] = await own.mark(error.migration, 'done', { tenants: [tenantId], onError: 'collect' });
        if (!marked.ok && !EXPECTED.has(marked.error.name)) process.send({ wrong: `mark: ${marked.error.stack}` });
      } else if (!EXPECTED.has(error.name)) process.send({ wrong: `${tenantId}: ${error.stack}` });
    }
    left = failed;
  }
  await polymongo.actions.closeAll();
  process.disconnect();
}

async function main(kills, tenants, migrations) {
  const mongo = await EmbeddedMongo.start();
  const wrong = [];
  const halfDone = new Set();
  const heard = new EventEmitter();
  let ups = 0;
  const start = () => {
    const env = { ...process.env, POLYMONGO_SEED: String(below(2 ** 31)) };
    const child = fork(THIS_FILE, ['--work', mongo.uri, String(tenants), String(migrations)], { env });
    child.on('message', (told) => {
      if (told.wrong) wrong.push(told.wrong);
      if (told.halfDone) halfDone.add(told.halfDone);
      if (told.up) ups++;
      heard.emit('message');
    });
    return child;
  };
  const alive = Array.from({ length: PROCESSES }, start);
  let killed = 0;
  let suspended = 0;
  const isOver = () => alive.every(({ exitCode }) => exitCode !== null);
  for (; killed < kills && !isOver(); killed++) {
    const left = Math.max(0, tenants * migrations - ups);
    const next = ups + below(Math.ceil((1.4 * left) / (kills - killed)));
    while (ups < next && !isOver())
      await once(heard, 'message', { signal: AbortSignal.timeout(LOCK_MS) }).catch(() => {});
    await delay(below(20));
    const at = below(alive.length);
    const child = alive[at];
    if (child.exitCode !== null) continue;
    const other = alive[(at + 1) % alive.length];
    if (below(4) === 0 && other.exitCode === null) {
      other.kill('SIGSTOP');
      suspended++;
      setTimeout(() => other.kill('SIGCONT'), 2 * LOCK_MS);
    }
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    alive[at] = start();
  }
  const ended = alive.map(async (child) => {
    if (child.exitCode === null) {
      const hung = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
      await once(child, 'exit');
      clearTimeout(hung);
    }
    if (child.exitCode !== 0) wrong.push(`a process ended with ${child.exitCode ?? child.signalCode}`);
  });
  await Promise.all(ended);

  await judge(mongo.uri, { tenants, migrations, halfDone, wrong });
  await mongo.stop();
  if (killed < kills) wrong.push(`all was done after ${killed} of ${kills} kills`);
  console.log(
    `${tenants} tenants, ${migrations} migrations, ${PROCESSES} processes, ${killed} killed, ${suspended} suspended, ` +
      `${halfDone.size} reported half-done (POLYMONGO_SEED=${seed}): ${wrong.length} wrong`,
  );
  for (const line of wrong.slice(0, 20)) console.log(line);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

/** Compares what ran, by the notes of the migrations themselves, with what is written down and was reported. */
async function judge(uri, { tenants, migrations, halfDone, wrong }) {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  for (let t = 0; t < tenants; t++) {
    const db = client.db(`tenant_t${t}`);
    const { migrations: records } = await db.collection('polymongo_migrations').findOne({ _id: 'state' });
    const runs = await db.collection('runs').find().toArray();
    if (runs.some(({ later }) => later > 0)) wrong.push(`t${t}: a migration ran after a later one`);
    for (let n = 0; n < migrations; n++) {
      const name = nameOf(n);
      const times = (what) => runs.filter((run) => run.n === n && run.what === what).length;
      const [begun, ended] = [times('begin'), times('end')];
      const isReported = halfDone.has(`t${t} ${name}`);
      const isOnce = begun === 1 && ended === 1;
      const isCut = isReported && !isTransactional(n) && begun <= 1 && ended <= begun;
      if (records[name]?.state !== 'done') wrong.push(`t${t} ${name} is ${records[name]?.state}`);
      if (!isOnce && !isCut) wrong.push(`t${t} ${name} began ${begun} times and ended ${ended} times`);
    }
  }
  await client.close();
}

const [mode, ...args] = process.argv.slice(2);
if (mode === '--work') await work(...args);
else await main(Number(mode ?? 10), Number(args[0] ?? 200), Number(args[1] ?? 30));
