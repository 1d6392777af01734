import { describe, expect, test } from '@jest/globals';
import * as bson from 'bson';
import * as fc from 'fast-check';
import type { CollectionDefinition } from '../../../../lib/providers/bulk/codecs/collection.definition.js';
import { ArchiveWriter } from '../../../../lib/providers/bulk/codecs/archive.writer.js';
import { bsonDocument } from './bson.arbitrary.js';
import { cut, readAll } from './import-file.reading.js';

const HEADER = { concurrentCollections: 4, serverVersion: '8.0.4', toolVersion: 'polymongo' };
const definition = (name: string, rest: Partial<CollectionDefinition> = {}): CollectionDefinition => ({
  ...{
    name,
    type: 'collection',
    options: bson.serialize({}),
    indexes: [bson.serialize({ v: 2, key: { _id: 1 }, name: '_id_' })],
  },
  ...rest,
});

/** An archive of collections whose batches come in the given order. */
function archiveOf(
  definitions: readonly CollectionDefinition[],
  batches: readonly (readonly [number, readonly Uint8Array[]])[],
): Buffer {
  const writer = new ArchiveWriter('shop');
  const chunks = writer.begin(HEADER, definitions);
  for (const [which, documents] of batches)
    chunks.push(...writer.documents(definitions[which]!, Buffer.concat(documents)));
  for (const each of definitions) chunks.push(...writer.endCollection(each));
  return Buffer.concat(chunks);
}
const document = (_id: number) => Buffer.from(bson.serialize({ _id }));
function crcBitByBit(bytes: Buffer): bigint {
  let crc = 2n ** 64n - 1n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return crc ^ (2n ** 64n - 1n);
}
const refusal = (file: Buffer) =>
  readAll(file).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("mongodump's archive format", () => {
  test('brings interleaved documents back byte for byte, cut anywhere', async () => {
    const batch = fc.tuple(fc.nat(2), fc.array(bsonDocument, { minLength: 1, maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(fc.array(batch), fc.array(fc.nat(), { maxLength: 8 }), async (batches, places) => {
        const definitions = ['a', 'b', 'c'].map((name) => definition(name));
        const { collections } = await readAll(cut(archiveOf(definitions, batches), places));
        ['a', 'b', 'c'].forEach((name, which) => {
          const written = batches.filter(([w]) => w === which).flatMap(([, documents]) => documents);
          expect(collections[name]!.documents.map((d) => d.toString('hex'))).toEqual(
            written.map((d) => d.toString('hex')),
          );
          expect(collections[name]!.isEnded).toBe(true);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('has the bytes that mongodump writes', () => {
    const archive = archiveOf([definition('a')], [[0, [document(1)]]]);
    const metadata =
      '{"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}],"collectionName":"a","type":"collection"}';
    const end = Buffer.from('ffffffff', 'hex');
    expect(archive.toString('latin1')).toBe(
      Buffer.concat([
        Buffer.from('6de29981', 'hex'),
        bson.serialize({
          concurrent_collections: 4,
          version: '0.1',
          server_version: '8.0.4',
          tool_version: 'polymongo',
        }),
        bson.serialize({ db: 'shop', collection: 'a', metadata, size: 0, type: 'collection' }),
        end,
        bson.serialize({ db: 'shop', collection: 'a', EOF: false, CRC: bson.Long.ZERO }),
        document(1),
        end,
        bson.serialize({
          db: 'shop',
          collection: 'a',
          EOF: true,
          CRC: bson.Long.fromBigInt(BigInt.asIntN(64, crcBitByBit(document(1)))),
        }),
        end,
      ]).toString('latin1'),
    );
  });

  test('carries options, index specifications and views as they are', async () => {
    const indexes = [
      { v: 2, key: { b: 1, a: -1 }, name: 'x', partialFilterExpression: { a: { $gt: 5 }, 'b.c': { $type: 'long' } } },
    ];
    const options = { capped: true, size: bson.Long.fromNumber(4096), validator: { a: { $type: 2 } } };
    const { collections } = await readAll(
      archiveOf(
        [
          definition('a', { options: bson.serialize(options), indexes: indexes.map((index) => bson.serialize(index)) }),
          definition('v', { type: 'view', options: bson.serialize({ viewOn: 'a', pipeline: [] }), indexes: [] }),
        ],
        [],
      ),
    );
    expect(bson.serialize(collections.a!.properties)).toEqual(bson.serialize({ type: 'collection', options, indexes }));
    expect(collections.v!.properties).toEqual({ type: 'view', options: { viewOn: 'a', pipeline: [] }, indexes: [] });
  });

  test('keeps the documents of a time series under the name of its buckets', async () => {
    const series = definition('t', {
      type: 'timeseries',
      options: bson.serialize({ timeseries: { timeField: 'at' } }),
    });
    const archive = archiveOf([series], [[0, [document(1)]]]);
    expect(archive.includes('system.buckets.t')).toBe(true);
    expect((await readAll(archive)).collections.t).toMatchObject({ documents: [document(1)], isEnded: true });
  });

  test('is refused where a document was damaged', async () => {
    const archive = archiveOf([definition('a')], [[0, [document(1), document(77)]]]);
    archive[archive.indexOf(document(77)) + 9] = 78;
    expect(await refusal(archive)).toMatchObject({
      name: 'BulkFormatError',
      collection: 'a',
      reason: expect.stringContaining('checksum'),
    });
  });

  test('is refused wherever it is cut off', async () => {
    const archive = archiveOf([definition('a')], [[0, [document(1)]]]);
    for (let length = 4; length < archive.length; length++) {
      expect(await refusal(archive.subarray(0, length))).toMatchObject({ name: 'BulkFormatError', byteOffset: length });
    }
  });

  test('is refused with the place of a length that cannot be', async () => {
    const archive = archiveOf([definition('a')], [[0, [document(1), document(2)]]]);
    const at = archive.indexOf(document(2));
    archive.writeInt32LE(3, at);
    expect(await refusal(archive)).toMatchObject({ collection: 'a', documentNumber: 2, byteOffset: at });
  });
});
