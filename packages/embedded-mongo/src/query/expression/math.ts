import { Decimal128, Int32 } from 'bson';
import {
  compareDecimals,
  type DecimalParts,
  decimalParts,
  divideDecimals,
  exactDecimal,
  finite,
  type FiniteDecimal,
  multiplyDecimals,
  NAN_PARTS,
  negateDecimal,
  pow10,
  toDecimal128,
} from '../../bson/decimal.js';
import { asDecimal, INT64_MAX, INT64_MIN, toExactInt64, toNumber, type Numeric } from '../../bson/number.js';
import { int32 } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { exp, ln, log, log10, padded, powerOf } from './decimal.functions.js';
import { displayDouble } from './display.js';
import { UNIT } from './fixed-point.js';

const ZERO = finite(false, 0n, 0);
const ONE = finite(false, 1n, 0);

const decimalOf = (value: number): Decimal128 => toDecimal128(exactDecimal(value));

/** The nearest double; of a decimal that is too large or small for one, the largest or smallest there is. */
export function nearestDouble(value: Numeric): number {
  const double = toNumber(value);
  if (!(value instanceof Decimal128)) return double;
  const parts = decimalParts(value);
  if (parts.kind !== 'finite' || parts.coefficient === 0n) return double;
  const size = Math.min(Math.max(Math.abs(double), Number.MIN_VALUE), Number.MAX_VALUE);
  return parts.negative ? -size : size;
}

/** Applies a function: to a decimal in decimals, to every other type as a double. */
export function inOwnType(
  value: Numeric,
  ofDouble: (value: number) => number,
  ofDecimal: (value: FiniteDecimal) => DecimalParts,
): number | Decimal128 {
  if (!(value instanceof Decimal128)) return ofDouble(toNumber(value));
  const parts = decimalParts(value);
  return parts.kind === 'finite' ? toDecimal128(ofDecimal(parts)) : decimalOf(ofDouble(toNumber(value)));
}

export const exponential = (value: Numeric): Numeric => inOwnType(value, Math.exp, exp);

function assertPositive(value: number, code: number, whose: string): void {
  if (value > 0 || Number.isNaN(value)) return;
  throw new CommandError(code, `${whose} argument must be a positive number, but is ${displayDouble(value)}`);
}

export function naturalLogarithm(value: Numeric): Numeric {
  assertPositive(nearestDouble(value), 28766, "$ln's");
  return inOwnType(value, Math.log, ln);
}

export function logarithm(
  value: Numeric,
  base: Numeric,
  [code, whose] = [28758, "$log's"] as [number, string],
): Numeric {
  const [x, b] = [nearestDouble(value), nearestDouble(base)];
  assertPositive(x, code, whose);
  if (!(b > 0 && b !== 1) && !Number.isNaN(b)) {
    throw new CommandError(28759, `$log's base must be a positive number not equal to 1, but is ${displayDouble(b)}`);
  }
  const result = b === 10 ? Math.log10(x) : b === 2 ? Math.log2(x) : Math.log(x) / Math.log(b);
  if (!(value instanceof Decimal128 || base instanceof Decimal128)) return result;
  const [number, of] = [asDecimal(value), asDecimal(base)];
  if (number.kind !== 'finite' || of.kind !== 'finite') return decimalOf(Math.log(toNumber(value)) / Math.log(b));
  return toDecimal128(b === 10 ? log10(number) : log(number, of));
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
  const [of, times] = [asDecimal(base), asDecimal(exponent)];
  if (of.kind !== 'finite' || times.kind !== 'finite') return decimalOf(toNumber(base) ** toNumber(exponent));
  if (times.coefficient === 0n) return toDecimal128(padded(UNIT));
  if (whole === undefined || whole > 10_000n || whole < -10_000n) {
    if (of.coefficient === 0n) return decimalOf(0);
    if (of.negative && whole === undefined) return toDecimal128(NAN_PARTS);
    const result = powerOf({ ...of, negative: false }, times);
    return toDecimal128(of.negative && whole! % 2n !== 0n ? negateDecimal(result) : result);
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
