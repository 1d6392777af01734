import { describe, expect, test } from '@jest/globals';
import * as bson from 'bson';
import { EJSON } from 'bson';
import * as fc from 'fast-check';
import { parseCanonicalJson } from '../../../../lib/providers/bulk/codecs/canonical-json.reader.js';
import { CanonicalJsonWriter } from '../../../../lib/providers/bulk/codecs/canonical-json.writer.js';
import { bsonDocument, documentOf } from './bson.arbitrary.js';

const write = (document: Uint8Array): string => {
  const writer = new CanonicalJsonWriter({ initialSize: 64 });
  writer.writeDocument(document);
  return writer.take().toString();
};
const int32 = (value: number) => [0x10, Buffer.from(Int32Array.of(value).buffer)] as const;

describe('canonical Extended JSON, BSON bytes to text and back', () => {
  test('brings every BSON document back byte for byte', () => {
    fc.assert(
      fc.property(bsonDocument, (document) => {
        expect(parseCanonicalJson(write(document)).equals(document)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('survives a JSON.parse and a JSON.stringify with indentation on the way', () => {
    fc.assert(
      fc.property(bsonDocument, (document) => {
        const relaid = JSON.stringify(JSON.parse(write(document)), null, 3);
        expect(parseCanonicalJson(relaid).equals(document)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('writes what EJSON.stringify writes', () => {
    const document = {
      _id: new bson.ObjectId(),
      at: new Date(),
      before: new Date(-1),
      price: bson.Decimal128.fromString('19.90'),
      tiny: bson.Decimal128.fromString('1.5E-20'),
      double: new bson.Double(5),
      negativeZero: new bson.Double(-0),
      infinite: new bson.Double(-Infinity),
      nan: new bson.Double(NaN),
      long: bson.Long.fromString('9007199254740993'),
      int: new bson.Int32(-7),
      nested: { list: [null, true, 'x', { y: 'ü€😀"\\\n\u0001' }] },
      pattern: new bson.BSONRegExp('^a"b', 'im'),
      stamp: new bson.Timestamp({ t: 4294967295, i: 1 }),
      min: new bson.MinKey(),
      max: new bson.MaxKey(),
      uuid: new bson.UUID(),
      old: new bson.Binary(Buffer.from('old'), 2),
      code: new bson.Code('() => 1', { a: 1 }),
      symbol: new bson.BSONSymbol('s'),
    };
    const bytes = bson.serialize(document);
    const decoded = bson.deserialize(bytes, { promoteValues: false });
    expect(write(bytes)).toBe(EJSON.stringify(decoded, { relaxed: false }));
  });

  test.each([
    ['a key that Extended JSON reserves', documentOf([['$oid', ...int32(1)]])],
    ['the escape key itself', documentOf([['$polymongoBson', ...int32(1)]])],
    [
      'duplicate field names',
      documentOf([
        ['a', ...int32(1)],
        ['a', ...int32(2)],
      ]),
    ],
    [
      'integer-like names out of order',
      documentOf([
        ['b', ...int32(1)],
        ['1', ...int32(2)],
      ]),
    ],
  ])('escapes a document with %s', (_, document) => {
    expect(JSON.parse(write(document))).toEqual({ $polymongoBson: document.toString('base64') });
  });

  test('finds a duplicate among hundreds of names', () => {
    const names = Array.from({ length: 300 }, (_, i) => `name${i}`);
    const plain = documentOf(names.map((name) => [name, ...int32(1)]));
    const repeated = documentOf([...names, 'name7'].map((name) => [name, ...int32(1)]));
    expect(write(plain)).toMatch(/^\{"name0"/);
    expect(write(repeated)).toMatch(/^\{"\$polymongoBson"/);
  });

  test('escapes the smallest document around what cannot be carried', () => {
    const inner = documentOf([['$date', ...int32(1)]]);
    expect(
      write(
        documentOf([
          ['_id', ...int32(7)],
          ['filter', 0x03, inner],
        ]),
      ),
    ).toBe(`{"_id":{"$numberInt":"7"},"filter":{"$polymongoBson":"${inner.toString('base64')}"}}`);
  });

  test.each([
    ['a length beyond the bytes', Buffer.from([9, 0, 0, 0, 0])],
    ['an unknown type', documentOf([['a', 0x42, Buffer.alloc(0)]])],
    ['a value cut off', documentOf([['a', 0x12, Buffer.alloc(3)]])],
    ['a string longer than its document', documentOf([['a', 0x02, Buffer.from([99, 0, 0, 0, 65, 0])]])],
    ['a name without an end', Buffer.from([8, 0, 0, 0, 10, 97, 97, 0])],
  ])('refuses BSON with %s', (_, document) => {
    expect(() => write(document)).toThrow(/Invalid BSON at byte \d+/);
  });

  test('never reads beyond a damaged document', () => {
    fc.assert(
      fc.property(bsonDocument, fc.nat(), fc.nat(255), (document, at, byte) => {
        document[4 + (at % (document.length - 4))] = byte;
        try {
          parseCanonicalJson(write(document));
        } catch (error) {
          expect((error as Error).name).toBe('InvalidBsonError');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
