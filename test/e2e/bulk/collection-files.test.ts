import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { BulkArgumentError } from '../../../lib/index.js';
import type { ImportCollectionOptions, BulkTaskError } from '../../../lib/index.js';
import { BulkFixture, everyType, readAll } from './bulk.fixture.js';

const { BSON } = mongoose.mongo;

let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

const documentsOf = async (name: string, collection = 'c') => {
  const connection = await fixture.connectionOf(name);
  return connection.collection(collection).find({}, { promoteValues: false }).toArray();
};

/** What a text becomes: canonical Extended JSON, without ids. */
async function imported(source: string, options: ImportCollectionOptions = {}): Promise<unknown[]> {
  const name = fixture.name();
  await fixture.bulk.importCollection(name, 'c', source, options);
  const documents = await documentsOf(name);
  return documents.map(({ _id, ...rest }) => BSON.EJSON.serialize(rest, { relaxed: false }));
}

const failed = (work: Promise<unknown>): Promise<BulkTaskError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as BulkTaskError,
  );

describe('a collection is exported and imported', () => {
  test('as JSON Lines and as an array, every type byte for byte, gzipped or not', async () => {
    const [source, target] = [fixture.name(), fixture.name()];
    await fixture.insert(source, 'c', [everyType(), { _id: 2 }]);
    for (const [i, format] of (['jsonl', 'json'] as const).entries()) {
      const exported = fixture.bulk.exportCollection(source, 'c', { format, gzip: i === 0 });
      const bytes = await readAll(exported);
      expect(await exported.summary).toMatchObject({ collections: [{ name: 'c', documents: 2 }] });
      await fixture.bulk.importCollection(target, format, Readable.from([bytes]));
      expect(await fixture.bytesOf(target, format)).toEqual(await fixture.bytesOf(source, 'c'));
    }
  });

  test('in the forms of mongoexport: a document a line, an array, numbers and dates as people write them', async () => {
    const name = fixture.name();
    const _id = new BSON.ObjectId('5f0000000000000000000001');
    await fixture.insert(name, 'c', [
      { _id, n: 1, d: new BSON.Double(2), l: BSON.Long.fromString('9007199254740993'), t: new Date(0) },
    ]);
    const lines = (format: 'jsonl' | 'json', jsonFormat: 'relaxed' | 'canonical') =>
      text(fixture.bulk.exportCollection(name, 'c', { format, jsonFormat }));
    const relaxed = `{"_id":{"$oid":"${_id.toHexString()}"},"n":1,"d":2.0,"l":9007199254740993,"t":{"$date":"1970-01-01T00:00:00.000Z"}}`;
    expect(await lines('jsonl', 'relaxed')).toBe(`${relaxed}\n`);
    expect(await lines('json', 'relaxed')).toBe(`[\n${relaxed}\n]\n`);
    expect(await lines('jsonl', 'canonical')).toContain('"n":{"$numberInt":"1"},"d":{"$numberDouble":"2.0"}');
  });

  test('relaxed, what does not fit is in canonical form', async () => {
    const [name, target] = [fixture.name(), fixture.name()];
    await fixture.insert(name, 'c', [everyType()]);
    const source = await text(fixture.bulk.exportCollection(name, 'c', { jsonFormat: 'relaxed' }));
    await fixture.bulk.importCollection(target, 'c', source);
    expect(await fixture.bytesOf(target, 'c')).toEqual(await fixture.bytesOf(name, 'c'));
  });

  test('only what matches, changed, and a view as its documents', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 1 }, { _id: 2 }]);
    const { db } = await fixture.connectionOf(name);
    await db!.createCollection('v', { viewOn: 'c', pipeline: [{ $match: { _id: 2 } }] });
    const of = (collection: string, options = {}) =>
      text(fixture.bulk.exportCollection(name, collection, { jsonFormat: 'relaxed', ...options }));
    expect(await of('c', { query: { _id: 1 } })).toBe('{"_id":1}\n');
    expect(await of('c', { transform: () => ({ a: 'b' }) })).toBe('{"a":"b"}\n{"a":"b"}\n');
    expect(await of('v')).toBe('{"_id":2}\n');
  });

  test('not where there is no such collection, or none that can be: nothing is written', async () => {
    const name = fixture.name();
    const stream = fixture.bulk.exportCollection(name, 'nowhere');
    const error = await failed(readAll(stream));
    expect(error.message).toContain('has no collection nowhere');
    expect(() => fixture.bulk.exportCollection(name, 'system.users')).toThrow(BulkArgumentError);
    expect(() => fixture.bulk.exportCollection('admin', 'c')).toThrow(BulkArgumentError);
    await expect(fixture.bulk.importCollection(name, 'system.views', '{}')).rejects.toThrow(BulkArgumentError);
    await expect(fixture.bulk.importCollection('config', 'c', '{}')).rejects.toThrow(BulkArgumentError);
    expect(await fixture.structureOf(name)).toEqual([]);
  });

  test('as CSV: the fields that are named, reaching into documents and arrays; what is missing is empty', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [
      { _id: 1, a: { b: 'x' }, list: ['p', 'q'], n: new BSON.Double(1.5), at: new Date(0), whole: { z: 1 } },
      {
        _id: new BSON.ObjectId('5f0000000000000000000001'),
        a: 'say "hi", you\nthere',
        list: null,
        n: BSON.Long.fromNumber(7),
      },
    ]);
    const csv = await text(
      fixture.bulk.exportCollection(name, 'c', {
        format: 'csv',
        fields: ['_id', 'a', 'a.b', 'list.1', 'n', 'at', 'whole'],
      }),
    );
    expect(csv).toBe(
      '_id,a,a.b,list.1,n,at,whole\n' +
        '1,"{""b"":""x""}",x,q,1.5,1970-01-01T00:00:00.000Z,"{""z"":1}"\n' +
        'ObjectId(5f0000000000000000000001),"say ""hi"", you\nthere",,,7,,\n',
    );
  });

  test('until its signal ends it', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 1 }]);
    const stop = new AbortController();
    const never = new PassThrough();
    never.write('{"_id":1}\n');
    const importing = failed(fixture.bulk.importCollection(name, 'd', never, { signal: stop.signal }));
    stop.abort(new Error('enough'));
    expect((await importing).message).toContain('enough');
    expect(
      (await failed(readAll(fixture.bulk.exportCollection(name, 'c', { signal: stop.signal })))).message,
    ).toContain('enough');
  });
});

