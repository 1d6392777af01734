import { describe, expect, test } from '@jest/globals';
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { compareValues } from '../../../src/bson/compare.js';
import { BsonUndefined, dateOf, DBPointer, docOf, int32, type Value } from '../../../src/bson/value.js';

const decimal = (text: string) => new Decimal128(text);
const id = new ObjectId('000000000000000000000001');

/** In MongoDB's order; the values of one inner array are equal. */
const ORDER: Value[][] = [
  [new MinKey()],
  [BsonUndefined.value],
  [null],
  [NaN, decimal('NaN')],
  [-Infinity, decimal('-Infinity')],
  [-(2 ** 63), -(2n ** 63n)],
  [int32(-1), -1, -1n, decimal('-1.00')],
  [-0, 0, int32(0), 0n, decimal('0'), decimal('-0E+3')],
  [5e-324],
  [decimal('0.1')],
  [0.1],
  [1, int32(1), 1n, decimal('1')],
  [9007199254740992n, 9007199254740992],
  [9007199254740993n, decimal('9007199254740993')],
  [2n ** 63n - 1n],
  [2 ** 63],
  [decimal('9.9E+400')],
  [Infinity, decimal('Infinity')],
  ['', new BSONSymbol('')],
  ['a', new BSONSymbol('a')],
  ['ab'],
  ['b'],
  ['\uffff'],
  ['\u{10000}'],
  [docOf()],
  [docOf(['b', 1])],
  [docOf(['b', 1], ['a', 1])],
  [docOf(['a', 'x'])],
  [[]],
  [[1]],
  [[1, 2]],
  [[2]],
  [new Binary(Buffer.from([9]), 0)],
  [new Binary(Buffer.from([1]), 4)],
  [new Binary(Buffer.from([1, 1]), 0)],
  [id],
  [new ObjectId('0000000000000000000000ff')],
  [false],
  [true],
  [dateOf(-(2n ** 63n))],
  [new Date(0)],
  [dateOf(2n ** 63n - 1n)],
  [new Timestamp({ t: 1, i: 2 })],
  [new Timestamp({ t: 4294967295, i: 0 })],
  [new BSONRegExp('a')],
  [new BSONRegExp('a', 'i')],
  [new DBPointer('z', id)],
  [new DBPointer('aa', id)],
  [new Code('x')],
  [new Code('a', docOf())],
  [new MaxKey()],
];

describe('compareValues', () => {
  test('orders values of all types as the manual lists them', () => {
    ORDER.forEach((left, i) =>
      ORDER.forEach((right, j) => {
        for (const a of left)
          for (const b of right) expect([a, b, compareValues(a, b)]).toEqual([a, b, Math.sign(i - j)]);
      }),
    );
  });

  test('compares an int64 with a double exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.double({ noNaN: true }), (a, b) => {
        expect(compareValues(a, b)).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(compareValues(b, a) + compareValues(a, b)).toBe(0);
      }),
    );
  });
});
