import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

const FULL = '/dev/full'; // Linux has it: every write to it is ENOSPC
const CLI = fileURLToPath(new URL('../../../dist/esm/cli/main.js', import.meta.url));

let server: EmbeddedMongo;
let client: mongoose.mongo.MongoClient;
let folder: string;
beforeAll(async () => {
  server = await EmbeddedMongo.start();
  client = await new mongoose.mongo.MongoClient(server.uri).connect();
  await client.db('shop').collection('orders').insertOne({ n: 1 });
  folder = mkdtempSync(join(tmpdir(), 'polymongo-full-'));
});
afterAll(async () => {
  await client.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Runs the built command line with its output to a full device. */
async function runFull(args: readonly string[], full: 'stdout' | 'stderr' = 'stdout') {
  const fd = openSync(FULL, 'w');
  const stdio = full === 'stdout' ? (['ignore', fd, 'pipe'] as const) : (['ignore', 'pipe', fd] as const);
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: [...stdio],
    env: { ...process.env, POLYMONGO_URI: server.uri },
  });
  closeSync(fd);
  let told = '';
  (child.stderr ?? child.stdout)?.on('data', (chunk) => (told += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, told };
}

const suite = existsSync(CLI) && existsSync(FULL) ? describe : describe.skip; // npm run build makes it

suite('a command whose output is full', () => {
  const file = () => join(folder, 'shop.json');
  beforeAll(() => promisify(execFile)(process.execPath, [CLI, 'export', 'shop', '--out', file(), '--uri', server.uri]));

  it.each<[string, () => string[]]>([
    ['list', () => ['list']],
    ['list --json', () => ['list', '--json']],
    ['stats', () => ['stats']],
    ['stats of one database', () => ['stats', 'shop', '--json']],
    ['copy', () => ['copy', 'shop', 'shop_copy', '--json']],
    ['import', () => ['import', 'shop_import', file(), '--json']],
    ['export into a file', () => ['export', 'shop', '--json', '--out', join(folder, 'second.json')]],
    ['export', () => ['export', 'shop']],
    ['drop', () => ['drop', 'shop_copy', '--yes']],
    ['embedded', () => ['embedded']],
    ['--help', () => ['--help']],
  ])(
    'says so and ends with 1: %s',
    async (_, args) => {
      expect(await runFull(args())).toEqual({ code: 1, told: expect.stringMatching(/^polymongo: .*ENOSPC/m) });
    },
    20_000,
  );

  it('says so and ends with 1: watch', async () => {
    const orders = client.db('shop').collection('orders');
    const writing = setInterval(() => void orders.insertOne({ n: 2 }).catch(() => {}), 50);
    try {
      expect(await runFull(['watch', 'shop'])).toEqual({ code: 1, told: expect.stringContaining('ENOSPC') });
    } finally {
      clearInterval(writing);
    }
  }, 20_000);

  it('goes on where it is stderr that is full', async () => {
    const { code } = await runFull(['export', 'shop', '--out', join(folder, 'third.json')], 'stderr');
    expect([code, existsSync(join(folder, 'third.json'))]).toEqual([0, true]);
  }, 20_000);
});
