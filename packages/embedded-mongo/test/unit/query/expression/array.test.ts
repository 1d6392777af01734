import { describe, expect, test } from '@jest/globals';
import { Binary } from 'bson';
import { decimal, double } from '../../../support/bson-values.js';
import { errorOf, evaluate, expectAll, expectErrors } from '../../../support/evaluate.js';

describe('array operators', () => {
  test('take elements from either end', () => {
    const on = { a: [1, 2, 3] };
    expectAll([
      [{ $arrayElemAt: ['$a', -1] }, 'int 3', on],
      [{ $arrayElemAt: ['$a', double(1)] }, 'int 2', on],
      [{ $arrayElemAt: ['$a', 9] }, 'missing', on],
      [{ $first: '$a' }, 'int 1', on],
      [{ $last: '$a' }, 'int 3', on],
      [{ $slice: ['$a', -2] }, '[int 2, int 3]', on],
      [{ $slice: ['$a', -9, 2] }, '[int 1, int 2]', on],
      [{ $slice: ['$a', 1, 1n] }, '[int 2]', on],
      [{ $firstN: { n: 2, input: '$a' } }, '[int 1, int 2]', on],
      [{ $maxN: { n: 2, input: '$a' } }, '[int 3, int 2]', on],
    ]);
    expectErrors([
      [{ $arrayElemAt: ['$a', 1.5] }, 28691, on],
      [{ $arrayElemAt: [1, 1] }, 28689],
      [{ $slice: ['$a', 1, 0] }, 28729, on],
      [{ $slice: ['$a', 1.5] }, 28726, on],
      [{ $firstN: { n: 0, input: '$a' } }, 5787908, on],
      [{ $maxN: { n: 1, input: 1 } }, 5788200],
    ]);
  });

  test('iterate, with variables of their own', () => {
    const on = { a: [1, 2, 3, null] };
    expectAll([
      [{ $map: { input: '$a', in: { $add: ['$$this', 1] } } }, '[int 2, int 3, int 4, null]', on],
      [{ $map: { input: '$a', as: 'x', in: '$$x.y' } }, '[null, null, null, null]', on],
      [{ $filter: { input: '$a', cond: { $gt: ['$$this', 1] }, limit: 1 } }, '[int 2]', on],
      [{ $reduce: { input: '$a', initialValue: 0n, in: { $max: ['$$this', '$$value'] } } }, 'int 3', on],
      [{ $reduce: { input: null, initialValue: 0, in: 1 } }, 'null'],
      [{ $map: { input: [1], in: { $map: { input: [2], in: '$$this' } } } }, '[[int 2]]'],
    ]);
    expectErrors([
      [{ $map: { input: '$a', as: 'X', in: 1 } }, 9],
      [{ $map: { in: 1 } }, 16880],
      [{ $map: 1 }, 16878],
      [{ $map: { input: 1, in: 1 } }, 16883],
      [{ $filter: { input: [], cond: 1, bogus: 1 } }, 28647],
      [{ $filter: { input: [1], cond: 1, limit: 0 } }, 327392],
      [{ $reduce: { input: [], in: 1 } }, 40078],
    ]);
  });

  test('search by value, whatever the number type', () => {
    expectAll([
      [{ $in: [double(2), [1, 2n]] }, 'true'],
      [{ $indexOfArray: [[1, 2, 2n], 2, 2] }, 'int 2'],
      [{ $indexOfArray: [[1, 2], 2, 0, 1] }, 'int -1'],
      [{ $indexOfArray: [null, 1] }, 'null'],
    ]);
    expectErrors([
      [{ $in: [1, 2] }, 40081],
      [{ $indexOfArray: [[1], 1, -1] }, 40097],
    ]);
  });

  test('make, join, sort and turn arrays', () => {
    expectAll([
      [{ $range: [0, 5, 2] }, '[int 0, int 2, int 4]'],
      [{ $range: [double(3), 0n, -2] }, '[int 3, int 1]'],
      [{ $concatArrays: [[1], [2, [3]]] }, '[int 1, int 2, [int 3]]'],
      [{ $concatArrays: [[1], null] }, 'null'],
      [{ $reverseArray: { $literal: [1, 2] } }, '[int 2, int 1]'],
      [{ $size: { $literal: [1, 2] } }, 'int 2'],
      [{ $isArray: ['$a'] }, 'true', { a: [] }],
      [
        { $zip: { inputs: [[1, 2], [3]], useLongestLength: true, defaults: [0, 9] } },
        '[[int 1, int 3], [int 2, int 9]]',
      ],
      [{ $zip: { inputs: [[1, 2], [3]] } }, '[[int 1, int 3]]'],
      [{ $sortArray: { input: [3, 'a', 1n], sortBy: 1 } }, '[long 1, int 3, "a"]'],
      [{ $sortArray: { input: '$a', sortBy: { b: -1 } } }, '[{ b: int 2 }, { b: int 1 }]', { a: [{ b: 1 }, { b: 2 }] }],
    ]);
    expectErrors([
      [{ $range: [0, 5, 0] }, 34449],
      [{ $range: [0.5, 5] }, 34444],
      [{ $size: 5 }, 17124],
      [{ $size: '$missing' }, 17124],
      [{ $concatArrays: [1] }, 28664],
      [{ $zip: { inputs: [[1]], defaults: [1] } }, 34466],
      [{ $sortArray: { input: 1, sortBy: 1 } }, 2942504],
    ]);
  });

  test('and objects become each other', () => {
    expectAll([
      [{ $objectToArray: { a: 1, b: '$x' } }, '[{ k: "a", v: int 1 }]'],
      [
        {
          $arrayToObject: [
            [
              ['a', 1],
              ['b', 2],
            ],
          ],
        },
        '{ a: int 1, b: int 2 }',
      ],
      [
        {
          $arrayToObject: {
            $literal: [
              { k: 'a', v: 1 },
              { k: 'a', v: 2 },
            ],
          },
        },
        '{ a: int 2 }',
      ],
    ]);
    expectErrors([
      [{ $arrayToObject: { $literal: [['a', 1], { k: 'b', v: 1 }] } }, 40396],
      [{ $arrayToObject: { $literal: [['a']] } }, 40397],
      [{ $arrayToObject: { $literal: [{ k: 1, v: 1 }] } }, 40394],
      [{ $objectToArray: 1 }, 40390],
    ]);
  });
});