describe('an import reads', () => {
  test('documents of several lines, and a mark before them', async () => {
    expect(await imported('\ufeff{"a":1}\n\n{\n"b": 2.5}{"c":{"$date":"2020-01-01T00:00:00Z"}}')).toEqual([
      { a: { $numberInt: '1' } },
      { b: { $numberDouble: '2.5' } },
      { c: { $date: { $numberLong: '1577836800000' } } },
    ]);
    expect(await imported(' [ {"a":1},\n{"a":2} ] ')).toHaveLength(2);
    expect(await imported('')).toEqual([]);
    expect(await imported('[]')).toEqual([]);
  });

  test('an array deep inside any JSON', async () => {
    const source = JSON.stringify({
      data: { count: 2, items: [{ a: 'é"\n' }, { a: { b: [1.5] } }], next: { items: 1 } },
      items: [],
    });
    expect(await imported(source, { pick: 'data.items' })).toEqual([
      { a: 'é"\n' },
      { a: { b: [{ $numberDouble: '1.5' }] } },
    ]);
    expect(await imported('[1,[{"a":{"$numberLong":"5"}}]]', { pick: '1' })).toEqual([{ a: { $numberLong: '5' } }]);
    for (const [path, reason] of [
      ['data.nothing', 'there is no "data.nothing" in it'],
      ['data.count', '"data.count" is no array'],
      ['data.next', '"data.next" is no array'],
    ] as const) {
      expect((await failed(imported(source, { pick: path }))).message).toContain(reason);
    }
  });

  test('CSV: dotted names are documents, whole and decimal numbers are numbers, codes and all else text', async () => {
    const csv =
      'a,b.c,b.d.e,z\r\n1, x,"y ""z""\n2",\r\n\r\n2147483648,-1.5e3,02134,+49\n' +
      '9223372036854775808,0.5,NaN,true\nshort\n';
    expect(await imported(csv, { format: 'csv' })).toEqual([
      { a: { $numberInt: '1' }, b: { c: 'x', d: { e: 'y "z"\n2' } }, z: '' },
      { a: { $numberLong: '2147483648' }, b: { c: { $numberDouble: '-1500.0' }, d: { e: '02134' } }, z: '+49' },
      { a: '9223372036854775808', b: { c: { $numberDouble: '0.5' }, d: { e: 'NaN' } }, z: 'true' },
      { a: 'short' },
    ]);
  });

  test.each([
    ['a,a', 'there twice'],
    ['a,a.b', 'a value and a document at once'],
    ['a.b,a', 'a value and a document at once'],
    ['a..b', 'no part of a name is empty'],
    ['a,', 'no part of a name is empty'],
    ['$a', 'does not begin with $'],
  ])('no CSV with the header %j', async (header, reason) => {
    expect((await failed(imported(`${header}\n1,2`, { format: 'csv' }))).message).toContain(reason);
  });

  test('no CSV without a header', async () => {
    for (const nothing of ['', '\n\r\n'])
      expect((await failed(imported(nothing, { format: 'csv' }))).message).toContain('the file is empty');
  });

  test('CSV that an export wrote, with the same texts', async () => {
    const [source, target] = [fixture.name(), fixture.name()];
    const texts = ['a,b', '"', ' lead', 'x\r\ny', '', '\\.', 'é', '\ttab', 'a"b'];
    await fixture.insert(
      source,
      'c',
      texts.map((t, _id) => ({ _id, t })),
    );
    const csv = fixture.bulk.exportCollection(source, 'c', { format: 'csv', fields: ['_id', 't'] });
    await fixture.bulk.importCollection(target, 'c', csv, { format: 'csv' });
    expect(await fixture.bytesOf(target, 'c')).toEqual(await fixture.bytesOf(source, 'c'));
  });
});

