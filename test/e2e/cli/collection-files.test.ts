import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { BulkFixture } from '../bulk/bulk.fixture.js';
import { type Run, runIn } from './cli.run.js';
import { useShop } from './cli.shop.js';

let fixture: BulkFixture;
let shop: string;
let folder: string;
const inFolder = (name: string) => join(folder, name);

useShop(async (made) => {
  ({ fixture, shop, folder } = made);
  await fixture.insert(shop, 'orders', [{ _id: 1, by: { name: 'a,b' } }, { _id: 2 }]);
});

const cli = (args: string[], run: Run = {}) => runIn(fixture.server.uri, args, run);

describe('polymongo export-collection and import-collection', () => {
  test('write and read files of every format, by their names or what is said', async () => {
    for (const [file, flags] of [
      ['orders.jsonl', []],
      ['orders.json.gz', ['--format', 'json', '--json-format', 'relaxed']],
      ['orders.csv', ['--fields', '_id,by.name']],
    ] as const) {
      const copy = fixture.name();
      const exported = await cli(['export-collection', shop, 'orders', '--out', inFolder(file), ...flags]);
      expect([exported.code, exported.out]).toEqual([0, expect.stringMatching(/^orders +2 /m)]);
      const imported = await cli(['import-collection', copy, 'orders', inFolder(file), '--json']);
      expect([imported.code, JSON.parse(imported.out)]).toMatchObject([0, { collections: [{ documents: 2 }] }]);
      if (!file.includes('csv'))
        expect(await fixture.bytesOf(copy, 'orders')).toEqual(await fixture.bytesOf(shop, 'orders'));
    }
    expect(await readFile(inFolder('orders.csv'), 'utf8')).toBe('_id,by.name\n1,"a,b"\n2,\n');
    const refused = await cli(['export-collection', shop, 'orders', '--out', inFolder('orders.jsonl')]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('read from stdin, pick, upsert, drop, resume and tell lines and rejects', async () => {
    const copy = fixture.name();
    const into = (source: string, ...flags: string[]) =>
      cli(['import-collection', copy, 'c', ...flags], { stdin: Buffer.from(source) });
    expect((await into('{"data":{"items":[{"k":1},{"k":2}]}}', '--pick', 'data.items')).code).toBe(0);
    expect((await into('k,v\n1,x\n3,y\n', '--format', 'csv', '--upsert-fields', 'k')).code).toBe(0);
    expect(await fixture.bytesOf(copy, 'c')).toHaveLength(3);
    expect((await into('{"_id":1}\n{"_id":2}', '--drop')).code).toBe(0);
    expect(await fixture.bytesOf(copy, 'c')).toHaveLength(2);
    const stopped = await into('{"_id":3}\n{"_id":2}');
    expect([stopped.code, stopped.err]).toEqual([1, expect.stringContaining('document 2, line 2, byte 10')]);
    const skipped = await into('{"_id":9}\n{"_id":1}', '--on-error', 'skip', '--rejects', inFolder('rejects.jsonl'));
    expect(skipped.code).toBe(3);
    expect(JSON.parse(await readFile(inFolder('rejects.jsonl'), 'utf8'))).toMatchObject({ line: 2, code: 11000 });
    expect((await into('{"_id":9}\n{"_id":10}', '--resume')).code).toBe(0);
    expect((await into('{"_id":11}', '--dry-run')).out).toMatch(/^c +1 /m);
    expect(await fixture.bytesOf(copy, 'c')).toHaveLength(5);
  });

  test('refuse what makes no sense with 2, and what is not there with 1', async () => {
    await writeFile(inFolder('x.csv'), 'a\n1\n');
    for (const [code, args] of [
      [2, ['export-collection', shop, 'orders', '--format', 'csv']],
      [2, ['export-collection', shop, 'orders', '--fields', 'a']],
      [2, ['export-collection', shop, 'orders', '--query', '{']],
      [2, ['export-collection', shop, 'orders', '--out', 'x.csv', '--fields', 'a', '--json-format', 'relaxed']],
      [2, ['import-collection', shop, 'orders', inFolder('x.csv'), '--pick', 'a']],
      [2, ['import-collection', shop, 'orders', inFolder('x.csv'), '--drop', '--resume']],
      [1, ['export-collection', shop, 'nowhere']],
      [1, ['export-collection', 'no_such_database', 'orders']],
      [1, ['import-collection', shop, 'orders', inFolder('nowhere.csv')]],
    ] as const) {
      const run = await cli([...args]);
      expect([args, run.code, run.out]).toEqual([args, code, '']);
    }
  });
});