describe('accumulators as expressions', () => {
  test('work on the elements of an only array, and on operands as they are', () => {
    const on = { a: [1, 2, 'x'] };
    expectAll([
      [{ $sum: '$a' }, 'int 3', on],
      [{ $sum: ['$a', 5] }, 'int 5', on],
      [{ $avg: [1, 2] }, 'double 1.5'],
      [{ $avg: decimal('1') }, 'decimal 1'],
      [{ $max: '$a' }, '"x"', on],
      [{ $min: [null, 3] }, 'int 3'],
      [{ $stdDevSamp: [1, 3] }, `double ${Math.SQRT2}`],
      [{ $stdDevSamp: [1] }, 'null'],
      [{ $stdDevPop: [1, 3, NaN] }, 'double NaN'],
      [{ $stdDevPop: [1, Infinity] }, 'double NaN'],
      [{ $median: { input: [3, 1, 2], method: 'approximate' } }, 'double 2'],
      [{ $percentile: { input: [1, 2, 3, 4], p: [0.25, 1], method: 'approximate' } }, '[double 1, double 4]'],
    ]);
  });
});

describe('set operators', () => {
  test('see equal numbers as one, and sort what they make', () => {
    expectAll([
      [
        {
          $setUnion: [
            [2, 1],
            [1n, 3],
          ],
        },
        '[int 1, int 2, int 3]',
      ],
      [
        {
          $setIntersection: [
            [1, 2, 2],
            [double(2), 3],
          ],
        },
        '[int 2]',
      ],
      [{ $setDifference: [[3, 1, 3, 2], [2]] }, '[int 3, int 1]'],
      [
        {
          $setEquals: [
            [1, 2, 2],
            [2n, double(1)],
          ],
        },
        'true',
      ],
      [{ $setIsSubset: [[1], [1n, 2]] }, 'true'],
      [{ $anyElementTrue: [[0, null, '']] }, 'true'],
      [{ $allElementsTrue: [[1, double(0)]] }, 'false'],
      [{ $setUnion: [[1], '$nope'] }, 'null'],
    ]);
    expectErrors([
      [{ $setUnion: [1] }, 17043],
      [{ $setEquals: [[1]] }, 17045],
      [{ $setIsSubset: [[1], 1] }, 17042],
      [{ $anyElementTrue: [1] }, 17041],
    ]);
  });
});

