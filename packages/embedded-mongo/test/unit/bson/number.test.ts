import { describe, expect, test } from '@jest/globals';
import { Decimal128 } from 'bson';
import fc from 'fast-check';
import { decimalParts, divideDecimals, modDecimals, toDecimal128 } from '../../../src/bson/decimal.js';
import { add, asDecimal, multiply, type Numeric, subtract, toExactInt64, toInt64 } from '../../../src/bson/number.js';
import { int32, typeName } from '../../../src/bson/value.js';

const decimal = (text: string) => new Decimal128(text);
const shown = (n: Numeric | undefined): string =>
  n === undefined ? 'overflow' : `${typeName(n)} ${Object.is(n, -0) ? '-0' : String(n)}`;

describe('arithmetic', () => {
  test.each<[string, Numeric | undefined, string]>([
    ['int and int', add(int32(2), int32(3)), 'int 5'],
    ['int past its range', add(int32(2147483647), int32(1)), 'long 2147483648'],
    ['int and long', add(int32(1), 2n), 'long 3'],
    ['long past its range', add(2n ** 63n - 1n, int32(1)), 'overflow'],
    ['long below its range', subtract(-(2n ** 63n), 1n), 'overflow'],
    ['int and double', add(int32(1), 0.5), 'double 1.5'],
    ['long and double', multiply(3n, 0.5), 'double 1.5'],
    ['products of ints past their range', multiply(int32(65536), int32(65536)), 'long 4294967296'],
    ['a product that is negative zero', multiply(0, -1), 'double -0'],
    ['an int product is never negative zero', multiply(int32(0), int32(-1)), 'int 0'],
    ['decimals exactly', add(decimal('0.1'), decimal('0.2')), 'decimal 0.3'],
    ['a decimal keeps its zeros', add(decimal('1.10'), decimal('2.200')), 'decimal 3.300'],
    ['a double as a decimal of 15 digits', add(0.1, decimal('0')), 'decimal 0.100000000000000'],
    [
      '34 digits, half to even',
      add(decimal('1E+34'), decimal('0.5')),
      'decimal 1.000000000000000000000000000000000E+34',
    ],
    ['decimal overflow', multiply(decimal('9E+6144'), decimal('10')), 'decimal Infinity'],
    ['infinity less infinity', subtract(decimal('Infinity'), decimal('Infinity')), 'decimal NaN'],
  ])('%s', (_title, result, expected) => {
    expect(shown(result)).toBe(expected);
  });

  test('decimals agree with exact fractions', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        (a, b) => {
          const scaled = (n: bigint) => decimal(`${n}E-6`);
          expect(decimalParts(add(scaled(a), scaled(b)) as Decimal128)).toEqual(decimalParts(decimal(`${a + b}E-6`)));
          expect(decimalParts(multiply(scaled(a), scaled(b)) as Decimal128)).toMatchObject({
            coefficient: a * b < 0n ? -a * b : a * b,
            exponent: -12,
          });
        },
      ),
    );
  });

  test.each([
    ['1', '3', '0.3333333333333333333333333333333333'],
    ['2', '3', '0.6666666666666666666666666666666667'],
    ['10', '4', '2.5'],
    ['100', '10', '10'],
    ['1', '0', 'Infinity'],
    ['0', '0', 'NaN'],
  ])('%s / %s is %s', (a, b, expected) => {
    expect(toDecimal128(divideDecimals(asDecimal(decimal(a)), asDecimal(decimal(b)))).toString()).toBe(expected);
  });

  test('the remainder has the sign of the dividend', () => {
    const rest = (a: string, b: string) =>
      toDecimal128(modDecimals(asDecimal(decimal(a)), asDecimal(decimal(b)))).toString();
    expect([rest('-7', '3'), rest('7', '-3'), rest('7.5', '2'), rest('1', '0')]).toEqual(['-1', '1', '1.5', 'NaN']);
  });

  test('a Decimal128 survives being taken apart, canonical or not', () => {
    for (const text of [
      '0',
      '-0',
      '1E-6176',
      '9.999999999999999999999999999999999E+6144',
      '-1.5',
      'NaN',
      'Infinity',
      '-Infinity',
      '0E+6111',
    ]) {
      expect(toDecimal128(decimalParts(decimal(text))).toString()).toBe(text);
    }
    expect(toDecimal128(decimalParts(new Decimal128(Buffer.alloc(16, 0x6f)))).toString()).toMatch(/^0E/);
  });
});

describe('conversion to int64', () => {
  test('cuts off towards zero, and refuses what does not fit', () => {
    expect([
      toInt64(-1.9),
      toInt64(decimal('-1.9')),
      toInt64(2 ** 63),
      toInt64(NaN),
      toInt64(decimal('1E+30')),
    ]).toEqual([-1n, -1n, undefined, undefined, undefined]);
  });

  test('exactly takes whole numbers only', () => {
    expect([toExactInt64(5), toExactInt64(5.5), toExactInt64(decimal('5.0')), toExactInt64(int32(5))]).toEqual([
      5n,
      undefined,
      5n,
      5n,
    ]);
  });
});
