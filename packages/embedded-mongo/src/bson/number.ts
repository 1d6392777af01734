import { Decimal128, Int32 } from 'bson';
import {
  addDecimals,
  compareDecimals,
  type DecimalParts,
  decimalParts,
  decimalToNumber,
  exactDecimal,
  finite,
  multiplyDecimals,
  negateDecimal,
  roundedDecimal,
  toDecimal128,
  truncateDecimal,
} from './decimal.js';
import { int32, type Value } from './value.js';

/** A value of one of BSON's four number types. */
export type Numeric = number | Int32 | bigint | Decimal128;

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;

export const isNumeric = (value: Value | undefined): value is Numeric =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128;

/** The nearest double. */
export function toNumber(n: Numeric): number {
  if (typeof n === 'number') return n;
  if (n instanceof Int32) return n.value;
  return typeof n === 'bigint' ? Number(n) : decimalToNumber(decimalParts(n));
}

export const isNaNValue = (n: Value | undefined): boolean =>
  typeof n === 'number' ? n !== n : n instanceof Decimal128 && decimalParts(n).kind === 'nan';

const integerOf = (n: Int32 | bigint): bigint => (typeof n === 'bigint' ? n : BigInt(n.value));

function integerParts(n: Int32 | bigint): DecimalParts {
  const whole = integerOf(n);
  return finite(whole < 0n, whole < 0n ? -whole : whole, 0);
}

/** The number as a decimal for arithmetic: a double is rounded to 15 digits, as the server does. */
export const asDecimal = (n: Numeric): DecimalParts =>
  n instanceof Decimal128 ? decimalParts(n) : typeof n === 'number' ? roundedDecimal(n) : integerParts(n);

const exactOf = (n: Numeric): DecimalParts => (typeof n === 'number' ? exactDecimal(n) : asDecimal(n));

/** Compares numbers of any types exactly: NaN is below all others and equals itself, -0 equals 0. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const x = a instanceof Int32 ? a.value : a;
  const y = b instanceof Int32 ? b.value : b;
  if (typeof x === 'number' && typeof y === 'number') {
    if (x < y) return -1;
    if (x > y) return 1;
    if (x === y) return 0;
    return x !== x ? (y !== y ? 0 : -1) : 1;
  }
  if (typeof x === 'bigint' && typeof y === 'bigint') return x < y ? -1 : x > y ? 1 : 0;
  // JavaScript compares a bigint with a number exactly.
  if (typeof x === 'bigint' && typeof y === 'number') return y !== y ? 1 : x < y ? -1 : x > y ? 1 : 0;
  if (typeof x === 'number' && typeof y === 'bigint') return x !== x ? -1 : x < y ? -1 : x > y ? 1 : 0;
  return compareDecimals(exactOf(x), exactOf(y));
}

/** An integer in the smaller type that holds it, at least as wide as `wide` asks; `undefined` past 64 bits. */
function integer(n: bigint, wide: boolean): Numeric | undefined {
  if (!wide && n >= -2147483648n && n <= 2147483647n) return int32(Number(n));
  return n >= INT64_MIN && n <= INT64_MAX ? n : undefined;
}

function arithmetic(
  a: Numeric,
  b: Numeric,
  decimals: (a: DecimalParts, b: DecimalParts) => DecimalParts,
  doubles: (a: number, b: number) => number,
  integers: (a: bigint, b: bigint) => bigint,
): Numeric | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) return toDecimal128(decimals(asDecimal(a), asDecimal(b)));
  if (typeof a === 'number' || typeof b === 'number') return doubles(toNumber(a), toNumber(b));
  if (a instanceof Int32 && b instanceof Int32) {
    const small = doubles(a.value, b.value);
    if (small === (small | 0)) return int32(small | 0);
  }
  return integer(integers(integerOf(a), integerOf(b)), typeof a === 'bigint' || typeof b === 'bigint');
}

/**
 * Sum with MongoDB's promotion: decimal over double over int64 over int32; an int32 overflow widens to int64.
 * @returns `undefined` when an int64 result overflows: an error in `$inc`, a double in the expressions
 */
export const add = (a: Numeric, b: Numeric): Numeric | undefined =>
  arithmetic(
    a,
    b,
    addDecimals,
    (x, y) => x + y,
    (x, y) => x + y,
  );

/** Difference; promotion and overflow as in `add`. */
export const subtract = (a: Numeric, b: Numeric): Numeric | undefined =>
  arithmetic(
    a,
    b,
    (x, y) => addDecimals(x, negateDecimal(y)),
    (x, y) => x - y,
    (x, y) => x - y,
  );

/** Product; promotion and overflow as in `add`. */
export const multiply = (a: Numeric, b: Numeric): Numeric | undefined =>
  arithmetic(
    a,
    b,
    multiplyDecimals,
    (x, y) => x * y,
    (x, y) => x * y,
  );

/** The number cut off towards zero to an int64; `undefined` for NaN, infinities and what does not fit. */
export function toInt64(n: Numeric): bigint | undefined {
  if (typeof n === 'bigint') return n;
  if (n instanceof Int32) return BigInt(n.value);
  const parts = n instanceof Decimal128 ? decimalParts(n) : undefined;
  if (parts && parts.kind !== 'finite') return undefined;
  if (typeof n === 'number' && !Number.isFinite(n)) return undefined;
  const whole = parts ? truncateDecimal(parts) : BigInt(Math.trunc(n as number));
  return whole >= INT64_MIN && whole <= INT64_MAX ? whole : undefined;
}

/** The number as an int64 when it is a whole number that fits; `undefined` otherwise. */
export function toExactInt64(n: Numeric): bigint | undefined {
  const whole = toInt64(n);
  return whole !== undefined && compareNumbers(whole, n) === 0 ? whole : undefined;
}
