import { Decimal128 } from 'bson';

/** A finite decimal: `(-1)^negative × coefficient × 10^exponent`, the coefficient at most 34 digits. */
export interface FiniteDecimal {
  readonly kind: 'finite';
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}

export type DecimalParts =
  FiniteDecimal | { readonly kind: 'infinity'; readonly negative: boolean } | { readonly kind: 'nan' };

const BIAS = 6176;
const MAX_EXPONENT = 6111;
const MIN_EXPONENT = -6176;
const MAX_COEFFICIENT = 10n ** 34n;

const powers: bigint[] = [];
/** 10^n as a bigint; small powers are remembered. */
export const pow10 = (n: number): bigint => (n < 512 ? (powers[n] ??= 10n ** BigInt(n)) : 10n ** BigInt(n));

export const NAN_PARTS: DecimalParts = { kind: 'nan' };
const infinity = (negative: boolean): DecimalParts => ({ kind: 'infinity', negative });
export const finite = (negative: boolean, coefficient: bigint, exponent: number): FiniteDecimal => ({
  kind: 'finite',
  negative,
  coefficient,
  exponent,
});

/** Takes a Decimal128 apart (IEEE 754-2008, binary integer encoding). */
export function decimalParts(decimal: Decimal128): DecimalParts {
  const b = Buffer.from(decimal.bytes.buffer, decimal.bytes.byteOffset, 16);
  const high = b.readBigUInt64LE(8);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return NAN_PARTS;
  if (combination === 0x1e) return infinity(negative);
  if (combination >> 3 === 3) return finite(negative, 0n, Number((high >> 47n) & 0x3fffn) - BIAS); // beyond 34 digits: 0
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | b.readBigUInt64LE(0);
  return finite(negative, coefficient < MAX_COEFFICIENT ? coefficient : 0n, Number((high >> 49n) & 0x3fffn) - BIAS);
}

function divideHalfEven(n: bigint, d: bigint): bigint {
  const q = n / d;
  const twice = (n % d) * 2n;
  return twice > d || (twice === d && (q & 1n) === 1n) ? q + 1n : q;
}

/** Rounds `n / 10^digits` half to even. */
export const shiftRight = (n: bigint, digits: number): bigint => (digits <= 0 ? n : divideHalfEven(n, pow10(digits)));

const digitsOf = (n: bigint): number => n.toString().length;

/** Builds a Decimal128, rounded half to even to 34 digits, overflowing to infinity and underflowing to zero. */
export function toDecimal128(parts: DecimalParts): Decimal128 {
  const b = Buffer.alloc(16);
  if (parts.kind !== 'finite') {
    b[15] = parts.kind === 'nan' ? 0x7c : parts.negative ? 0xf8 : 0x78;
    return new Decimal128(b);
  }
  let { coefficient, exponent } = parts;
  const excess = Math.max(coefficient >= MAX_COEFFICIENT ? digitsOf(coefficient) - 34 : 0, MIN_EXPONENT - exponent);
  if (excess > 0) {
    coefficient = excess > 100 && digitsOf(coefficient) + 1 < excess ? 0n : shiftRight(coefficient, excess);
    exponent += excess;
    if (coefficient === MAX_COEFFICIENT) {
      coefficient /= 10n;
      exponent++;
    }
  }
  if (exponent > MAX_EXPONENT) {
    if (coefficient === 0n) exponent = MAX_EXPONENT;
    else {
      const pad = exponent - MAX_EXPONENT;
      if (pad > 34 || coefficient * pow10(pad) >= MAX_COEFFICIENT) return toDecimal128(infinity(parts.negative));
      coefficient *= pow10(pad);
      exponent = MAX_EXPONENT;
    }
  }
  const high = (parts.negative ? 1n << 63n : 0n) | (BigInt(exponent + BIAS) << 49n) | (coefficient >> 64n);
  b.writeBigUInt64LE(coefficient & 0xffffffffffffffffn, 0);
  b.writeBigUInt64LE(high, 8);
  return new Decimal128(b);
}

const align = (x: FiniteDecimal, exponent: number): bigint => {
  const n = x.coefficient * pow10(x.exponent - exponent);
  return x.negative ? -n : n;
};

const signed = (n: bigint, exponent: number, negativeZero = false): FiniteDecimal =>
  n < 0n ? finite(true, -n, exponent) : finite(n === 0n && negativeZero, n, exponent);

export function addDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN_PARTS;
  if (a.kind === 'infinity') return b.kind === 'infinity' && a.negative !== b.negative ? NAN_PARTS : a;
  if (b.kind === 'infinity') return b;
  const exponent = Math.min(a.exponent, b.exponent);
  return signed(align(a, exponent) + align(b, exponent), exponent, a.negative && b.negative);
}

export const negateDecimal = (a: DecimalParts): DecimalParts =>
  a.kind === 'nan' ? a : { ...a, negative: !a.negative };

export function multiplyDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN_PARTS;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinity' || b.kind === 'infinity') {
    const zero = (x: DecimalParts) => x.kind === 'finite' && x.coefficient === 0n;
    return zero(a) || zero(b) ? NAN_PARTS : infinity(negative);
  }
  return finite(negative, a.coefficient * b.coefficient, a.exponent + b.exponent);
}

