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

/** What must stay what it is, whoever is told to write to it. */
const NOT_FILES: [string, (name: string) => Promise<void>][] = [
  ['a pipe', async (name) => void execFileSync('mkfifo', [name])],
  ['a link to a device', async (name) => symlink('/dev/null', name)],
  ['a folder', async (name) => void execFileSync('mkdir', [name])],
  ['a link to nothing', async (name) => symlink(`${name}.elsewhere`, name)],
];
/** A device of this test's own: root could replace the machine's. */
if (process.getuid?.() === 0)
  NOT_FILES.push(['a device', async (name) => void execFileSync('mknod', [name, 'c', '1', '3'])]);

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

  test.each(NOT_FILES)('leaves %s as it is, with --force too', async (_, make) => {
    await make(inFolder('out'));
    const before = await lstat(inFolder('out'));
    for (const more of [[], ['--force']]) {
      expect((await cli(['export', shop, '--out', inFolder('out'), ...more])).code).toBe(2);
    }
    const after = await lstat(inFolder('out'));
    expect([after.ino, after.mode, after.rdev]).toEqual([before.ino, before.mode, before.rdev]);
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
    for (const [code, ...args] of [
      [1, shop, '--include', 'nothing'],
      [1, shop, '--rename', 'orders=system.x'],
      [1, 'admin'],
      [2, 'no such database'],
    ] as const) {
      expect((await cli(['export', ...args, '--out', inFolder('shop.json')])).code).toBe(code);
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

  test.each(NOT_FILES)('leaves %s as it is, with --force too', async (_, make) => {
    await make(inFolder('rejects'));
    const before = await lstat(inFolder('rejects'));
    const args = ['import', fixture.name(), '--on-error', 'skip', '--rejects', inFolder('rejects')];
    for (const more of [[], ['--force']]) {
      expect((await cli([...args, ...more], { stdin: Buffer.from(bad) })).code).toBe(2);
    }
    const after = await lstat(inFolder('rejects'));
    expect([after.ino, after.mode, after.rdev]).toEqual([before.ino, before.mode, before.rdev]);
    expect(await readdir(folder)).toEqual(['rejects']);
  });

  test('replaces the file that a link points to, not the link, and follows no .part that somebody planted', async () => {
    await writeFile(inFolder('victim'), 'theirs');
    await writeFile(inFolder('rejects.jsonl'), 'mine');
    await symlink('rejects.jsonl', inFolder('latest'));
    for (const name of ['latest.part', 'rejects.jsonl.part']) await symlink('victim', inFolder(name));
    const args = ['import', fixture.name(), '--on-error', 'skip', '--rejects', inFolder('latest')];
    expect((await cli(args, { stdin: Buffer.from(bad) })).code).toBe(2);
    expect(await readFile(inFolder('rejects.jsonl'), 'utf8')).toBe('mine');
    expect((await cli([...args, '--force'], { stdin: Buffer.from(bad) })).code).toBe(3);
    expect((await lstat(inFolder('latest'))).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await readFile(inFolder('rejects.jsonl'), 'utf8'))).toMatchObject({ documentNumber: 2 });
    expect(await readFile(inFolder('victim'), 'utf8')).toBe('theirs');
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

describe('names cannot make a terminal do anything', () => {
  const EVIL = 'a\x1b]0;owned\x07\x9b2J\u202eb\nfake line';
  /** A database may be called so, too. */
  const evilDatabase = () => `${fixture.name()}\x1b]0;owned\x07\u202e\r\nfake-line`;
  const file = (collection: string, database?: string) =>
    Buffer.from(JSON.stringify({ database, collections: { [collection]: [] } }));

  /** Of runs that say the name, or something else. */
  function check(runs: readonly { out: string; err: string }[]) {
    // Less what moves the cursor to show progress, or ask.
    // eslint-disable-next-line no-control-regex
    const shown = runs.map(({ out, err }) => (out + err).replace(/\r?\x1b\[\d*[GJK]|\r(?=\n)/g, ''));
    // eslint-disable-next-line no-control-regex
    expect(shown.filter((text) => /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|^fake.line/m.test(text))).toEqual([]);
    expect(shown.filter((text) => text.includes('owned')).length).toBeGreaterThan(runs.length / 2);
  }

  test('of collections', async () => {
    const name = fixture.name();
    await fixture.insert(name, EVIL, [{ _id: 1 }]);
    const stats = await cli(['stats', name, '--json']);
    expect(JSON.parse(stats.out)).toMatchObject({ collections: [{ name: EVIL }] });
    check([
      stats,
      await cli(['stats', name]),
      await cli(['export', name, '--out', inFolder('evil.json')], { isTTY: true }),
      await cli(['export', name, '--out', inFolder('evil2.json'), '--json']),
      await cli(['export', name, '--include', `${EVIL}x`]),
      await cli(['export', name, '--rename', `${EVIL}=`]),
      await cli(['copy', name, fixture.name()], { isTTY: true }),
      await cli(['import', fixture.name()], { stdin: file(EVIL) }),
    ]);
  });

  test('of databases', async () => {
    const name = evilDatabase();
    await fixture.insert(name, 'owned', [{ _id: 1 }]);
    check([
      await cli(['list']),
      await cli(['list', '--json']),
      await cli(['stats']),
      await cli(['stats', `${name}:`]),
      await cli(['stats', name, '--json']),
      await cli(['export', name, '--out', inFolder('evil.json')], { isTTY: true }),
      await cli(['export', `${name}x`]),
      await cli(['copy', name, evilDatabase()]),
      await cli(['copy', name, `${name}/`]),
      await cli(['import', `${name}:`], { stdin: file('c') }),
      await cli(['import', fixture.name(), '--source-db', name], { stdin: file('c', 'other') }),
      await cli(['drop', name]),
      await cli(['drop', name], { isTTY: true, stdin: Buffer.from('no\n') }),
      await cli(['drop', name, '--yes']),
    ]);
  });

  test('of a document that is watched', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 0 }]);
    const abort = new AbortController();
    const output = { text: '' };
    const watching = cli(['watch', name], {
      signal: abort.signal,
      isTTY: true,
      onOutput: (text) => (output.text += text).includes('owned') && abort.abort(),
    });
    for (let i = 1; !output.text; i++) {
      await fixture.insert(name, 'c', [{ _id: i, [EVIL]: EVIL }]);
    }
    check([await watching]);
  });

  test('of files, flags and whatever else is typed', async () => {
    check([
      await cli([EVIL]),
      await cli(['list', EVIL]),
      await cli(['list', `--${EVIL}`]),
      await cli(['import', fixture.name(), inFolder(EVIL)]),
      await cli(['import', fixture.name(), '--on-error', EVIL]),
      await cli(['export', shop, '--format', EVIL]),
      await cli(['export', shop, '--query', EVIL]),
      await cli(['export', shop, '--out', join(inFolder(EVIL), 'x')]),
      await cli(['embedded', '--port', EVIL]),
      await cli(['migrate', 'create', EVIL, '--dir', folder]),
      await cli(['migrate', 'create', 'a', '--dir', inFolder(EVIL)]),
      await cli(['migrate', 'up', '--tenant', EVIL, '--dir', folder]),
      await cli(['migrate', 'up', '--all', '--config', inFolder(EVIL)]),
      await cli(['migrate', 'up', '--all', '--concurrency', EVIL]),
      await cli(['migrate', 'redo', EVIL, '--all', '--dir', folder]),
      await cli(['list', '--uri', EVIL]),
    ]);
  });
});