describe('what cannot be imported is told by its line', () => {
  const LINES = '{"_id":1}\n{"_id":2,}\n{"_id":3}\n\n5\n{"_id":1}\n{"_id":4';

  test('and ends the import', async () => {
    const error = await failed(fixture.bulk.importCollection(fixture.name(), 'c', LINES));
    expect(error).toMatchObject({ collection: 'c', documentNumber: 2, line: 2, byteOffset: 19 });
    expect(error.message).toContain('(collection "c", document 2, line 2, byte 19)');
  });

  test.each([false, true])('or is passed over, gzipped: %s', async (gzip) => {
    const name = fixture.name();
    const rejects = new PassThrough();
    const source = gzip ? Readable.from([gzipSync(LINES)]) : LINES;
    const summary = await fixture.bulk.importCollection(name, 'c', source, { onError: 'skip', rejects });
    rejects.end();
    expect(summary.collections).toMatchObject([{ documents: 2, skipped: 4 }]);
    const told = (await text(rejects))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(told).toMatchObject([
      { documentNumber: 2, line: 2 },
      { documentNumber: 4, line: 5, reason: expect.stringContaining('begins with {') },
      { documentNumber: 5, line: 6, code: 11000, document: { _id: { $numberInt: '1' } } },
      { documentNumber: 6, line: 7, reason: expect.stringContaining('cut off') },
    ]);
  });

  test('of an array', async () => {
    const source = '[\n{"_id":1},\n{"_id":nothing, "b": "]}"},\n7,\n{"_id":2}]';
    const name = fixture.name();
    const { failures } = await fixture.bulk.importCollection(name, 'c', source, { onError: 'skip' });
    expect(failures).toMatchObject([{ line: 3 }, { line: 4 }]);
    expect(await documentsOf(name)).toHaveLength(2);
    for (const damaged of ['[{"_id":1}', '[{"_id":1}}', '[{"_id":1}] 5']) {
      const error = await failed(fixture.bulk.importCollection(fixture.name(), 'c', damaged, { onError: 'skip' }));
      expect(error).toMatchObject({ line: 1, byteOffset: expect.any(Number) });
    }
  });

  test('of CSV, and the rows after it are read', async () => {
    const source = Buffer.concat([
      Buffer.from('_id,a\n1,"x\ny"\n2,b"\n3,"c"d\n4,1,2\n5,'),
      Buffer.of(0xff),
      Buffer.from('\n6,ok\n7,"open\n'),
    ]);
    const name = fixture.name();
    const { failures } = await fixture.bulk.importCollection(name, 'c', Readable.from([source]), {
      format: 'csv',
      onError: 'skip',
    });
    expect(
      failures.map(({ line, documentNumber, reason }) => [line, documentNumber, reason.split('(')[0]!.trim()]),
    ).toEqual([
      [4, 2, 'Cannot import: a quote inside a field that does not begin with one'],
      [5, 3, 'Cannot import: text follows the closing quote of a field'],
      [6, 4, 'Cannot import: the row has 3 fields, the header 2'],
      [7, 5, 'Cannot import: text that is not UTF-8'],
      [9, 7, 'Cannot import: a quote is not closed'],
    ]);
    expect((await documentsOf(name)).map(({ _id }) => Number(_id))).toEqual([1, 6]);
  });

  test('of a picked array by its number alone', async () => {
    const source = '{"data":[{"_id":1},{"_id":{"$oid":"x"}},{"_id":2}]}';
    const { failures } = await fixture.bulk.importCollection(fixture.name(), 'c', source, {
      pick: 'data',
      onError: 'skip',
    });
    expect(failures).toEqual([expect.objectContaining({ documentNumber: 2 })]);
    expect(Object.keys(failures[0]!)).not.toContain('byteOffset');
    for (const cut of [source.slice(0, 30), '{"data":[{"a":1}}', '\xff{"data":[]}', '{"a":1}{"data":[]}']) {
      expect(
        (await failed(fixture.bulk.importCollection(fixture.name(), 'c', cut, { pick: 'data' }))).cause,
      ).toMatchObject({
        name: 'BulkFormatError',
      });
    }
  });
});

