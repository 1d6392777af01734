import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { BulkFixture } from '../bulk/bulk.fixture.js';
import { type Run, runIn } from './cli.run.js';
import { useShop } from './cli.shop.js';

const NOBODY = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200';

let fixture: BulkFixture;
let shop: string;
let folder: string;

useShop(async (made) => {
  ({ fixture, shop, folder } = made);
  await mkdir(join(folder, 'migrations'));
  await writeFile(
    join(folder, 'migrations', '0001-a.mjs'),
    'export const up = () => {};\nexport const down = () => {};\n',
  );
  await fixture.insert(shop, 'orders', [{ _id: 1 }]);
  await (await fixture.connectionOf(shop)).db!.createCollection('v', { viewOn: 'orders', pipeline: [] });
});

const cli = (args: readonly string[], run: Run = {}) =>
  runIn(
    fixture.server.uri,
    args[0] === 'migrate' && args[1] !== 'create' ? [...args, '--dir', join(folder, 'migrations')] : [...args],
    run,
  );

/** Every command that talks to a server, in a form that is right. */
const COMMANDS: readonly (readonly string[])[] = [
  ['list'],
  ['stats'],
  ['stats', 'db'],
  ['export', 'db'],
  ['import', 'db'],
  ['export-collection', 'db', 'c'],
  ['import-collection', 'db', 'c'],
  ['copy', 'db', 'db2'],
  ['drop', 'db', '--yes'],
  ['watch', 'db'],
  ['migrate', 'up', '--all'],
  ['migrate', 'down', '--all'],
  ['migrate', 'redo', '1', '--all'],
  ['migrate', 'mark', '1', '--as', 'done', '--all'],
  ['migrate', 'status', '--all'],
  ['tenants', 'find'],
  ['tenants', 'stats'],
  ['tenants', 'suspend', 'acme'],
  ['tenants', 'resume', 'acme'],
  ['tenants', 'backup', '--all', '--out', '.'],
  ['tenants', 'verify', '--all', '--from', '.'],
  ['tenants', 'restore', 'acme', '--from', '.'],
  ['tenants', 'clone', 'acme', 'emca'],
];
/** Those that make something else, and what is wrong with what they are given. */
const OTHERS: readonly (readonly string[])[] = [
  ['embedded', '--port', 'x'],
  ['migrate', 'create', 'a name'],
  ['export-collection', 'db', 'c', '--format', 'csv'],
  ['copy', 'a', 'b', '--target-uri', ''],
];

