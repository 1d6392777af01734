import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { ArchiveWriter } from '../../../lib/providers/bulk/codecs/archive.writer.js';
import type { BulkProgress, ExportData } from '../../../lib/providers/bulk/bulk.types.js';
import { BulkFixture, readAll, streamOf } from './bulk.fixture.js';

const { BSON } = mongoose.mongo;
let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

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

  test.each(['json', undefined] as const)(
    'has the measurements of a time series whose fields are named as those of buckets (format: %s)',
    async (format) => {
      const [name, copy] = [fixture.name(), fixture.name()];
      const { db } = await fixture.connectionOf(name);
      await db!.createCollection('series', { timeseries: { timeField: 'at' } });
      const control = { version: 1, min: { at: new Date(1e12) }, max: { at: new Date(1e12) } };
      await fixture.insert(
        name,
        'series',
        Array.from({ length: 5 }, (_, i) => ({ at: new Date(1e12 + i), control, data: { at: { 0: new Date(1e12) } } })),
      );
      const options = { ...(format && { format }) };
      const summary = await fixture.bulk.import(copy, await readAll(fixture.bulk.exportStream(name)), options);
      expect(summary.collections).toMatchObject([{ name: 'series', documents: 5 }]);
      expect(await fixture.bytesOf(copy, 'series')).toHaveLength(5);
      expect(await fixture.bytesOf(copy, 'series')).toEqual(await fixture.bytesOf(name, 'series'));
    },
  );

  test.each(['system.buckets.series', 'series'])(
    'writes the buckets of an archive (under %s) only where the server keeps some, and measurements never there',
    async (namespace) => {
      const name = fixture.name();
      const { db } = await fixture.connectionOf(name);
      await db!.createCollection('series', { timeseries: { timeField: 'at' } });
      const hasBuckets = await db!.listCollections({ name: 'system.buckets.series' }).hasNext();
      const options = BSON.serialize({ timeseries: { timeField: 'at' } });
      const definition = { name: 'series', type: 'timeseries', options, indexes: [] };
      const archiveOf = (document: object) => {
        const writer = new ArchiveWriter('d');
        const data = { ...definition, type: namespace === 'series' ? 'collection' : 'timeseries' };
        const header = { concurrentCollections: 1, serverVersion: '8.3.0', toolVersion: '' };
        return Buffer.concat([
          ...writer.begin(header, [definition]),
          ...writer.documents(data, BSON.serialize(document)),
          ...writer.endCollection(data),
        ]);
      };
      const at = new Date(1e12);
      const control = { version: 1, min: { _id: 1, at }, max: { _id: 1, at } };
      const bucket = { _id: new BSON.ObjectId(), control, data: { _id: { 0: 1 }, at: { 0: at } } };
      const importing = fixture.bulk.import(name, archiveOf(bucket));
      if (hasBuckets) await importing;
      else await expect(importing).rejects.toThrow(/shows no system\.buckets\.series/);
      if (!hasBuckets) expect((await db!.listCollections().toArray()).map((info) => info.name)).toEqual(['series']);
      if (namespace !== 'series') return;
      const copy = fixture.name();
      await fixture.bulk.import(copy, archiveOf({ _id: 2, at, control: {}, data: {} }));
      expect(await fixture.bytesOf(copy, 'series')).toHaveLength(1);
    },
  );

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