describe('documents are written', () => {
  test('in the place of those with the same fields, or beside them', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [
      { _id: 1, mail: { at: 'a' }, old: true },
      { _id: 2, mail: { at: 'b' }, old: true },
      { _id: 3, mail: { at: { $gt: '' } }, old: true },
    ]);
    const source = [
      { mail: { at: 'b' }, v: 1 },
      { mail: { at: { $gt: '' } }, v: 2 },
      { mail: { at: 'c' }, v: 3 },
      { _id: 9, v: 4 },
    ];
    const { collections } = await fixture.bulk.importCollection(
      name,
      'c',
      source.map((s) => JSON.stringify(s)).join('\n'),
      {
        upsertFields: ['mail.at'],
      },
    );
    expect(collections).toMatchObject([{ documents: 4, skipped: 0 }]);
    const documents = (await documentsOf(name)).map(
      (d) => BSON.EJSON.deserialize(BSON.EJSON.serialize(d)) as Record<string, unknown>,
    );
    expect(documents).toHaveLength(5);
    expect(documents).toEqual(
      expect.arrayContaining([
        { _id: 1, mail: { at: 'a' }, old: true },
        { _id: 2, mail: { at: 'b' }, v: 1 },
        { _id: 3, mail: { at: { $gt: '' } }, v: 2 },
        { _id: expect.anything(), mail: { at: 'c' }, v: 3 },
        { _id: 9, v: 4 },
      ]),
    );
  });

  test('never as commands: a document whose names begin with $ is refused, and so is another _id', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 1, k: 1 }]);
    const source = '{"k":1,"_id":5}\n{"$set":{"k":2},"k":1}\n{"k":1,"new":true}';
    const { failures } = await fixture.bulk.importCollection(name, 'c', source, {
      upsertFields: ['k'],
      onError: 'skip',
    });
    expect(failures).toMatchObject([
      { line: 1, code: 66 },
      { line: 2, code: 52 },
    ]);
    expect(await documentsOf(name)).toMatchObject([{ new: true }]);
    expect(await failed(fixture.bulk.importCollection(name, 'c', source, { upsertFields: ['k'] }))).toMatchObject({
      line: 1,
    });
  });

  test('once, however often an import without ids is gone on with; under another file name again', async () => {
    const name = fixture.name();
    const source = 'a\n1\n1\n';
    const run = (more: ImportCollectionOptions) =>
      fixture.bulk.importCollection(name, 'c', source, { format: 'csv', ...more });
    await run({ fileName: 'may.csv' });
    expect(await failed(run({ fileName: 'may.csv' }))).toMatchObject({ line: 2 });
    await run({ fileName: 'may.csv', resumeFrom: 'start' });
    expect(await documentsOf(name)).toHaveLength(2);
    await run({ fileName: 'june.csv' });
    expect(await documentsOf(name)).toHaveLength(4);
  });

  test('after what was there was dropped, if so asked; not into views', async () => {
    const name = fixture.name();
    await fixture.insert(name, 'c', [{ _id: 1 }]);
    await fixture.bulk.importCollection(name, 'c', '{"_id":2}', { drop: true });
    expect(await documentsOf(name)).toMatchObject([{ _id: { value: 2 } }]);
    await fixture.bulk.importCollection(name, 'c', '{"_id":1}', { drop: true, dryRun: true });
    expect(await documentsOf(name)).toHaveLength(1);
    await expect(fixture.bulk.importCollection(name, 'c', '', { drop: true, resumeFrom: 'start' })).rejects.toThrow(
      BulkArgumentError,
    );
    const { db } = await fixture.connectionOf(name);
    await db!.createCollection('v', { viewOn: 'c', pipeline: [] });
    expect((await failed(fixture.bulk.importCollection(name, 'v', '{"_id":3}'))).message).toContain('is a view');
  });

  test('into a time series without what is there already', async () => {
    const name = fixture.name();
    const { db } = await fixture.connectionOf(name);
    await db!.createCollection('ts', { timeseries: { timeField: 't' } });
    const source = '{"t":{"$date":"2020-01-01T00:00:00Z"},"v":1}\n{"t":{"$date":"2020-01-01T00:00:01Z"},"v":2}';
    await fixture.bulk.importCollection(name, 'ts', source);
    await fixture.bulk.importCollection(name, 'ts', source, { resumeFrom: 'start' });
    expect(await documentsOf(name, 'ts')).toHaveLength(2);
  });

  test('with options that are wrong, nothing is', async () => {
    const { bulk } = fixture;
    expect(() => bulk.exportCollection('a', 'c', { format: 'csv' })).toThrow(/needs fields/);
    expect(() => bulk.exportCollection('a', 'c', { fields: ['a'] })).toThrow(/columns of CSV/);
    expect(() => bulk.exportCollection('a', 'c', { format: 'csv', fields: ['a..b'] })).toThrow(/names of fields/);
    expect(() => bulk.exportCollection('a', 'c', { format: 'csv', fields: ['a'], jsonFormat: 'relaxed' })).toThrow(
      /of JSON/,
    );
    for (const options of [
      { pick: '' },
      { pick: 'a', format: 'csv' },
      { upsertFields: [] },
    ] as ImportCollectionOptions[])
      await expect(bulk.importCollection('a', 'c', '', options)).rejects.toThrow();
  });
});
