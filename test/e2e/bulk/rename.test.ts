import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BulkFixture, readAll, streamOf } from './bulk.fixture.js';

let fixture: BulkFixture;
let shop: string;
beforeAll(async () => {
  fixture = await BulkFixture.start();
  shop = fixture.name();
  await fixture.insert(shop, 'a', [{ _id: 1 }, { _id: 2 }]);
  await fixture.insert(shop, 'b', [{ _id: 2, own: true }]);
  const { db } = await fixture.connectionOf(shop);
  await db!.createCollection('v', { viewOn: 'a', pipeline: [] });
});
afterAll(() => fixture.stop());

const REFUSED = { cause: { name: 'BulkArgumentError' } };
const NAMES = /"[a-c]" and "[a-cv]" would both become "[a-cv]"/;

describe.each([
  ['a name that is there', { a: 'b' }],
  ['the name of a view', { b: 'v' }],
  ['one name for two', { a: 'c', b: 'c' }],
])('rename with %s is refused before anything is written:', (_, rename) => {
  test('a copy, on one cluster and through the pools', async () => {
    for (const more of [{}, { transform: (document: object) => document }, { dryRun: true }]) {
      const copy = fixture.name();
      await expect(fixture.bulk.copyDatabase(shop, copy, { rename, ...more })).rejects.toMatchObject(REFUSED);
      await expect(fixture.bulk.copyDatabase(shop, copy, { rename, ...more })).rejects.toThrow(NAMES);
      expect(await fixture.structureOf(copy)).toEqual([]);
    }
  });

  test('an export, as an object and in both formats', async () => {
    await expect(fixture.bulk.export(shop, { rename })).rejects.toMatchObject(REFUSED);
    for (const format of ['json', 'archive'] as const) {
      await expect(readAll(fixture.bulk.exportStream(shop, { rename, format }))).rejects.toThrow(NAMES);
    }
  });

  test('an import of an object, of bytes and of an archive', async () => {
    const object = await fixture.bulk.export(shop);
    const archive = await readAll(fixture.bulk.exportStream(shop, { format: 'archive' }));
    const name = fixture.name();
    for (const file of [object, JSON.stringify(object), Buffer.from(JSON.stringify(object)), archive]) {
      await expect(fixture.bulk.import(name, file, { rename })).rejects.toThrow(NAMES);
    }
    await expect(fixture.bulk.importStream(name, streamOf(archive), { rename })).rejects.toThrow(NAMES);
    const json = Buffer.from(JSON.stringify(object));
    await expect(fixture.bulk.importStream(name, () => streamOf(json), { rename })).rejects.toThrow(NAMES);
    expect(await fixture.structureOf(name)).toEqual([]);
  });
});

test('an import of a stream of JSON refuses the second collection of a name before any of its documents', async () => {
  const name = fixture.name();
  const json = await readAll(fixture.bulk.exportStream(shop));
  await expect(fixture.bulk.importStream(name, streamOf(json), { rename: { a: 'b' } })).rejects.toMatchObject({
    ...REFUSED,
    message: expect.stringContaining('stopped after 2 documents in "b": ') as unknown,
    summary: { collections: [{ name: 'b', documents: 2 }] },
  });
});

test.each(['', 'system.x', 'a$b'])('rename to "%s", which no collection can be named, is refused', async (to) => {
  const [copy, rename] = [fixture.name(), { a: to }];
  await expect(fixture.bulk.copyDatabase(shop, copy, { rename })).rejects.toMatchObject(REFUSED);
  await expect(fixture.bulk.export(shop, { rename })).rejects.toMatchObject(REFUSED);
  await expect(fixture.bulk.import(copy, '{"collections":{}}', { rename })).rejects.toThrow('Cannot rename "a"');
});

test('names may change places, and take that of a collection that is left out', async () => {
  const copy = fixture.name();
  await fixture.bulk.copyDatabase(shop, copy, { rename: { a: 'b', b: 'a' } });
  expect([(await fixture.bytesOf(copy, 'a')).length, (await fixture.bytesOf(copy, 'b')).length]).toEqual([1, 2]);
  const other = fixture.name();
  await fixture.bulk.copyDatabase(shop, other, { rename: { a: 'b' }, exclude: ['b'] });
  expect(await fixture.bytesOf(other, 'b')).toHaveLength(2);
});