describe('object and other operators', () => {
  test('read, set and remove fields whose names hold dots and dollars', () => {
    const on = { 'a.b': 1, $c: 2, d: 3 };
    expectAll([
      [{ $getField: 'a.b' }, 'int 1', on],
      [{ $getField: { field: { $literal: '$c' }, input: '$$ROOT' } }, 'int 2', on],
      [{ $setField: { field: 'a.b', input: '$$ROOT', value: 5n } }, '{ a.b: long 5, $c: int 2, d: int 3 }', on],
      [{ $setField: { field: 'd', input: '$$ROOT', value: '$$REMOVE' } }, '{ a.b: int 1, $c: int 2 }', on],
      [{ $unsetField: { field: 'a.b', input: '$$ROOT' } }, '{ $c: int 2, d: int 3 }', on],
      [{ $mergeObjects: [{ a: 1, b: 1 }, null, { a: 2 }] }, '{ a: int 2, b: int 1 }'],
    ]);
    expectErrors([
      [{ $getField: '$d' }, 5654601],
      [{ $getField: { input: {} } }, 3041702],
      [{ $setField: { field: 'a', input: 1, value: 1 } }, 4161105],
      [{ $mergeObjects: [1] }, 40400],
    ]);
  });

  test('measure what a value takes', () => {
    expectAll([
      [{ $bsonSize: '$$ROOT' }, 'int 12', { a: 1 }],
      [{ $binarySize: 'é' }, 'int 2'],
      [{ $binarySize: '$b' }, 'int 3', { b: new Binary(Buffer.alloc(3)) }],
    ]);
    expectErrors([
      [{ $bsonSize: 1 }, 31393],
      [{ $rand: 1 }, 3040501],
      [{ $meta: 'x' }, 17308],
      [{ $function: { body: 'x', args: [], lang: 'js' } }, 139],
    ]);
    expect(evaluate({ $rand: {} })).toMatch(/^double (0\.|\d\.?\d*e-)/);
  });

  test('choose the first branch that holds', () => {
    expectAll([
      [{ $cond: [null, 1, 2] }, 'int 2'],
      [{ $cond: { if: [], then: 1, else: 2 } }, 'int 1'],
      [{ $ifNull: ['$a', null, 3n] }, 'long 3'],
      [
        {
          $switch: {
            branches: [
              { case: '$a', then: 1 },
              { case: { $gt: ['$b', 1] }, then: 2 },
            ],
            default: 3,
          },
        },
        'int 2',
        { b: 5 },
      ],
      [{ $and: [1, double(NaN), 'x'] }, 'true'],
      [{ $and: [1, decimal('0.00')] }, 'false'],
      [{ $or: [] }, 'false'],
      [{ $not: ['$missing'] }, 'true'],
      [{ $cmp: [1n, double(1)] }, 'int 0'],
      [{ $lt: ['$missing', null] }, 'true'],
      [{ $eq: ['$missing', null] }, 'false'],
      [{ $gt: ['a', 5] }, 'true'],
    ]);
    expectErrors([
      [{ $switch: { branches: [{ case: false, then: 1 }] } }, 40066],
      [{ $switch: { branches: [] } }, 40068],
      [{ $cond: [1, 2] }, 16020],
      [{ $cond: { if: 1, then: 1 } }, 17082],
      [{ $ifNull: [1] }, 1257300],
    ]);
    expect(errorOf(() => evaluate({ $switch: 1 }))).toEqual([
      40060,
      '$switch requires an object as an argument, found: int',
    ]);
  });
});
