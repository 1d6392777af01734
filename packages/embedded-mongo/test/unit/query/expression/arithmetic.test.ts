import { describe, expect, test } from '@jest/globals';
import { date, decimal, double } from '../../../support/bson-values.js';
import { errorOf, evaluate, expectAll, expectErrors } from '../../../support/evaluate.js';

const MAX_LONG = 9223372036854775807n;

describe('arithmetic', () => {
  test('gives the widest type of its operands and widens before it overflows', () => {
    expectAll([
      [{ $add: [1, 2] }, 'int 3'],
      [{ $add: [2147483647, 1] }, 'long 2147483648'],
      [{ $add: [1, 2n] }, 'long 3'],
      [{ $add: [MAX_LONG, 1] }, 'double 9223372036854776000'],
      [{ $add: [1, double(2)] }, 'double 3'],
      [{ $add: [double(0.1), decimal('0.2')] }, 'decimal 0.3000000000000000055511151231257827'],
      [{ $add: [double(2.5), decimal('1E+3')] }, 'decimal 1002.5'],
      [{ $add: [3, double(0.1), decimal('0')] }, 'decimal 3.100000000000000005551115123125782'],
      [{ $add: [MAX_LONG, double(1.5), decimal('1')] }, 'decimal 9223372036854775809.5'],
      [{ $add: [] }, 'int 0'],
      [{ $subtract: [-2147483648, 1] }, 'long -2147483649'],
      [{ $subtract: [-MAX_LONG - 1n, 1] }, 'double -9223372036854776000'],
      [{ $multiply: [65536, 65536] }, 'long 4294967296'],
      [{ $multiply: [MAX_LONG, 2] }, 'double 18446744073709552000'],
      [{ $multiply: [2, decimal('1.50')] }, 'decimal 3.00'],
      [{ $mod: [7, 4] }, 'int 3'],
      [{ $mod: [-7, 4n] }, 'long -3'],
      [{ $mod: [500000000000n, double(450000000000)] }, 'double 50000000000'],
      [{ $mod: [7.5, 4] }, 'double 3.5'],
      [{ $abs: -2147483648 }, 'long 2147483648'],
    ]);
  });

  test('divides to a double always, or a decimal', () => {
    expectAll([
      [{ $divide: [6, 3] }, 'double 2'],
      [{ $divide: [1n, 4] }, 'double 0.25'],
      [{ $divide: [decimal('1'), 3] }, 'decimal 0.3333333333333333333333333333333333'],
    ]);
    expect(errorOf(() => evaluate({ $divide: [1, '$a'] }, { a: 0 }))).toEqual([16608, "can't $divide by zero"]);
    expectErrors([
      [{ $mod: [1, 0] }, 16610],
      [{ $divide: ['a', 1] }, 14],
      [{ $add: ['a'] }, 16554],
      [{ $multiply: ['a'] }, 14],
      [{ $subtract: ['a', 1] }, 14],
      [{ $abs: 'a' }, 28765],
      [{ $atan2: [1, 'x'] }, 51045],
      [{ $atan2: ['x', null] }, 51044], // the first operand is looked at before the second
      [{ $round: [1, 'x'] }, 16004],
      [{ $trunc: [1, MAX_LONG] }, 51082],
      [{ $round: [1, 101] }, 51083],
      [{ $range: [0, decimal('1E-6176'), 0] }, 34446],
    ]);
  });

  test('adds doubles without losing the small ones', () => {
    expectAll([
      [{ $add: [1e100, 1, -1e100] }, 'double 1'],
      [{ $add: [0.1, 0.2, 0.3] }, 'double 0.6'],
    ]);
  });

  test('moves dates by milliseconds, and subtracts them to a long', () => {
    const on = { d: date('2020-01-01T00:00:00.000Z'), e: date('2020-01-01T00:00:01.000Z') };
    expectAll([
      [{ $add: ['$d', 1000] }, 'date 2020-01-01T00:00:01.000Z', on],
      [{ $subtract: ['$e', '$d'] }, 'long 1000', on],
      [{ $subtract: ['$e', 1000] }, 'date 2020-01-01T00:00:00.000Z', on],
    ]);
    expectErrors([
      [{ $add: ['$d', '$e'] }, 16612, on],
      [{ $subtract: ['$d', 'x'] }, 14, on],
    ]);
  });

  test('of null or a missing field is null', () => {
    expectAll([
      [{ $add: [1, null] }, 'null'],
      [{ $subtract: ['$a', 1] }, 'null'],
      [{ $abs: '$a' }, 'null'],
      [{ $pow: [2, null] }, 'null'],
    ]);
  });

  test('rounds halves to even, at any place, and keeps the type', () => {
    expectAll([
      [{ $round: [2.5] }, 'double 2'],
      [{ $round: [3.5, 0] }, 'double 4'],
      [{ $round: [1.25, 1] }, 'double 1.2'],
      [{ $round: [15, -1] }, 'int 20'],
      [{ $round: [25n, -1] }, 'long 20'],
      [{ $round: [2147483647, -1] }, 'long 2147483650'],
      [{ $round: [decimal('1.005'), 2] }, 'decimal 1.00'],
      [{ $trunc: [decimal('1.298'), 100] }, 'decimal 1.298000000000000000000000000000000'],
      [{ $trunc: [-1.99, 1] }, 'double -1.9'],
      [{ $trunc: [199, -2] }, 'int 100'],
      [{ $ceil: [-1.5] }, 'double -1'],
      [{ $ceil: [7] }, 'int 7'],
      [{ $floor: [decimal('-1.5')] }, 'decimal -2'],
      [{ $floor: [decimal('-Infinity')] }, 'decimal NaN'],
    ]);
    expectErrors([
      [{ $round: [1, 101] }, 51083],
      [{ $round: [1, 1.5] }, 51082],
      [{ $trunc: ['a'] }, 51081],
    ]);
  });

  test('raises to powers in integers while they fit', () => {
    expectAll([
      [{ $pow: [2, 10] }, 'int 1024'],
      [{ $pow: [2, 31] }, 'long 2147483648'],
      [{ $pow: [2, 64] }, 'double 18446744073709552000'],
      [{ $pow: [2, -1] }, 'double 0.5'],
      [{ $pow: [-1, 1000001] }, 'int -1'],
      [{ $pow: [0, 0] }, 'int 1'],
      [{ $pow: [decimal('1.1'), 2] }, 'decimal 1.21'],
      [{ $sqrt: [16] }, 'double 4'],
      [{ $sqrt: [decimal('2')] }, 'decimal 1.414213562373095048801688724209698'],
      [{ $sqrt: [decimal('16')] }, 'decimal 4'],
      [{ $exp: [0] }, 'double 1'],
      [{ $log: [8, 2] }, 'double 3'],
      [{ $log10: [1000] }, 'double 3'],
    ]);
    expectErrors([
      [{ $pow: [0, -1] }, 28764],
      [{ $sqrt: [-1] }, 28714],
      [{ $ln: [0] }, 28766],
      [{ $log: [1, 1] }, 28759],
    ]);
  });

  test('on bits takes ints and longs only', () => {
    expectAll([
      [{ $bitAnd: [6, 3] }, 'int 2'],
      [{ $bitOr: [1, 2n] }, 'long 3'],
      [{ $bitXor: [5, 1] }, 'int 4'],
      [{ $bitNot: 0 }, 'int -1'],
      [{ $bitAnd: [] }, 'int -1'],
    ]);
    expectErrors([[{ $bitAnd: [1.5, 1] }, 14]]);
  });

  test('of angles gives doubles', () => {
    expectAll([
      [{ $sin: 0 }, 'double 0'],
      [{ $degreesToRadians: 180 }, `double ${Math.PI}`],
      [{ $atan2: [1, 0] }, `double ${Math.PI / 2}`],
    ]);
    expectErrors([
      [{ $acos: 2 }, 50989],
      [{ $sin: Infinity }, 50989],
    ]);
  });
});
