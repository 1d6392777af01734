import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { serialize } from 'bson';
import * as fc from 'fast-check';
import { ExportFileWriter } from '../../../../lib/providers/bulk/codecs/export-file.writer.js';
import { bsonDocument } from './bson.arbitrary.js';
import { cut, readAll } from './import-file.reading.js';

const EMPTY = serialize({});
const index = Buffer.from(serialize({ v: 2, key: { _id: 1 }, name: '_id_' }));

function fileOf(collections: Record<string, readonly Uint8Array[]>): Buffer {
  const writer = new ExportFileWriter(64);
  writer.begin('shop', new Date(0));
  for (const [name, documents] of Object.entries(collections)) {
    writer.beginCollection({ name, type: 'collection', options: EMPTY });
    for (const document of documents) writer.writeDocument(document);
    writer.endCollection([index]);
  }
  writer.end();
  return writer.take();
}
const orders = (...ids: number[]) => fileOf({ orders: ids.map((_id) => serialize({ _id })) });
const refusal = async (file: Buffer | string) =>
  readAll(Buffer.from(file)).then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an export file', () => {
  test('is valid JSON with one document a line', () => {
    expect(orders(1, 2).toString()).toBe(
      [
        '{"database":"shop","exportDate":"1970-01-01T00:00:00.000Z","collections":{',
        '"orders":{"type":"collection","options":{},"documents":[',
        '{"_id":{"$numberInt":"1"}},',
        '{"_id":{"$numberInt":"2"}}',
        '],"indexes":[',
        '{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}',
        ']}',
        '}}\n',
      ].join('\n'),
    );
  });

  test('brings documents back byte for byte in any layout, cut anywhere, gzipped or not', async () => {
    const layout = fc.constantFrom('lines', 'pretty', 'compact');
    await fc.assert(
      fc.asyncProperty(
        fc.array(bsonDocument, { maxLength: 5 }),
        fc.array(bsonDocument, { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        layout,
        fc.boolean(),
        async (first, second, places, form, isGzipped) => {
          const lines = fileOf({ first, 'se"cond\n': second });
          const parsed: unknown = JSON.parse(lines.toString());
          const text = form === 'lines' ? lines : Buffer.from(JSON.stringify(parsed, null, form === 'pretty' ? 2 : 0));
          const { collections, properties } = await readAll(cut(isGzipped ? gzipSync(text) : text, places));
          expect(Object.keys(collections)).toEqual(['first', 'se"cond\n']);
          expect(collections.first!.documents.map((bytes) => bytes.toString('hex'))).toEqual(
            first.map((bytes) => bytes.toString('hex')),
          );
          expect(collections['se"cond\n']!.documents).toHaveLength(second.length);
          expect(collections.first).toMatchObject({ isEnded: true, properties: { type: 'collection' } });
          expect(properties).toEqual({ database: 'shop', exportDate: '1970-01-01T00:00:00.000Z' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is read byte by byte', async () => {
    const file = orders(1, 2, 3);
    const { collections } = await readAll(Array.from(file, (byte) => Buffer.of(byte)));
    expect(collections.orders!.documents).toHaveLength(3);
    for (const offset of collections.orders!.byteOffsets)
      expect(file.toString('latin1', offset, offset + 7)).toBe('{"_id":');
  });

  test('may have its keys in another order, and keys of another tool', async () => {
    const text =
      '\ufeff{"note":[1,{"a":null}],"collections":{"c":{"indexes":[{"name":"x"}],"documents":[{"_id":1}],"extra":"e"}},"database":"d"}';
    expect(await readAll(Buffer.from(text))).toMatchObject({
      properties: { database: 'd' },
      collections: {
        c: { documents: [Buffer.from(serialize({ _id: 1 }))], properties: { extra: 'e', indexes: [{ name: 'x' }] } },
      },
    });
  });

  test('gives batches of no more documents and bytes than asked for', async () => {
    const documents = Array.from({ length: 2500 }, (_, i) => serialize({ i, text: 'x'.repeat(100) }));
    const sizes: number[] = [];
    const { readImportEvents } = await import('../../../../lib/providers/bulk/codecs/import.events.reader.js');
    for await (const event of readImportEvents([fileOf({ c: documents })])) {
      if (event.kind === 'documents') sizes.push(event.batch.byteOffsets.length);
    }
    expect(sizes).toEqual([1000, 1000, 500]);
  });

  test.each([
    ['{"database":"d","collections":{"c":{"documents":[{"_id":1},{"_id":}]}}}', 'c', 2, 66, 'expected a value'],
    ['{"collections":{"c":{"documents":{}}}}', 'c', undefined, 33, '"documents" must be an array'],
    ['{"collections":{"c":[]}}', 'c', undefined, 20, 'a collection must be an object'],
    ['{"collections":[]}', undefined, undefined, 15, '"collections" must be an object'],
    ['{"collections":{"c":{},"c":{}}}', 'c', undefined, 28, 'there twice'],
    ['{"database":"d"}', undefined, undefined, 16, 'no "collections"'],
    ['{"collections":{}} x', undefined, undefined, 19, 'text follows'],
    ['[]', undefined, undefined, 0, 'one JSON object'],
    ['', undefined, undefined, 0, 'cut off'],
    ['{"collections":{"c":{"documents":[{"_id":1},{"_i', 'c', 2, 48, 'cut off'],
  ])(
    '%s is refused with collection, document number and byte offset',
    async (text, collection, documentNumber, byteOffset, reason) => {
      const error = await refusal(text);
      expect(error).toMatchObject({ name: 'BulkFormatError', byteOffset });
      expect((error as { collection?: string }).collection).toBe(collection);
      expect((error as { documentNumber?: number }).documentNumber).toBe(documentNumber);
      expect((error as Error).message).toContain(reason);
      expect((error as Error).message).toContain(`byte ${byteOffset}`);
    },
  );

  test('is refused wherever it is cut off', async () => {
    const file = orders(1, 2);
    for (let length = 0; length < file.length - 2; length++) {
      expect(await refusal(file.subarray(0, length))).toMatchObject({ name: 'BulkFormatError' });
    }
  });

  test('is refused where gzip data is damaged', async () => {
    const zipped = gzipSync(orders(1, 2));
    expect(await refusal(zipped.subarray(0, zipped.length - 9))).toMatchObject({ code: 'Z_BUF_ERROR' });
  });

  test.each(['lines', 'pretty'])('with damaged documents is read around them on onError: skip (%s)', async (layout) => {
    const good = orders(1, 2, 3, 4).toString();
    const text = layout === 'lines' ? good : JSON.stringify(JSON.parse(good), null, 2);
    const bad = text.replace('"2"', '"two"').replace('"4"', '4');
    const offset = layout === 'lines' ? bad.indexOf('{"_id":{"$numberInt":"two"') : undefined;
    const { collections } = await readAll(cut(Buffer.from(bad), [200, 180]), { onError: 'skip' });
    expect(collections.orders!.documents).toHaveLength(2);
    expect(collections.orders!.rejected).toMatchObject([{ documentNumber: 2 }, { documentNumber: 4 }]);
    expect(collections.orders!.rejected[0]!.error.message).toContain(
      '$numberInt wants an int32 (collection "orders", document 2',
    );
    if (offset !== undefined) expect(collections.orders!.rejected[0]!.byteOffset).toBe(offset);
    expect(collections.orders!.isEnded).toBe(true);
  });

  test('with a line torn in half is read on behind it on onError: skip', async () => {
    const torn = orders(1, 2, 3).toString().replace('Int":"2"}},', '');
    const { collections } = await readAll(Buffer.from(torn), { onError: 'skip' });
    expect(collections.orders!.documents).toHaveLength(2);
    expect(collections.orders!.rejected).toMatchObject([{ documentNumber: 2 }]);
  });

  test('holds documents up to 16 MB and refuses larger ones', async () => {
    const room = 16 * 1024 * 1024 - serialize({ text: '' }).length;
    const largest = Buffer.from(serialize({ text: '\n'.repeat(room) }));
    const { collections } = await readAll(cut(fileOf({ c: [largest, largest] }), [1e6, 2e6, 3e6, 2e7, 4e7]));
    expect(collections.c!.documents.every((document) => document.equals(largest))).toBe(true);
    const larger = fileOf({ c: [EMPTY, serialize({ text: 'x'.repeat(room + 1) })] });
    expect(await refusal(larger)).toMatchObject({ collection: 'c', documentNumber: 2 });
  });
});
