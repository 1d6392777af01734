import { describe, expect, it } from '@jest/globals';
import { Binary, BSONRegExp, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { compareValues } from '../../../src/bson/compare.js';
import { BsonUndefined, type Value } from '../../../src/bson/value.js';
import { encodeKey } from '../../../src/storage/key-string.js';
import { docFrom } from './fixture.js';

const decimal = (text: string): Decimal128 => Decimal128.fromString(text);

const VALUES: Value[] = [
  new MinKey(),
  BsonUndefined.value,
  null,
  NaN,
  -Infinity,
  decimal('-1E400'),
  -(2n ** 63n),
  -9007199254740993n,
  -9007199254740992,
  -1.5,
  decimal('-0.1'),
  -0.1,
  -0,
  decimal('1E-400'),
  0,
  5e-324,
  decimal('0.1'),
  0.1,
  new Int32(1),
  1n,
  decimal('1.0'),
  2,
  9007199254740992n,
  9007199254740993n,
  decimal('9007199254740992.5'),
  9007199254740994,
  2n ** 63n - 1n,
  1e300,
  decimal('1E400'),
  Infinity,
  '',
  '\0',
  '\u0001',
  'a',
  'a\0',
  'a\0b',
  'a\u0001',
  'a\u0002',
  'aa',
  'ab',
  'é',
  '\uffff',
  '😀',
  docFrom({}),
  docFrom({ a: 1 }),
  docFrom({ a: 1, b: 1 }),
  docFrom({ a: 2 }),
  docFrom({ b: 1 }),
  docFrom({ a: 'x' }),
  [],
  [1],
  [1, 2],
  [2],
  new Binary(Buffer.from([])),
  new Binary(Buffer.from([1]), 0),
  new Binary(Buffer.from([1]), 5),
  new Binary(Buffer.from([0, 0])),
  new ObjectId('0'.repeat(24)),
  new ObjectId('f'.repeat(24)),
  false,
  true,
  new Date(-1),
  new Date(0),
  new Date(1),
  new Timestamp({ t: 1, i: 2 }),
  new Timestamp({ t: 2, i: 1 }),
  new BSONRegExp('a', ''),
  new BSONRegExp('a', 'i'),
  new BSONRegExp('b', ''),
  new Code('a'),
  new MaxKey(),
];

const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

describe('encodeKey', () => {
  it('orders any two values as compareValues does, and inverted when descending', () => {
    for (const a of VALUES) {
      for (const b of VALUES) {
        const expected = Math.sign(compareValues(a, b));
        const shown = { a, b, order: expected };
        expect({ a, b, order: sign(encodeKey([a]), encodeKey([b])) }).toEqual(shown);
        expect({ a, b, order: sign(encodeKey([b], [true]), encodeKey([a], [true])) }).toEqual(shown);
      }
    }
  });

  it('orders compound keys by their first differing part', () => {
    expect(sign(encodeKey(['a', 2]), encodeKey(['a\0', 1]))).toBe(-1);
    expect(sign(encodeKey(['a', 2]), encodeKey(['a', 3]))).toBe(-1);
    expect(sign(encodeKey(['a', 2], [false, true]), encodeKey(['a', 3], [false, true]))).toBe(1);
  });
});
