import { Decimal128, Int32 } from 'bson';
import {
  compareDecimals,
  type DecimalParts,
  decimalParts,
  divideDecimals,
  finite,
  multiplyDecimals,
  pow10,
  toDecimal128,
} from '../../bson/decimal.js';
import { asDecimal, INT64_MAX, INT64_MIN, toExactInt64, toNumber, type Numeric } from '../../bson/number.js';
import { int32 } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { displayDouble } from './display.js';

const ZERO = finite(false, 0n, 0);
const ONE = finite(false, 1n, 0);

/** A decimal of a function that is computed as a double: right to about 15 digits, not to 34 as MongoDB's. */
export const decimalOf = (value: number): Decimal128 =>
  Decimal128.fromStringWithRounding(
    Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? 'Infinity' : '-Infinity',
  );

/** Applies a function of doubles: a decimal gives a decimal, every other type a double. */
export const inDoubles = (value: Numeric, evaluate: (value: number) => number): number | Decimal128 =>
  value instanceof Decimal128 ? decimalOf(evaluate(toNumber(value))) : evaluate(toNumber(value));

export const exponential = (value: Numeric): Numeric => inDoubles(value, Math.exp);

function assertPositive(value: number, code: number, whose: string): void {
  if (value > 0 || Number.isNaN(value)) return;
  throw new CommandError(code, `${whose} argument must be a positive number, but is ${displayDouble(value)}`);
}

export function naturalLogarithm(value: Numeric): Numeric {
  assertPositive(toNumber(value), 28766, "$ln's");
  return inDoubles(value, Math.log);
}

export function logarithm(
  value: Numeric,
  base: Numeric,
  [code, whose] = [28758, "$log's"] as [number, string],
): Numeric {
  const [x, b] = [toNumber(value), toNumber(base)];
  assertPositive(x, code, whose);
  if (!(b > 0 && b !== 1) && !Number.isNaN(b)) {
    throw new CommandError(28759, `$log's base must be a positive number not equal to 1, but is ${displayDouble(b)}`);
  }
  const result = b === 10 ? Math.log10(x) : b === 2 ? Math.log2(x) : Math.log(x) / Math.log(b);
  return value instanceof Decimal128 || base instanceof Decimal128 ? decimalOf(result) : result;
}

export function squareRoot(value: Numeric): Numeric {
  if (toNumber(value) < 0) throw new CommandError(28714, "$sqrt's argument must be greater than or equal to 0");
  return value instanceof Decimal128 ? toDecimal128(decimalRoot(decimalParts(value))) : Math.sqrt(toNumber(value));
}

function decimalRoot(value: DecimalParts): DecimalParts {
  if (value.kind !== 'finite' || value.coefficient === 0n) return value;
  const shift = 72 + (Math.abs(value.exponent) % 2);
  const exponent = (value.exponent - shift) / 2;
  const scaled = value.coefficient * pow10(shift);
  let root = integerRoot(scaled);
  if (root * root !== scaled) return finite(false, root, exponent);
  let scale = exponent;
  while (scale < Math.ceil(value.exponent / 2) && root % 10n === 0n) {
    root /= 10n;
    scale++;
  }
  return finite(false, root, scale);
}

function integerRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** A power: an integer while base and exponent are and it fits, else a double; decimals give a decimal. */
export function power(base: Numeric, exponent: Numeric): Numeric {
  const [b, e] = [toNumber(base), toNumber(exponent)];
  if (b === 0 && e < 0) throw new CommandError(28764, '$pow cannot take a base of 0 and a negative exponent');
  if (base instanceof Decimal128 || exponent instanceof Decimal128) return decimalPower(base, exponent);
  if (typeof base === 'number' || typeof exponent === 'number') return b ** e;
  if (e < 0 && b !== 1 && b !== -1) return b ** e;
  if (e > 63 && Math.abs(b) > 1) return b ** e;
  const whole = BigInt(base.valueOf());
  const times = BigInt(exponent.valueOf());
  const result = Math.abs(b) <= 1 ? (times % 2n === 0n ? whole * whole : whole) : whole ** times;
  const exact = times === 0n ? 1n : result;
  if (exact < INT64_MIN || exact > INT64_MAX) return b ** e;
  const isInt = base instanceof Int32 && exponent instanceof Int32 && exact >= -0x8000_0000n && exact <= 0x7fff_ffffn;
  return isInt ? int32(Number(exact)) : exact;
}

function decimalPower(base: Numeric, exponent: Numeric): Decimal128 {
  const whole = toExactInt64(exponent);
  if (whole === undefined || whole > 10_000n || whole < -10_000n) {
    return decimalOf(toNumber(base) ** toNumber(exponent));
  }
  let result: DecimalParts = ONE;
  let square: DecimalParts = asDecimal(base);
  for (let rest = whole < 0n ? -whole : whole; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = trim(multiplyDecimals(result, square));
    square = trim(multiplyDecimals(square, square));
  }
  return toDecimal128(whole < 0n && compareDecimals(result, ZERO) !== 0 ? divideDecimals(ONE, result) : result);
}

const trim = (value: DecimalParts): DecimalParts => decimalParts(toDecimal128(value));