/** Division to 34 digits; dividing by zero gives infinity, and NaN for 0/0, as IEEE 754 does. */
export function divideDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN_PARTS;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinity') return b.kind === 'infinity' ? NAN_PARTS : infinity(negative);
  if (b.kind === 'infinity') return finite(negative, 0n, MIN_EXPONENT);
  if (b.coefficient === 0n) return a.coefficient === 0n ? NAN_PARTS : infinity(negative);
  const ideal = a.exponent - b.exponent;
  if (a.coefficient === 0n) return finite(negative, 0n, ideal);
  const shift = Math.max(0, 36 + digitsOf(b.coefficient) - digitsOf(a.coefficient));
  const numerator = a.coefficient * pow10(shift);
  let quotient = numerator / b.coefficient;
  let exponent = ideal - shift;
  if (numerator % b.coefficient !== 0n) return finite(negative, quotient * 10n + 1n, exponent - 1); // sticky digit
  while (exponent < ideal && quotient % 10n === 0n) {
    quotient /= 10n;
    exponent++;
  }
  return finite(negative, quotient, exponent);
}

/** The remainder with the sign of the dividend, as C's fmod. */
export function modDecimals(a: DecimalParts, b: DecimalParts): DecimalParts {
  if (a.kind !== 'finite' || b.kind === 'nan' || (b.kind === 'finite' && b.coefficient === 0n)) return NAN_PARTS;
  if (b.kind === 'infinity') return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const rest = finite(false, a.coefficient * pow10(a.exponent - exponent), 0);
  const by = b.coefficient * pow10(b.exponent - exponent);
  return finite(a.negative, rest.coefficient % by, exponent);
}

/** -1, 0 or 1; NaN is less than everything else and equal to itself, -0 equals 0. */
export function compareDecimals(a: DecimalParts, b: DecimalParts): number {
  if (a.kind === 'nan' || b.kind === 'nan') return a.kind === b.kind ? 0 : a.kind === 'nan' ? -1 : 1;
  if (a.kind === 'infinity' || b.kind === 'infinity') return Math.sign(rank(a) - rank(b));
  const signA = a.coefficient === 0n ? 0 : a.negative ? -1 : 1;
  const signB = b.coefficient === 0n ? 0 : b.negative ? -1 : 1;
  if (signA !== signB) return signA < signB ? -1 : 1;
  if (signA === 0) return 0;
  const magnitude = digitsOf(a.coefficient) + a.exponent - (digitsOf(b.coefficient) + b.exponent);
  if (magnitude !== 0) return Math.sign(magnitude) * signA;
  const exponent = Math.min(a.exponent, b.exponent);
  const x = align(a, exponent);
  const y = align(b, exponent);
  return x < y ? -1 : x > y ? 1 : 0;
}

const rank = (x: DecimalParts): number => (x.kind === 'infinity' ? (x.negative ? -1 : 1) : 0);

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

/** The exact decimal value of a double (it may have far more than 34 digits). */
export function exactDecimal(n: number): DecimalParts {
  if (Number.isNaN(n)) return NAN_PARTS;
  const negative = n < 0 || Object.is(n, -0);
  if (!Number.isFinite(n)) return infinity(negative);
  if (Number.isSafeInteger(n)) return finite(negative, BigInt(Math.abs(n)), 0);
  float[0] = Math.abs(n);
  const raw = bits[0]!;
  const biased = Number(raw >> 52n);
  const mantissa = biased === 0 ? raw & 0xfffffffffffffn : (raw & 0xfffffffffffffn) | 0x10000000000000n;
  const power = (biased === 0 ? 1 : biased) - 1075;
  return power >= 0
    ? finite(negative, mantissa << BigInt(power), 0)
    : finite(negative, mantissa * 5n ** BigInt(-power), power);
}

/** A double as the server makes a decimal of it for arithmetic: rounded to 15 significant digits. */
export function roundedDecimal(n: number): DecimalParts {
  if (!Number.isFinite(n)) return exactDecimal(n);
  const [mantissa, power] = Math.abs(n).toExponential(14).split('e') as [string, string];
  const negative = n < 0 || Object.is(n, -0);
  if (n === 0) return finite(negative, 0n, 0);
  return finite(negative, BigInt(mantissa.replace('.', '')), Number(power) - 14);
}

/** The nearest double. */
export function decimalToNumber(parts: DecimalParts): number {
  if (parts.kind === 'nan') return NaN;
  if (parts.kind === 'infinity') return parts.negative ? -Infinity : Infinity;
  return Number(`${parts.negative ? '-' : ''}${parts.coefficient}e${parts.exponent}`);
}

/** The decimal cut off towards zero, as a bigint; only for finite values. */
export function truncateDecimal(parts: FiniteDecimal): bigint {
  const { coefficient, exponent, negative } = parts;
  const whole = exponent >= 0 ? coefficient * pow10(exponent) : -exponent > 40 ? 0n : coefficient / pow10(-exponent);
  return negative ? -whole : whole;
}

/** The nearest whole number; of two the even one. */
export function roundDecimal({ negative, coefficient, exponent }: FiniteDecimal): bigint {
  const whole = exponent < 0 ? shiftRight(coefficient, -exponent) : coefficient * pow10(exponent);
  return negative ? -whole : whole;
}
