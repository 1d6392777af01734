import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
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

describe('an import', () => {
  const file = (...lines: string[]) =>
    Buffer.from(`{"database":"d","collections":{\n"c":{"documents":[\n${lines.join(',\n')}\n],"indexes":[]}}}`);

  test('names collection, document and byte of bad JSON and says what is in', async () => {
    const copy = fixture.name();
    const bad = file('{"_id":1}', '{"_id":2}', '{"_id":}');
    const error: unknown = await fixture.bulk.importStream(copy, streamOf(bad)).catch((e: unknown) => e);
    expect(error).toMatchObject({
      ...{
        name: 'BulkTaskError',
        collection: 'c',
        documentNumber: 3,
        byteOffset: bad.indexOf('}', bad.indexOf('"_id":}')),
      },
      cause: { name: 'BulkFormatError' },
    });
  });

  test('refuses a document whose _id is there, with its place, and keeps the one before', async () => {
    const copy = fixture.name();
    await fixture.insert(copy, 'c', [{ _id: 2, old: true }]);
    const bytes = file('{"_id":1}', '{"_id":2}', '{"_id":3}');
    const error: unknown = await fixture.bulk.importStream(copy, streamOf(bytes)).catch((e: unknown) => e);
    expect(error).toMatchObject({
      ...{ collection: 'c', documentNumber: 2, byteOffset: bytes.indexOf('{"_id":2}'), cause: { code: 11000 } },
      summary: { collections: [{ name: 'c', documents: 1 }] },
      checkpoint: { documents: { c: 1 } },
    });
    const { db } = await fixture.connectionOf(copy);
    expect(await db!.collection('c').find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 2, old: true }]);
  });

  test('goes on behind documents that cannot be read or written on onError: skip, and lists them', async () => {
    const copy = fixture.name();
    const { db } = await fixture.connectionOf(copy);
    await db!.createCollection('c', { validator: { n: { $exists: true } } });
    const bytes = file(
      '{"_id":1,"n":1}',
      '{"_id":1,"n":2}',
      '{"_id":2}',
      '{"_id":3,"n":{"$numberInt":"x"}}',
      '{"_id":4,"n":4}',
    );
    const rejects: string[] = [];
    const { Writable } = await import('node:stream');
    const sink = new Writable({ write: (line: Buffer, _, done) => (rejects.push(String(line)), done()) });
    const summary = await fixture.bulk.importStream(copy, streamOf(bytes), { onError: 'skip', rejects: sink });
    expect(summary).toMatchObject({ collections: [{ documents: 2, skipped: 3 }], failures: [] });
    const parsed = rejects.map(
      (line) => JSON.parse(line) as { documentNumber: number; code?: number; document?: object },
    );
    expect(parsed.map(({ documentNumber, code }) => [documentNumber, code]).sort()).toEqual([
      [2, 11000],
      [3, 121],
      [4, undefined],
    ]);
    expect(parsed.find(({ documentNumber }) => documentNumber === 2)?.document).toEqual({
      _id: { $numberInt: '1' },
      n: { $numberInt: '2' },
    });

    const listed = await fixture.bulk.importStream(fixture.name(), streamOf(bytes), { onError: 'skip' });
    expect(listed.failures).toMatchObject([
      {
        kind: 'document',
        collection: 'c',
        documentNumber: 2,
        byteOffset: bytes.indexOf('{"_id":1,"n":2}'),
        code: 11000,
      },
      { kind: 'document', collection: 'c', documentNumber: 4 },
    ]);
  });

  test('names an index that cannot be made', async () => {
    const bytes = Buffer.from(
      '{"collections":{"c":{"documents":[{"_id":1,"a":1},{"_id":2,"a":1}],"indexes":[{"v":2,"key":{"a":1},"name":"a_1","unique":true}]}}}',
    );
    await expect(fixture.bulk.importStream(fixture.name(), streamOf(bytes))).rejects.toThrow(
      /index a_1: .*duplicate key/,
    );
    const summary = await fixture.bulk.import(fixture.name(), bytes, { onError: 'skip' });
    expect(summary).toMatchObject({
      failures: [{ kind: 'index', index: 'a_1', code: 11000 }],
      collections: [{ documents: 2 }],
    });
  });

  test('gives a collection the options that come after its documents, or says that they come too late', async () => {
    const bytes = (options: string) =>
      Buffer.from(`{"collections":{"c":{"documents":[{"_id":1,"n":6}],"indexes":[],"options":${options}}}}`);
    const copy = fixture.name();
    await fixture.bulk.import(copy, bytes('{"validator":{"n":{"$gt":5}},"validationAction":"warn"}'));
    const [info] = await (await fixture.connectionOf(copy)).db!.listCollections({ name: 'c' }).toArray();
    expect(info).toMatchObject({ options: { validator: { n: { $gt: 5 } }, validationAction: 'warn' } });

    for (const dryRun of [true, false]) {
      await expect(
        fixture.bulk.import(fixture.name(), bytes('{"capped":true,"size":4096}'), { dryRun }),
      ).rejects.toThrow(/too late for capped, size.*collection "c"/);
    }
    const skipped = await fixture.bulk.import(fixture.name(), bytes('{"capped":true,"size":4096}'), {
      onError: 'skip',
    });
    expect(skipped).toMatchObject({
      collections: [{ documents: 1 }],
      failures: [{ kind: 'collection', collection: 'c' }],
    });
  });

  test('writes nothing on dryRun, and counts', async () => {
    const copy = fixture.name();
    const summary = await fixture.bulk.importStream(copy, streamOf(file('{"_id":1}', '{"_id":2}')), { dryRun: true });
    expect(summary.collections).toMatchObject([{ name: 'c', documents: 2 }]);
    expect(await fixture.structureOf(copy)).toEqual([]);
  });

  test('ends at a signal, and resumes with every document exactly once', async () => {
    const copy = fixture.name();
    const lines = Array.from({ length: 2500 }, (_, i) => (i % 2 ? `{"_id":${i}}` : `{"n":${i}}`)); // half of them without an _id
    const abort = new AbortController();
    const onProgress = ({ documents }: BulkProgress) => documents >= 1000 && abort.abort();
    const error = (await fixture.bulk
      .importStream(copy, streamOf(file(...lines)), { signal: abort.signal, onProgress })
      .catch((e: unknown) => e)) as { name: string; checkpoint: { documents: { c: number } } };
    expect(error).toMatchObject({ name: 'BulkTaskError', cause: { name: 'AbortError' } });
    expect(error.checkpoint.documents.c).toBeGreaterThanOrEqual(1000);
    expect(error.checkpoint.documents.c).toBeLessThan(2500);

    await fixture.bulk.importStream(copy, streamOf(file(...lines)), { resumeFrom: 'start' });
    await fixture.bulk.importStream(copy, streamOf(file(...lines)), { resumeFrom: error.checkpoint });
    const { db } = await fixture.connectionOf(copy);
    expect(await db!.collection('c').countDocuments({})).toBe(2500);
  });

  test('has every measurement of a time series once, copied or imported again', async () => {
    const [name, imported, copied] = [fixture.name(), fixture.name(), fixture.name()];
    const { db } = await fixture.connectionOf(name);
    await db!.createCollection('series', { timeseries: { timeField: 'at', metaField: 'm' } });
    await fixture.insert(
      name,
      'series',
      Array.from({ length: 1500 }, (_, i) => ({ at: new Date(1e12 + i * 1000), m: i % 3, v: i })),
    );
    const bytes = await readAll(fixture.bulk.exportStream(name));
    for (const expected of [
      [1500, 0],
      [0, 1500],
    ]) {
      const results = [
        await fixture.bulk.import(imported, bytes, { resumeFrom: 'start' }),
        await fixture.bulk.copyDatabase(name, copied),
      ];
      const counts = results.map(({ collections: [series] }) => [series!.documents, series!.skipped]);
      expect(counts).toEqual([expected, expected]);
    }
    for (const copy of [imported, copied]) {
      expect(await fixture.bytesOf(copy, 'series')).toEqual(await fixture.bytesOf(name, 'series'));
    }
  });

  test('ends at a signal while it waits for its source, gzipped or not', async () => {
    for (const head of [Buffer.from('{"collections":{'), gzipSync('{"collections":{').subarray(0, 15)]) {
      const abort = new AbortController();
      const source = new PassThrough();
      source.write(head);
      const importing = fixture.bulk.importStream(fixture.name(), source, { signal: abort.signal });
      setImmediate(() => abort.abort(new Error('enough')));
      await expect(importing).rejects.toMatchObject({ name: 'BulkTaskError', cause: { message: 'enough' } });
    }
  });

  test('refuses a system database and what is no export', async () => {
    await expect(fixture.bulk.import('admin', '{}')).rejects.toThrow('belongs to the server');
    await expect(fixture.bulk.import(fixture.name(), 'nonsense')).rejects.toThrow('one JSON object');
    await expect(fixture.bulk.import(fixture.name(), {} as ExportData)).rejects.toThrow(
      '{ database, exportDate, collections }',
    );
  });

  test('takes documents with Dates and ObjectIds as they are in memory', async () => {
    const copy = fixture.name();
    const document = { _id: new BSON.ObjectId(), at: new Date(5), n: 1.5, s: 'x' };
    await fixture.bulk.import(copy, {
      database: 'd',
      exportDate: '',
      collections: { c: { documents: [document], indexes: [] } },
    });
    expect(await (await fixture.connectionOf(copy)).collection('c').findOne({})).toEqual(document);
  });
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
