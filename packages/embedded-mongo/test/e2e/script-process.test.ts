import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';
import { useOwnServer } from '../support/connected.js';

const { MongoClient } = mongoose.mongo;
const SMALL = fileURLToPath(new URL('../support/small-heap.mjs', import.meta.url));
const onLinux = existsSync('/proc/self/stat') ? it : it.skip;

/** The processes that a process has started and that have not ended. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        const [state, parent] = readFileSync(`/proc/${child}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(parent) === pid && state !== 'Z';
      } catch {
        return false; // it has ended just now
      }
    });

/** The processes among them that run scripts. */
const scriptsOf = (pid: number): number[] =>
  childrenOf(pid).filter((child) => readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('realmScript'));

describe('the process of scripts', () => {
  let client: mongo.MongoClient;
  let db: mongo.Db;

  useOwnServer(async (connected) => {
    client = connected;
    db = client.db('scripts');
    await db.collection<{ _id: number }>('one').insertOne({ _id: 1 });
  });

  const where = (code: string, maxTimeMS = 4000): Promise<unknown> =>
    db.collection('one').find({ $where: code }, { maxTimeMS }).toArray().then((found) => found.length); // prettier-ignore

  it.each<[string, string]>([
    ['a huge string', "'x'.repeat(2 ** 29 - 25).indexOf('y') === -1"],
    ['a huge string of two bytes a character', "'ж'.repeat(2 ** 29 - 25).indexOf('y') === -1"],
    ['many large strings', "const a = []; for (;;) a.push('x'.repeat(2 ** 26 + a.length)); return a"],
    ['a text that doubles, and is flattened', "let s = 'ж'; for (;;) { s += s; s.indexOf('y') }; return s"],
    ['an array of a huge length', 'const a = []; for (;;) a.push(new Array(2 ** 24).fill(0.5)); return a'], // prettier-ignore
    ['a typed array by another way', "const made = []; for (;;) made.push(new (Object.getPrototypeOf(Int8Array))(2 ** 30)); return made"], // prettier-ignore
    ['what it joins', "Array(2 ** 22).fill('x'.repeat(100)).join('y').length + (() => { const a = []; for (;;) a.push(Array(2 ** 20).fill('abcdef' + a.length).join('')) })()"], // prettier-ignore
    ['big integers', 'let n = 2n ** 1000000n; const a = []; for (;;) a.push(n << BigInt(a.length)); return a'],
    [
      'regular expressions',
      "const a = []; for (;;) a.push(new RegExp('(a|b)*'.repeat(10000) + a.length).test('a')); return a",
    ],
    ['languages', "const a = []; for (;;) a.push(new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin', year: 'numeric' }), new Intl.Collator('de'), new Intl.NumberFormat('fr')); return a"], // prettier-ignore
    ['what it gives', "({ a: 'x'.repeat(2 ** 28) })"],
  ])(
    'ends by the memory that %s takes, or by its time, and nothing else does',
    async (_title, code) => {
      const source = /\breturn\b/.test(code) ? code : `return ${code}`;
      const outcome = await where(source).catch((error: unknown) => error);
      if (outcome instanceof Error) expect([50, 139]).toContain((outcome as mongo.MongoServerError).code);
      expect(await where('true')).toBe(1);
    },
    60_000,
  );

  it("a script that fills the memory has MongoDB's error", async () => {
    const filling = where('return [new Array(2 ** 25).fill(0.5), new Array(2 ** 25).fill(0.5)]');
    await expect(filling).rejects.toMatchObject({ code: 139, codeName: 'JSInterpreterFailure' });
  }, 60_000);

  it('what a process was told is told to the next one, when it was ended', async () => {
    const cursor = db.collection('many').find({ $where: 'this._id >= 0' }, { batchSize: 2 });
    await db.collection<{ _id: number }>('many').insertMany(Array.from({ length: 9 }, (_, _id) => ({ _id })));
    await cursor.next();
    await expect(where('while (true); return 1', 50)).rejects.toMatchObject({ code: 50 });
    expect(await cursor.toArray()).toHaveLength(8);
  });

  onLinux('is there once a script has run, one for all servers, and ends with a server', async () => {
    const other = await EmbeddedMongo.start();
    await where('true');
    expect(scriptsOf(process.pid)).toHaveLength(1);
    await other.stop();
    expect(scriptsOf(process.pid)).toEqual([]);
    expect(await where('true')).toBe(1);
  });

  onLinux('that somebody ends is started anew', async () => {
    await where('true');
    const [pid] = scriptsOf(process.pid);
    process.kill(pid!, 'SIGKILL');
    while (scriptsOf(process.pid).length > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await where('true').catch(() => where('true'))).toBe(1);
  });
});

describe('a process that ends while a script runs', () => {
  let child: ReturnType<typeof spawn> | undefined;

  afterEach(() => void child?.kill('SIGKILL'));

  onLinux.each<[string, (pid: number) => void]>([
    ['is killed', (pid) => process.kill(pid, 'SIGKILL')],
    ['is told to', (pid) => process.kill(pid, 'SIGTERM')],
  ])(
    'takes the scripts with it: %s',
    async (_title, end) => {
      child = spawn(process.execPath, [SMALL], { stdio: ['pipe', 'pipe', 'ignore'] });
      const [uri] = (await once(child.stdout!, 'data')) as [Buffer];
      const client = await new MongoClient(uri.toString().trim(), { retryReads: false, serverSelectionTimeoutMS: 1000 }).connect(); // prettier-ignore
      try {
        await client.db('a').collection('c').insertOne({ a: 1 });
        const running = client.db('a').collection('c').find({ $where: 'while (true); return 1' }).toArray();
        const lost = expect(running).rejects.toThrow();
        let scripts: number[];
        while ((scripts = scriptsOf(child.pid!)).length === 0) await new Promise((resolve) => setImmediate(resolve));
        end(child.pid!);
        await once(child, 'exit');
        await lost;
        while (scripts.some((pid) => existsSync(`/proc/${pid}`))) await new Promise((resolve) => setImmediate(resolve));
      } finally {
        await client.close(true);
      }
    },
    30_000,
  );
});
