// An embedded MongoDB with a client, idle for a second and then stopped. Prints what it used meanwhile; whether the
// process ends by itself afterwards is for the caller to see.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import mongoose from 'mongoose';
import { compile } from '../../../../scripts/compile.mjs';

const IDLE_MS = 1000;
const root = join(import.meta.dirname, '../..');
const compiled = await mkdtemp(join(root, '.idle-')); // in here, so that packages are found
await compile(join(root, 'src'), compiled);
await writeFile(join(compiled, 'package.json'), '{ "type": "module" }');
const { EmbeddedMongo } = await import(pathToFileURL(join(compiled, 'index.js')).href);
await rm(compiled, { recursive: true });

const mongo = await EmbeddedMongo.start();
const client = await new mongoose.mongo.MongoClient(mongo.uri).connect();
const docs = client.db('a').collection('docs');
await docs.createIndex({ at: 1 }, { expireAfterSeconds: 3600 }); // its monitor has a timer
await docs.insertOne({ at: new Date() });
const stream = docs.watch();
await stream.tryNext();
const waiting = stream.next().catch(() => {});

await sleep(100); // what connecting left behind is done
const before = process.cpuUsage();
await sleep(IDLE_MS);
const { user, system } = process.cpuUsage(before);

await stream.close();
await waiting;
await client.close();
await mongo.stop();
const timersLeft = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
console.log(JSON.stringify({ idleMS: IDLE_MS, idleCpuMS: (user + system) / 1000, timersLeft }));
