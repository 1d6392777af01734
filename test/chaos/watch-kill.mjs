// A process that watches with a stored token is killed at random while changes are written: none of them is missing.
//   npm run build && node test/chaos/watch-kill.mjs [changes] [kills]
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mongoose, { Schema } from 'mongoose';
import { FileTokenStore, PolyMongoWrapper } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';

const DB = 'chaos';

/** The process that gets killed: handles changes, and reports each when its handler is done. */
async function watch(mongoURI, folder) {
  const polymongo = new PolyMongoWrapper({ mongoURI, defaultDB: DB, handleSignals: false });
  const entries = polymongo.wrapModel(mongoose.model('Entry', new Schema({ _id: Number })));
  const tokenStore = new FileTokenStore(folder);
  const onOpen = () => process.send('open');
  for await (const { documentKey } of entries.watch$({ tokenStore, onOpen })) process.send(documentKey._id);
}

/** Starts the process and writes until all changes were seen, killing it at random. */
async function main(changes, kills) {
  const folder = await mkdtemp(join(tmpdir(), 'watch-kill-'));
  const mongo = await EmbeddedMongo.start();
  const client = await new mongoose.mongo.MongoClient(mongo.uri).connect();
  const entries = client.db(DB).collection('entries');
  const seen = new Map();
  let child;
  const start = () =>
    new Promise((resolve) => {
      child = fork(fileURLToPath(import.meta.url), ['--watch', mongo.uri, folder]);
      child.on('message', (message) => {
        if (message === 'open') resolve();
        else seen.set(message, (seen.get(message) ?? 0) + 1);
      });
    });
  const kill = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });

  await start();
  let isDone = false;
  const killing = (async () => {
    for (let i = 0; i < kills; i++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      await kill();
      await start();
    }
    isDone = true;
  })();
  let written = 0;
  while (written < changes || !isDone) {
    await entries.insertOne({ _id: written++ });
    if (written >= changes) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await killing;
  const deadline = Date.now() + 30_000;
  while (seen.size < written && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  await kill();
  await client.close();
  await mongo.stop();
  await rm(folder, { recursive: true });
  const again = [...seen.values()].filter((times) => times > 1).length;
  console.log(`${written} changes, ${kills} kills: ${written - seen.size} missing, ${again} came again`);
  process.exitCode = seen.size === written ? 0 : 1;
}

const [role, ...args] = process.argv.slice(2);
if (role === '--watch') await watch(...args);
else await main(Number(role ?? 3_000), Number(args[0] ?? 20));
