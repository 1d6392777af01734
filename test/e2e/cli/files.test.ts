import { execFileSync } from 'node:child_process';
import { link, lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BulkFixture } from '../bulk/bulk.fixture.js';
import { type Run, runIn } from './cli.run.js';

let fixture: BulkFixture;
let shop: string;
let folder: string;
const inFolder = (name: string) => join(folder, name);
const cli = (args: string[], run: Run = {}) => runIn(fixture.server.uri, args, run);

beforeAll(async () => {
  fixture = await BulkFixture.start();
  shop = fixture.name();
  await fixture.insert(shop, 'orders', [{ _id: 1 }, { _id: 2 }]);
});
afterAll(() => fixture.stop());
beforeEach(async () => {
  if (folder) await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), 'polymongo-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('export --out', () => {
  test('replaces a file that is there only with --force', async () => {
    await writeFile(inFolder('shop.json'), 'mine');
    const refused = await cli(['export', shop, '--out', inFolder('shop.json')]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect(await readFile(inFolder('shop.json'), 'utf8')).toBe('mine');
    expect((await cli(['export', shop, '--out', inFolder('shop.json'), '--force'])).code).toBe(0);
    expect(JSON.parse(await readFile(inFolder('shop.json'), 'utf8'))).toMatchObject({ database: shop });
    expect(await readdir(folder)).toEqual(['shop.json']);
  });

  test.each([
    ['a pipe', async (name: string) => void execFileSync('mkfifo', [name])],
    ['a device', async (name: string) => symlink('/dev/null', name)],
    ['a folder', async (name: string) => void execFileSync('mkdir', [name])],
    ['a link to nothing', async (name: string) => symlink(`${name}.elsewhere`, name)],
  ])('leaves %s as it is, with --force too', async (_, make) => {
    await make(inFolder('out'));
    const before = await lstat(inFolder('out'));
    for (const more of [[], ['--force']]) {
      expect((await cli(['export', shop, '--out', inFolder('out'), ...more])).code).toBe(2);
    }
    const after = await lstat(inFolder('out'));
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
    expect(await readdir(folder)).toEqual(['out']);
  });

  test('replaces the file that a link points to, not the link', async () => {
    await writeFile(inFolder('shop.json'), 'mine');
    await symlink('shop.json', inFolder('latest.json'));
    expect((await cli(['export', shop, '--out', inFolder('latest.json')])).code).toBe(2);
    expect((await cli(['export', shop, '--out', inFolder('latest.json'), '--force'])).code).toBe(0);
    expect((await lstat(inFolder('latest.json'))).isSymbolicLink()).toBe(true);
    expect(await readFile(inFolder('shop.json'), 'utf8')).toContain(shop);
  });

  test('does not follow a .part that somebody planted', async () => {
    await writeFile(inFolder('victim'), 'theirs');
    for (const plant of [symlink, link]) {
      await plant(inFolder('victim'), inFolder('shop.json.part'));
      expect((await cli(['export', shop, '--out', inFolder('shop.json')])).code).toBe(2);
      expect((await cli(['export', shop, '--out', inFolder('shop.json'), '--force'])).code).toBe(0);
      expect(await readFile(inFolder('victim'), 'utf8')).toBe('theirs');
    }
    expect((await readdir(folder)).sort()).toEqual(['shop.json', 'victim']);
  });

  test('keeps a file that appeared while it was written, and the export beside it', async () => {
    const out = inFolder('shop.json');
    const transformed = cli(['export', shop, '--out', out], { isTTY: true });
    while (!(await readdir(folder)).includes('shop.json.part')) await new Promise((resolve) => setImmediate(resolve));
    await writeFile(out, 'mine');
    const { code, err } = await transformed;
    expect([code, err]).toEqual([1, expect.stringContaining('has appeared meanwhile')]);
    expect(await readFile(out, 'utf8')).toBe('mine');
    expect(await readFile(`${out}.part`, 'utf8')).toContain(shop);
  });

  test('leaves no .part where the export is refused before its first byte', async () => {
    for (const args of [
      [shop, '--include', 'nothing'],
      [shop, '--rename', 'orders=system.x'],
      ['admin'],
      ['no such database'],
    ]) {
      expect((await cli(['export', ...args, '--out', inFolder('shop.json')])).code).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    }
  });
});

describe('import --rejects', () => {
  const bad = '{"collections":{"c":{"documents":[{"_id":1},{"_id":}]}}}';

  test('never names the file that is read, by whatever name', async () => {
    await writeFile(inFolder('shop.json'), bad);
    await symlink('shop.json', inFolder('symlink'));
    await link(inFolder('shop.json'), inFolder('hardlink'));
    for (const name of ['shop.json', 'symlink', 'hardlink']) {
      const args = ['import', fixture.name(), inFolder('shop.json'), '--on-error', 'skip', '--rejects', inFolder(name)];
      expect((await cli(args)).code).toBe(2);
      expect((await cli([...args, '--force'])).code).toBe(2);
      expect(await readFile(inFolder('shop.json'), 'utf8')).toBe(bad);
    }
  });

  test('replaces a file only with --force, and tells by the exit code that something is in it', async () => {
    const args = ['import', fixture.name(), '--on-error', 'skip', '--rejects', inFolder('rejects.jsonl')];
    await writeFile(inFolder('rejects.jsonl'), 'mine');
    expect((await cli(args, { stdin: Buffer.from(bad) })).code).toBe(2);
    expect(await readFile(inFolder('rejects.jsonl'), 'utf8')).toBe('mine');
    expect((await cli([...args, '--force'], { stdin: Buffer.from(bad) })).code).toBe(3);
    expect(JSON.parse(await readFile(inFolder('rejects.jsonl'), 'utf8'))).toMatchObject({ documentNumber: 2 });
  });
});

test('the name of a file or server that is empty is a wrong usage', async () => {
  for (const args of [
    ['export', shop, '--out', ''],
    ['export', shop, '--out', '', '--force'],
    ['import', fixture.name(), ''],
    ['import', fixture.name(), '--rejects', ''],
    ['copy', shop, fixture.name(), '--target-uri', ''],
    ['list', '--uri', ''],
  ]) {
    const { code, err } = await cli(args, args.includes('--uri') ? { env: {} } : {});
    expect([args, code, err]).toEqual([args, 2, expect.stringMatching(/empty|No server given/)]);
  }
});

test('names cannot make a terminal do anything, on any way out', async () => {
  const name = fixture.name();
  const evil = 'a\x1b]0;owned\x07\x9b2J\u202eb\nfake line';
  await fixture.insert(name, evil, [{ _id: 1 }]);
  const runs = [
    await cli(['export', name, '--out', inFolder('evil.json')], { isTTY: true }),
    await cli(['export', name, '--out', inFolder('evil2.json'), '--json']),
    await cli(['stats', name]),
    await cli(['stats', name, '--json']),
    await cli(['copy', name, fixture.name()]),
    await cli(['export', name, '--include', `${evil}x`]),
    await cli(['import', fixture.name()], { stdin: Buffer.from(`{"collections":{${JSON.stringify(evil)}:[]}}`) }),
  ];
  for (const { out, err } of runs) {
    const own = (out + err).replaceAll('\r\x1b[K', '').replaceAll('\n', '');
    expect(own).toMatch(/owned/);
    // eslint-disable-next-line no-control-regex
    expect(own).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    expect((out + err).split('\n')).not.toContainEqual(expect.stringMatching(/^fake line/));
  }
  expect(JSON.parse(runs[3]!.out)).toMatchObject({ collections: [{ name: evil }] });
});
