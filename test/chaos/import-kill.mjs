// An import with resume, by the library and by the command line, whose process or whose server is killed at random
// moments: in the end every document is there exactly once.
//   npm run build && node test/chaos/import-kill.mjs [kills]
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';

const THIS_FILE = fileURLToPath(import.meta.url);
const CLI = fileURLToPath(new URL('../../dist/esm/cli/main.js', import.meta.url));
const DOCUMENTS = 4_000;
const KILLS_A_ROUND = 4;
const CHUNK_BYTES = 16 * 1024;

/** The server's process. Asked by a message it crashes and comes back; the data stays, as on a disk. */
async function serve() {
  const mongo = await EmbeddedMongo.start();
  process.on('message', async () => process.send(await mongo.restart().then(() => 'restarted')));
  process.once('disconnect', () => process.exit());
  process.send(mongo.uri);
}

/** The process that imports from stdin, and goes on from the last checkpoint that it has stored. */
async function importStdin(mongoURI, database, checkpointFile) {
  const polymongo = new PolyMongoWrapper({ mongoURI, handleSignals: false });
  const resumeFrom = existsSync(checkpointFile) ? JSON.parse(readFileSync(checkpointFile, 'utf8')) : 'start';
  const onProgress = ({ checkpoint }) => {
    writeFileSync(`${checkpointFile}.new`, JSON.stringify(checkpoint));
    renameSync(`${checkpointFile}.new`, checkpointFile);
  };
  await polymongo.bulkTasks.importStream(database, process.stdin, { resumeFrom, onProgress });
  await polymongo.actions.closeAll();
}

/** What is imported: documents with and without an `_id` of their own, an index and options. */
const exportData = () => {
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
    ...(n % 3 > 0 && { _id: n }),
    n,
    text: 'x'.repeat(300),
  }));
  const indexes = [{ v: 2, key: { n: 1 }, name: 'n_1' }];
  const options = { validator: { n: { $exists: true } } };
  return { database: 'd', exportDate: '2026-01-01T00:00:00.000Z', collections: { c: { options, documents, indexes } } };
};

/** The same in each format. */
async function makeFiles(uri) {
  const polymongo = new PolyMongoWrapper({ mongoURI: uri, handleSignals: false });
  const { bulkTasks } = polymongo;
  await bulkTasks.import('seed', exportData());
  const read = async (options) => Buffer.concat(await bulkTasks.exportStream('seed', options).toArray());
  const files = {
    'as JSON': Buffer.from(JSON.stringify(exportData(), null, 1)),
    'in our lines': await read({}),
    'as an archive': await read({ format: 'archive' }),
    'as a gzipped archive': await read({ format: 'archive', gzip: true }),
  };
  await polymongo.actions.closeAll();
  return Object.entries(files);
}

/** Starts an import and feeds it `bytes` of the file. */
async function startImport(importer, uri, database, checkpointFile, file, bytes) {
  const args =
    importer === 'the command line'
      ? [CLI, 'import', database, '--resume', '--uri', uri]
      : [THIS_FILE, '--import', uri, database, checkpointFile];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => (stderr += text));
  child.stdin.on('error', () => undefined); // it may be gone
  const ended = once(child, 'exit').then(([code]) => ({ code, stderr }));
  for (let at = 0; at < bytes && child.exitCode === null; at += CHUNK_BYTES) {
    const hasRoom = child.stdin.write(file.subarray(at, Math.min(at + CHUNK_BYTES, bytes)));
    if (!hasRoom) await Promise.race([once(child.stdin, 'drain'), ended]);
  }
  return { child, ended };
}

async function main(kills) {
  const folder = await mkdtemp(join(tmpdir(), 'import-kill-'));
  const server = fork(THIS_FILE, ['--serve']);
  const [uri] = await once(server, 'message');
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  const files = await makeFiles(uri);
  const counts = { 'process killed': 0, 'server killed': 0, 'in the middle of the documents': 0 };
  let wrong = 0;

  for (let round = 0, killed = 0; killed < kills; round++) {
    const [form, file] = files[round % files.length];
    const importer = Math.floor(round / files.length) % 2 ? 'the command line' : 'the library';
    const database = `round_${round}`;
    const collection = client.db(database).collection('c');
    const start = (bytes) => startImport(importer, uri, database, join(folder, `${database}.json`), file, bytes);

    for (let i = 0; i < KILLS_A_ROUND && killed < kills; i++, killed++) {
      const { child, ended } = await start(Math.floor(Math.random() * file.length));
      await sleep(Math.random() * 100);
      if (i % 2 === 0) {
        child.kill('SIGKILL');
        counts['process killed']++;
      } else {
        server.send('restart');
        await once(server, 'message');
        counts['server killed']++;
        await sleep(Math.random() * 100);
        child.kill('SIGKILL'); // it would wait for the rest of the file
      }
      await ended;
      const there = await collection.countDocuments({});
      if (there > 0 && there < DOCUMENTS) counts['in the middle of the documents']++;
    }
    const { child, ended } = await start(file.length);
    child.stdin.end();
    const { code, stderr } = await ended;
    const numbers = (await collection.find().project({ n: 1 }).toArray()).map(({ n }) => n).sort((a, b) => a - b);
    const isWhole = numbers.length === DOCUMENTS && numbers.every((n, i) => n === i);
    const hasIndex = (await collection.indexes()).some(({ name }) => name === 'n_1');
    if (code !== 0 || !isWhole || !hasIndex) {
      wrong++;
      console.log(`round ${round}, ${form} by ${importer}: exit code ${code}, ${numbers.length} documents\n${stderr}`);
    }
    await client.db(database).dropDatabase();
  }
  await client.close();
  server.disconnect();
  await rm(folder, { recursive: true });
  const told = Object.entries(counts).map(([what, times]) => `${times} ${what}`);
  console.log(`${kills} kills (${told.join(', ')}): ${wrong} imports without every document exactly once`);
  process.exitCode = wrong === 0 && counts['in the middle of the documents'] > 0 ? 0 : 1;
}

const [role, ...args] = process.argv.slice(2);
if (role === '--serve') await serve();
else if (role === '--import') await importStdin(...args);
else await main(Number(role ?? 100));
