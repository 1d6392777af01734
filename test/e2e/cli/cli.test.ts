import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Interruption } from '../../../lib/cli/cli.io.js';
import type { BulkFixture } from '../bulk/bulk.fixture.js';
import { type Run, runIn } from './cli.run.js';
import { useShop } from './cli.shop.js';

let fixture: BulkFixture;
let shop: string;
let folder: string;

useShop(async (made) => {
  ({ fixture, shop, folder } = made);
  await fixture.insert(shop, 'orders', [{ _id: 1 }, { _id: 2 }]);
});

const cli = (args: string[], run: Run = {}) => runIn(fixture.server.uri, args, run);

describe('polymongo', () => {
  test('lists databases and shows what one holds', async () => {
    const listed = await cli(['list', '--json']);
    expect(JSON.parse(listed.out)).toContainEqual(expect.objectContaining({ name: shop }));
    const { out, code } = await cli(['stats', shop]);
    expect(out).toMatch(/COLLECTION +DOCUMENTS +SIZE\norders +2 /);
    expect(code).toBe(0);
  });

  test('exports to stdout what it imports from stdin, in both formats', async () => {
    for (const format of ['json', 'archive']) {
      const copy = fixture.name();
      const { bytes, err } = await cli(['export', shop, '--format', format, '--gzip']);
      expect(err).toContain('2 documents in 1 collection');
      const { code, out } = await cli(['import', copy, '--json'], { stdin: bytes });
      expect([code, JSON.parse(out)]).toMatchObject([
        0,
        { collections: [{ name: 'orders', documents: 2 }], failures: [] },
      ]);
      expect(await fixture.bytesOf(copy, 'orders')).toEqual(await fixture.bytesOf(shop, 'orders'));
    }
  });

  test('writes a file that the library reads, and reads one that the library wrote', async () => {
    const [mine, theirs] = [fixture.name(), fixture.name()];
    const file = join(folder, 'shop.json');
    await cli(['export', shop, '--out', file]);
    await fixture.bulk.import(mine, await readFile(file));
    expect(await fixture.bytesOf(mine, 'orders')).toEqual(await fixture.bytesOf(shop, 'orders'));
    await writeFile(file, JSON.stringify(await fixture.bulk.export(shop)));
    expect((await cli(['import', theirs, file])).code).toBe(0);
    expect(await fixture.bytesOf(theirs, 'orders')).toEqual(await fixture.bytesOf(shop, 'orders'));
    expect(await readdir(folder)).toEqual(['shop.json']);
  });

  test('ends with 1 on an error and says where, with 3 where documents were skipped, and resumes', async () => {
    const copy = fixture.name();
    const { bytes } = await cli(['export', shop]);
    await fixture.insert(copy, 'orders', [{ _id: 2 }]);
    const stopped = await cli(['import', copy], { stdin: bytes });
    expect(stopped.code).toBe(1);
    expect(stopped.err).toMatch(/duplicate key .*collection "orders", document 2, byte \d+/);
    const skipped = await cli(['import', copy, '--on-error', 'skip'], { stdin: bytes });
    expect(skipped.code).toBe(3);
    expect(skipped.out).toContain('skipped document in orders, document 1');
    expect((await cli(['import', copy, '--resume'], { stdin: bytes })).code).toBe(0);
  });

  test('refuses two collections that would get one name: of a file before anything is written, of stdin at the second', async () => {
    const [source, fromFile, fromStdin] = [fixture.name(), fixture.name(), fixture.name()];
    await fixture.insert(source, 'a', [{ _id: 1 }]);
    await fixture.insert(source, 'b', [{ _id: 2 }]);
    for (const format of ['json', 'archive']) {
      const file = join(folder, `${format}.gz`);
      await cli(['export', source, '--format', format, '--gzip', '--out', file]);
      const refused = await cli(['import', fromFile, file, '--rename', 'a=b']);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('would both become "b"')]);
      expect(await fixture.structureOf(fromFile)).toEqual([]);
      expect((await cli(['import', fixture.name(), file, '--rename', 'a=c'])).code).toBe(0);
      await rm(file);
    }
    const { bytes } = await cli(['export', source]);
    const stopped = await cli(['import', fromStdin, '--rename', 'a=b'], { stdin: bytes });
    expect([stopped.code, stopped.err]).toEqual([1, expect.stringContaining('stopped after 1 document in "b": ')]);
  });

  test('copies, and drops only what it is told to', async () => {
    const copy = fixture.name();
    expect((await cli(['copy', shop, copy])).out).toContain('2 documents in 1 collection');
    const refused = await cli(['drop', copy]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--yes')]);
    expect(await fixture.bytesOf(copy, 'orders')).toHaveLength(2);
    expect((await cli(['drop', copy, '--yes'])).code).toBe(0);
    expect(await fixture.bytesOf(copy, 'orders')).toEqual([]);
  });

  test('leaves no file behind when an export is interrupted', async () => {
    const signal = AbortSignal.abort(new Interruption('interrupted by SIGINT'));
    const { code, err } = await cli(['export', shop, '--out', join(folder, 'never.json')], { signal });
    expect([code, err]).toEqual([130, expect.stringContaining('interrupted by SIGINT')]);
    expect(await readdir(folder)).not.toContain('never.json.part');
  });

  test('tells a file that cannot be opened, and an output that cannot be written, and ends with 1', async () => {
    for (const args of [
      ['import', shop, join(folder, 'nowhere.json')],
      ['import', shop, join(folder, 'shop.json'), '--rejects', join(folder, 'no', 'rejects.jsonl')],
      ['export', shop, '--out', join(folder, 'no', 'shop.json')],
    ]) {
      const { code, err } = await cli(args);
      expect([code, err]).toEqual([1, expect.stringMatching(/^polymongo: .*ENOENT.*\n$/)]);
    }
    const full = AbortSignal.abort(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    const { code, err } = await cli(['export', shop], { signal: full });
    expect([code, err]).toEqual([1, expect.not.stringContaining('Interrupted')]);
  });

  test('fails where there is nothing to export or to copy: most likely the name is mistyped', async () => {
    const out = join(folder, 'nothing.json');
    for (const args of [
      ['export', 'no_such_database'],
      ['export', 'no_such_database', '--out', out],
      ['copy', 'no_such_database', fixture.name()],
    ]) {
      const { code, err, bytes } = await cli(args);
      expect([code, err, bytes.length]).toEqual([1, expect.stringContaining('has no collections'), 0]);
    }
    expect(await readdir(folder)).not.toContain('nothing.json');
  });

  test('prints changes until it is interrupted', async () => {
    const stop = new AbortController();
    let line = '';
    const writing = setInterval(() => void fixture.insert(shop, 'watched', [{ n: 1 }]), 50);
    const { code } = await cli(['watch', shop, 'watched'], {
      signal: stop.signal,
      onOutput: (text) => {
        line ||= text;
        stop.abort(new Interruption('interrupted by SIGINT'));
      },
    });
    clearInterval(writing);
    expect(JSON.parse(line.split('\n')[0]!)).toMatchObject({
      operationType: 'insert',
      ns: { db: shop, coll: 'watched' },
    });
    expect(code).toBe(0);
  });

  test('runs an embedded server that others can use, until it is interrupted', async () => {
    const stop = new AbortController();
    let listed: Awaited<ReturnType<typeof cli>> | undefined;
    const { code } = await cli(['embedded'], {
      signal: stop.signal,
      onOutput: (uri) =>
        void cli(['list', '--json', '--uri', uri.trim()]).then((run) => {
          listed = run;
          stop.abort(new Interruption('interrupted by SIGINT'));
        }),
    });
    expect([code, listed?.code]).toEqual([0, 0]);
  });

  test('takes both servers of a copy from the environment, where ps shows no password', async () => {
    const copy = fixture.name();
    const env = { POLYMONGO_URI: fixture.server.uri, POLYMONGO_TARGET_URI: fixture.server.uri };
    expect((await cli(['copy', shop, copy], { env })).code).toBe(0);
    expect(await fixture.bytesOf(copy, 'orders')).toEqual(await fixture.bytesOf(shop, 'orders'));
    const elsewhere = { ...env, POLYMONGO_TARGET_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200' };
    const { code, err } = await cli(['copy', shop, copy], { env: elsewhere });
    expect([code, err]).toEqual([1, expect.stringContaining('127.0.0.1:1')]);
  });

  test('never prints a password', async () => {
    const env = { MONGODB_URI: 'mongodb://user:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=200' };
    const { code, out, err } = await cli(['list'], { env });
    expect(code).toBe(1);
    expect(out + err).not.toContain('s3cret');
    expect(err).toContain('***:***@127.0.0.1:1');
  });

  test('tells wrong usage with code 2, and has help with examples for every command', async () => {
    expect((await cli(['list'], { env: {} })).code).toBe(2);
    expect((await cli(['export'])).code).toBe(2);
    expect((await cli(['import', shop, '--on-error', 'ignore'])).code).toBe(2);
    expect((await cli(['export', shop, '--rename', 'orders=a', '--rename', 'orders=b'])).code).toBe(2);
    for (const command of ['list', 'stats', 'export', 'import', 'copy', 'drop', 'watch', 'embedded']) {
      const { code, out } = await cli([command, '--help']);
      expect([code, out]).toEqual([0, expect.stringMatching(/Examples?:\n {2}polymongo/)]);
    }
  });

  test('draws a bar on a terminal and writes lines elsewhere', async () => {
    expect((await cli(['export', shop, '--out', join(folder, 'bar.json')], { isTTY: true })).err).toContain(
      '\r\x1b[K[####',
    );
    expect((await cli(['export', shop, '--out', join(folder, 'lines.json')])).err).not.toContain('\x1b');
  });
});
