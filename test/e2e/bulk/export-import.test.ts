import { createReadStream } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import type { BulkProgress, ExportData } from '../../../lib/providers/bulk/bulk.types.js';
import { BulkFixture, everyType, readAll, streamOf } from './bulk.fixture.js';

const { BSON } = mongoose.mongo;
let fixture: BulkFixture;
let shop: string;

beforeAll(async () => {
  fixture = await BulkFixture.start();
  shop = fixture.name();
  const { db } = await fixture.connectionOf(shop);
  await fixture.insert(shop, 'types', [everyType()]);
  await fixture.insert(
    shop,
    'orders',
    Array.from({ length: 1200 }, (_, i) => ({ _id: i, a: i % 7, tags: [`t${i % 3}`] })),
  );
  await db!.collection('orders').createIndexes([
    { key: { a: 1, tags: -1 }, name: 'compound' },
    { key: { b: 1 }, name: 'unique', unique: true, sparse: true },
    { key: { c: 1 }, name: 'partial', partialFilterExpression: { a: { $gt: 5 } } },
    { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 3600 },
    { key: { title: 'text', body: 'text' }, name: 'text', weights: { title: 10 }, default_language: 'german' },
    { key: { place: '2dsphere' }, name: 'geo' },
    { key: { h: 'hashed' }, name: 'hashed' },
    { key: { 'w.$**': 1 }, name: 'wild' },
    { key: { l: 1 }, name: 'collated', collation: { locale: 'de', strength: 2 }, hidden: true },
  ]);
  await db!.createCollection('capped', { capped: true, size: 8192, max: 10 });
  await db!.createCollection('checked', {
    validator: { n: { $gt: 5 } },
    validationLevel: 'moderate',
    collation: { locale: 'fr' },
  });
  await db!.createCollection('empty');
  await db!.createCollection('few', { viewOn: 'orders', pipeline: [{ $match: { a: 1 } }] });
  await fixture.insert(shop, 'names ü.1', [{ _id: 1 }]);
});
afterAll(() => fixture.stop());

async function expectSame(copy: string): Promise<void> {
  expect(await fixture.structureOf(copy)).toEqual(await fixture.structureOf(shop));
  for (const collection of ['types', 'orders', 'names ü.1']) {
    expect(await fixture.bytesOf(copy, collection)).toEqual(await fixture.bytesOf(shop, collection));
  }
}

