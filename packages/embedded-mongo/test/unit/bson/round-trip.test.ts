import { describe, expect, test } from '@jest/globals';
import * as bson from 'bson';
import fc from 'fast-check';
import { decodeDoc } from '../../../src/bson/decode.js';
import { encodeDoc } from '../../../src/bson/encode.js';

const bytesOf = (document: bson.Document): Buffer => Buffer.from(bson.serialize(document, { ignoreUndefined: false }));
const roundTrip = (source: Uint8Array): string => encodeDoc(decodeDoc(source)).toString('hex');
const raw = (hex: string): Buffer => {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const size = Buffer.alloc(4);
  size.writeInt32LE(body.length + 5);
  return Buffer.concat([size, body, Buffer.from([0])]);
};

const key = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '_id', 'a.b', '$set', '__proto__x', 'constructor', 'ключ', '0', '名前'),
  )
  .filter((text) => !text.includes('\0') && text !== '__proto__');

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const scalar = fc.oneof(
  fc.double().map((n) => new bson.Double(n)),
  fc.integer().map((n) => new bson.Int32(n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => bson.Long.fromBigInt(n)),
  bytes(16).map((b) => new bson.Decimal128(b)),
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 5 }),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  bytes(12).map((b) => new bson.ObjectId(b)),
  fc
    .tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 255 }))
    .filter(([, t]) => t !== 9)
    .map(([b, t]) => new bson.Binary(b, t)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new bson.Timestamp({ t, i })),
  fc
    .string()
    .filter((s) => !s.includes('\0'))
    .map((s) => new bson.BSONRegExp(s, 'imx')),
  fc.string().map((s) => new bson.Code(s)),
  fc.string().map((s) => new bson.Code(s, { x: new bson.Int32(1) })),
  fc.string().map((s) => new bson.BSONSymbol(s)),
  fc.constantFrom(new bson.MinKey(), new bson.MaxKey()),
);

const { document } = fc.letrec<{ document: bson.Document; value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('document'), fc.array(tie('value'), { maxLength: 5 })),
  document: fc.dictionary(key, tie('value'), { maxKeys: 6 }),
}));

describe('decodeDoc and encodeDoc', () => {
  test('give back byte for byte whatever the bson package writes', () => {
    fc.assert(
      fc.property(document, (doc) => {
        const source = bytesOf(doc);
        expect(roundTrip(source)).toBe(source.toString('hex'));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['negative zero', '01 6100 0000000000000080'],
    ['a NaN with payload', '01 6100 010000000000f8ff'],
    ['the smallest double', '01 6100 0100000000000000'],
    ['a date past what JavaScript can hold', '09 6100 ffffffffffffff7f'],
    ['a date before what JavaScript can hold', '09 6100 0000000000000080'],
    ['a date before 1970', '09 6100 ffffffffffffffff'],
    ['old binary, subtype 2, with its inner length', '05 6100 07000000 02 03000000 010203'],
    ['old binary with a wrong inner length', '05 6100 04000000 02 09000000'],
    ['undefined', '06 6100'],
    ['a DBPointer', '0c 6100 02000000 6200 000102030405060708090a0b'],
    ['regular expression options out of order', '0b 6100 7800 786d6900'],
    ['unknown regular expression options', '0b 6100 7800 7a00'],
    ['code with scope', '0f 6100 16000000 02000000 7800 0c000000 10620001000000 00'],
    ['an empty key', '10 00 01000000'],
    ['keys that a JavaScript object would reorder', '10 3200 01000000 10 3100 02000000 10 6100 03000000'],
    ['a __proto__ key', '10 5f5f70726f746f5f5f00 01000000'],
    ['a timestamp with its highest bit set', '11 6100 ffffffff ffffffff'],
    ['a non-canonical decimal', '13 6100 ffffffffffffffffffffffffffffff6f'],
  ])('keep %s', (_title, hex) => {
    const source = raw(hex);
    expect(roundTrip(source)).toBe(source.toString('hex'));
  });
});

describe('decodeDoc', () => {
  test.each([
    ['too few bytes', Buffer.from([4, 0, 0, 0])],
    ['a length that is not its own', Buffer.from([6, 0, 0, 0, 0])],
    ['no end mark', Buffer.from([5, 0, 0, 0, 1])],
    ['an unknown type', raw('20 6100')],
    ['a bool of 2', raw('08 6100 02')],
    ['a string past the end', raw('02 6100 ff000000 6100')],
    ['a string of length 0', raw('02 6100 00000000')],
    ['a string of negative length', raw('02 6100 ffffffff')],
    ['a string without its NUL', raw('02 6100 02000000 6161')],
    ['a binary of negative length', raw('05 6100 ffffffff 00')],
    ['a key without its NUL', raw('10 616161')],
    ['a number past the end', raw('12 6100 0000')],
    ['a nested document longer than its parent', raw('03 6100 ff000000 00')],
    ['a nested document of length 4', raw('03 6100 04000000 00')],
    ['bytes after the end mark', raw('00 00')],
    ['a code with scope of a wrong length', raw('0f 6100 17000000 02000000 7800 0c000000 10620001000000 00 00')],
  ])('refuses %s as InvalidBSON', (_title, source) => {
    expect(() => decodeDoc(source)).toThrow(expect.objectContaining({ code: 22 }));
  });

  test('refuses nesting deeper than 200', () => {
    const nested = (depth: number): bson.Document => (depth === 0 ? {} : { a: nested(depth - 1) });
    expect(decodeDoc(bytesOf(nested(200))).size).toBe(1);
    expect(() => decodeDoc(bytesOf(nested(201)))).toThrow(expect.objectContaining({ code: 15 }));
  });

  test('refuses or reads any damaged document, and never reads past it', () => {
    fc.assert(
      fc.property(
        document,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1 }),
        (doc, edits) => {
          const source = bytesOf(doc);
          for (const [at, byte] of edits) source[at % source.length] = byte;
          try {
            decodeDoc(source);
          } catch (error) {
            expect([15, 22]).toContain((error as { code?: number }).code);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