/** The error is there once: as a line with the prefix, or as JSON. */
async function expectFailure(args: readonly string[], code: number, run: Run = {}): Promise<string> {
  const plain = await cli(args, run);
  expect([args, plain.code, plain.out]).toEqual([args, code, '']);
  expect([args, plain.err]).toEqual([args, expect.stringMatching(/^polymongo: [^\n]+\n$/)]);
  const json = await cli([...args, '--json'], run);
  expect([args, json.code, json.err]).toEqual([args, code, '']);
  const { error } = JSON.parse(json.out) as { error: string };
  const first = plain.err.slice('polymongo: '.length, -1);
  expect(error.slice(0, 12)).toBe(first.slice(0, 12));
  for (const text of [error, first])
    expect(text).not.toMatch(/\{ \w+: |\b(mongoURI|sourceDatabase|resumeFrom|onError)\b/);
  return first;
}

describe('every command', () => {
  test.each(COMMANDS.map((args) => [args.join(' '), args] as const))(
    '%s: 2 without a server or with a bad one',
    async (_, args) => {
      expect(await expectFailure(args, 2, { env: {} })).toContain('--uri');
      await expectFailure([...args, '--uri', 'http://host'], 2);
      // These look for the backup first.
      if (!args.includes('--from')) await expectFailure([...args, '--uri', 'mongodb://host/?tls=maybe'], 2);
      await expectFailure([...args, '--no-such-flag'], 2);
    },
  );

  test.each(OTHERS.map((args) => [args.join(' '), args] as const))('%s: 2', async (_, args) => {
    await expectFailure(args, 2);
  });

  test.each(
    COMMANDS.filter(([name]) => name !== 'migrate' && name !== 'tenants').map(
      (args) => [args.join(' '), args] as const,
    ),
  )('%s: 1 where the server cannot be reached', async (_, args) => {
    await expectFailure([...args, '--uri', NOBODY], 1, { stdin: Buffer.from('{"collections":{}}') });
  });

  test('2 where none is named, or one that there is not', async () => {
    expect((await cli([])).code).toBe(2);
    const { code, out, err } = await cli(['--json']);
    expect([code, JSON.parse(out), err]).toEqual([2, { error: expect.stringContaining('No command') }, '']);
    await expectFailure(['lst'], 2);
  });

  test.each(['export', 'copy', 'drop'])('%s: 1 where there is no such database', async (command) => {
    const more = command === 'copy' ? ['target'] : command === 'drop' ? ['--yes'] : [];
    expect(await expectFailure([command, 'no_such_database', ...more], 1)).toContain(
      'no_such_database has no collections',
    );
  });

  test.each(['export', 'stats', 'drop', 'import'])('%s: 2 where the name can be no database', async (command) => {
    await expectFailure([command, 'a/b', ...(command === 'drop' ? ['--yes'] : [])], 2);
  });
});

describe('the command line', () => {
  test('says which flags help where an import meets what is there', async () => {
    const copy = fixture.name();
    const { bytes } = await cli(['export', shop]);
    for (const [args, source] of [
      [['import', copy], bytes],
      [['import-collection', copy, 'c'], Buffer.from('{"_id":1}')],
    ] as const) {
      expect((await cli(args, { stdin: source })).code).toBe(0);
      const again = await cli(args, { stdin: source });
      expect([again.code, again.err]).toEqual([1, expect.stringMatching(/--resume .*--drop .*--on-error skip/)]);
      expect((await cli([...args, '--drop'], { stdin: source })).code).toBe(0);
    }
  });

  test('has the same units in list and stats, views as views, and one of a thing as one', async () => {
    expect((await cli(['list'])).out).toMatch(/SIZE ON DISK\n(.* {2}[\d.]+ k?M?B\n)+$/);
    expect((await cli(['stats'])).out).toMatch(/SIZE ON DISK\n(.* {2}[\d.]+ k?M?B\n)+$/);
    expect((await cli(['stats', shop])).out).toMatch(/^orders +1 +\d+ B\nv +view\n1 collection, 1 view, \d+ B\n$/m);
    expect(JSON.parse((await cli(['stats', shop, '--json'])).out)).toMatchObject({ views: ['v'], numCollections: 1 });
    const { out } = await cli(['export', shop, '--out', join(folder, 'shop.json')]);
    expect(out).toMatch(/^orders +1 .*\nv +view\n1 document in 1 collection and 1 view, /m);
  });

  test.each([80, 40, undefined])('never draws a bar that wraps, %s columns', async (columns) => {
    const name = fixture.name();
    await fixture.insert(name, 'a_collection_with_a_name_as_long_as_it_gets_表表表表表表表表表表', [{ _id: 1 }]);
    const { err } = await cli(['export', name, '--out', join(folder, `${columns}.json`)], {
      isTTY: true,
      ...(columns && { columns }),
    });
    const drawn = err.split('\r\x1b[K').filter((text) => text.includes('document'));
    const widthOf = (text: string) => [...text].reduce((sum, character) => sum + (character > '\u1100' ? 2 : 1), 0);
    expect(drawn.length).toBeGreaterThan(0);
    expect(Math.max(...drawn.map(widthOf))).toBeLessThan(columns ?? 80);
  });

  test('says on a terminal what it does that would show nothing', async () => {
    const stop = new AbortController();
    const run = { isTTY: true, signal: stop.signal };
    const embedded = cli(['embedded'], { ...run, onOutput: () => stop.abort() });
    expect((await embedded).err).toContain('in memory');
    const watching = new AbortController();
    const { err } = await cli(['watch', shop, 'orders'], {
      isTTY: true,
      signal: watching.signal,
      onError: (text) => text.includes(`Watching ${shop}.orders`) && watching.abort(),
    });
    expect(err).toContain('Ctrl-C');
  });
});