describe('a database', () => {
  test('comes back whole from what JSON.stringify makes of export()', async () => {
    const copy = fixture.name();
    const text = JSON.stringify(await fixture.bulk.export(shop), null, 2);
    const summary = await fixture.bulk.import(copy, JSON.parse(text) as ExportData);
    expect(summary.failures).toEqual([]);
    expect(summary.collections.find(({ name }) => name === 'orders')).toMatchObject({
      documents: 1200,
      indexes: 10,
      skipped: 0,
    });
    await expectSame(copy);
  });

  test.each([
    ['json', false],
    ['json', true],
    ['archive', false],
    ['archive', true],
  ] as const)('comes back whole from exportStream (%s, gzip %s)', async (format, gzip) => {
    const copy = fixture.name();
    const stream = fixture.bulk.exportStream(shop, { format, gzip });
    const bytes = await readAll(stream);
    expect((await stream.summary).collections.find(({ name }) => name === 'orders')).toMatchObject({ documents: 1200 });
    await fixture.bulk.importStream(copy, streamOf(bytes));
    await expectSame(copy);
  });

  test('is exported as it was at one moment with snapshot', async () => {
    const stream = fixture.bulk.exportStream(shop, { snapshot: true, include: ['orders'] });
    stream.once('data', () => undefined);
    expect((await readAll(stream)).toString().match(/^\{"_id"/gm)).toHaveLength(1200);
  });

  test('is exported in part, renamed and changed', async () => {
    const copy = fixture.name();
    const stream = fixture.bulk.exportStream(shop, {
      include: ['orders', 'types'],
      exclude: ['types'],
      rename: { orders: 'sales' },
      query: { orders: { a: 1 } },
      transform: (order) => (Number(order['_id']) > 1000 ? null : { ...order, seen: true }),
    });
    await fixture.bulk.importStream(copy, stream);
    const { db } = await fixture.connectionOf(copy);
    expect((await db!.listCollections().toArray()).map(({ name }) => name)).toEqual(['sales']);
    expect(await db!.collection('sales').countDocuments({ seen: true })).toBe(143);
    expect(await db!.collection('sales').countDocuments({})).toBe(143);
  });

  test.each(['export', 'import', 'copy'] as const)(
    'keeps its views on what they are on where %s renames it',
    async (task) => {
      const [name, copy] = [fixture.name(), fixture.name()];
      await fixture.insert(name, 'constructor', [{ _id: 1 }]);
      const { db } = await fixture.connectionOf(name);
      await db!.createCollection('one', { viewOn: 'constructor', pipeline: [] });
      const rename = { constructor: 'toString' };
      if (task === 'copy') await fixture.bulk.copyDatabase(name, copy, { rename });
      else {
        const stream = fixture.bulk.exportStream(name, task === 'export' ? { rename } : { rename: {} });
        await fixture.bulk.importStream(copy, stream, task === 'import' ? { rename } : {});
      }
      const views = await (await fixture.connectionOf(copy)).collection('one').find().toArray();
      expect(views).toEqual([{ _id: 1 }]);
    },
  );

  test('is refused where a collection is to be included that is not there', async () => {
    const options = { include: ['orders', 'ordres'] };
    const missing = 'has no collection ordres, which "include" names';
    await expect(fixture.bulk.export(shop, options)).rejects.toThrow(missing);
    await expect(fixture.bulk.copyDatabase(shop, fixture.name(), options)).rejects.toThrow(missing);
    const stream = fixture.bulk.exportStream(shop, { include: ['orders'] });
    await expect(fixture.bulk.importStream(fixture.name(), stream, options)).rejects.toThrow(`The file ${missing}`);
  });

  test('comes whole out of an archive that mongodump 100.9 wrote', async () => {
    const copy = fixture.name();
    const { collections } = await fixture.bulk.importStream(
      copy,
      createReadStream('test/e2e/bulk/mongodump.archive.gz'),
    );
    const counts = collections.map(({ name, type, documents, indexes }) => [name, type, documents, indexes]);
    expect(counts.sort()).toEqual([
      ['checked', 'collection', 0, 1],
      ['few', 'view', 0, 0],
      ['orders', 'collection', 5, 2],
      ['types', 'collection', 1, 1],
    ]);
    expect(await fixture.bytesOf(copy, 'types')).toEqual([Buffer.from(BSON.serialize(everyType())).toString('hex')]);
    const { db } = await fixture.connectionOf(copy);
    expect(await db!.collection('few').find().toArray()).toHaveLength(2);
    const index = { key: { a: 1, b: -1 }, name: 'partial', partialFilterExpression: { a: { $gt: 5 } } };
    expect(await db!.collection('orders').listIndexes().toArray()).toContainEqual({ v: 2, ...index });
    const [checked] = await db!.listCollections({ name: 'checked' }).toArray();
    expect(checked).toMatchObject({ options: { validator: { n: { $gt: 5 } } } });
  });

  test('has its time series in an archive as buckets; where the server shows none, it is refused', async () => {
    const [name, copy] = [fixture.name(), fixture.name()];
    const { db } = await fixture.connectionOf(name);
    await db!.createCollection('series', { timeseries: { timeField: 'at', metaField: 'm' } });
    await fixture.insert(name, 'series', [{ at: new Date(1e12), m: 1, v: 1.5 }]);
    const hasBuckets = (await db!.listCollections().toArray()).some((info) => info.name === 'system.buckets.series');
    const archived = fixture.bulk.importStream(copy, fixture.bulk.exportStream(name, { format: 'archive' }));
    if (hasBuckets) await archived;
    else await expect(archived).rejects.toThrow(/system\.buckets\.series.*export it as JSON/);
    if (!hasBuckets) await fixture.bulk.importStream(copy, fixture.bulk.exportStream(name));
    expect(await fixture.bytesOf(copy, 'series')).toEqual(await fixture.bytesOf(name, 'series'));
  });

  test('tells its progress to the caller and to everybody', async () => {
    const told: BulkProgress[] = [];
    const heard: BulkProgress[] = [];
    const subscription = fixture.bulk.progress$.subscribe((progress) => heard.push(progress));
    await readAll(fixture.bulk.exportStream(shop, { onProgress: (progress) => told.push(progress) }));
    subscription.unsubscribe();
    expect(told.at(-1)).toMatchObject({
      task: 'export',
      database: shop,
      documents: 1202,
      totalDocuments: 1202,
      isDone: true,
    });
    expect(heard).toEqual(told);
  });
});

test('an import tells its progress in bytes of the file', async () => {
  const told: BulkProgress[] = [];
  const bytes = await readAll(fixture.bulk.exportStream(shop, { gzip: true }));
  const onProgress = (progress: BulkProgress) => told.push(progress);
  await fixture.bulk.importStream(fixture.name(), streamOf(bytes), { totalBytes: bytes.length, onProgress });
  expect(told.at(-1)).toMatchObject({ bytes: bytes.length, totalBytes: bytes.length, documents: 1202, isDone: true });
});

describe('dropDatabase', () => {
  test('drops it, runs disconnect hooks and begins anew with the next use', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 1 }]);
    const gone: string[] = [];
    const off = fixture.wrapper.onDbDisconnect(({ name: db }) => void gone.push(db));
    await fixture.bulk.dropDatabase(name);
    off();
    expect(gone).toEqual([name]);
    expect(await fixture.bytesOf(name, 'c')).toEqual([]);
    await expect(fixture.bulk.dropDatabase('admin')).rejects.toThrow('belongs to the server');
  });
});
