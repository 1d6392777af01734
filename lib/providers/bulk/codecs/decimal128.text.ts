import mongoose from 'mongoose';
import { readInt32 } from './bson-types.js';

/** The driver's own; the package `bson` beside it would take 17 MB more. */
const { Decimal128 } = mongoose.mongo;

const EXPONENT_BIAS = 6176;
const EXPONENT_MAX = 6111;
/** Coefficients below 2^53 are handled as plain numbers; their upper word is below this. */
const SAFE_HIGH_WORD = 0x200000;
const MAX_SAFE_DIGITS = 15;

const [MINUS, PLUS, DOT, ZERO, NINE, UPPER_E, LOWER_E] = [45, 43, 46, 48, 57, 69, 101];

/**
 * The text of the Decimal128 at `at`, in the form of the BSON Decimal128 specification, or undefined where no text
 * brings back the same sixteen bytes (a NaN with a payload, a coefficient that is not canonical).
 */
export function formatDecimal128(bytes: Buffer, at: number): string | undefined {
  const top = readInt32(bytes, at + 12);
  const high = readInt32(bytes, at + 4) >>> 0;
  const isPlain = ((top >>> 29) & 3) !== 3 && high < SAFE_HIGH_WORD && (top & 0x1ffff) === 0;
  if (isPlain && readInt32(bytes, at + 8) === 0) {
    const coefficient = high * 0x100000000 + (readInt32(bytes, at) >>> 0);
    const exponent = ((top >>> 17) & 0x3fff) - EXPONENT_BIAS;
    const text = place(String(coefficient), exponent);
    return top < 0 ? `-${text}` : text;
  }
  const own = Buffer.from(bytes.subarray(at, at + 16));
  const text = new Decimal128(own).toString();
  const back = Buffer.alloc(16);
  return parseAny(text, back, 0) && own.equals(back) ? text : undefined;
}

/** Digits × 10^exponent: plain where the specification allows it, else with one digit before the point. */
function place(digits: string, exponent: number): string {
  const adjusted = digits.length - 1 + exponent;
  if (exponent > 0 || adjusted < -6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits[0]}${fraction}E${adjusted < 0 ? '' : '+'}${adjusted}`;
  }
  if (exponent === 0) return digits;
  const point = digits.length + exponent;
  if (point > 0) return `${digits.slice(0, point)}.${digits.slice(point)}`;
  return `0.${'0'.repeat(-point)}${digits}`;
}

/**
 * Writes the sixteen bytes of the decimal in `text[from, to)` at `at`.
 * @returns false where it is not a decimal, or not exactly representable in 34 digits
 */
export function parseDecimal128(text: Buffer, from: number, to: number, out: Buffer, at: number): boolean {
  return parseShort(text, from, to, out, at) || parseAny(text.toString('latin1', from, to), out, at);
}

/** The common case: at most fifteen digits and an exponent in range. */
function parseShort(text: Buffer, from: number, to: number, out: Buffer, at: number): boolean {
  let p = from;
  const isNegative = text[p] === MINUS;
  if (isNegative) p++;
  let coefficient = 0;
  let digits = 0;
  let fraction = 0;
  let seenPoint = false;
  for (; p < to; p++) {
    const c = text[p]!;
    if (c >= ZERO! && c <= NINE!) {
      coefficient = coefficient * 10 + (c - ZERO!);
      digits++;
      if (seenPoint) fraction++;
    } else if (c === DOT && !seenPoint) seenPoint = true;
    else break;
  }
  if (digits === 0 || digits > MAX_SAFE_DIGITS) return false;
  let exponent = 0;
  if (p < to) {
    if (text[p] !== UPPER_E && text[p] !== LOWER_E) return false;
    p++;
    const isBelow = text[p] === MINUS;
    if (isBelow || text[p] === PLUS) p++;
    const start = p;
    for (; p < to && text[p]! >= ZERO! && text[p]! <= NINE!; p++) exponent = exponent * 10 + (text[p]! - ZERO!);
    if (p < to || p === start || p - start > 5) return false;
    if (isBelow) exponent = -exponent;
  }
  exponent -= fraction;
  if (exponent < -EXPONENT_BIAS || exponent > EXPONENT_MAX) return false;
  out.writeUInt32LE(coefficient % 0x100000000, at);
  out.writeUInt32LE(Math.floor(coefficient / 0x100000000), at + 4);
  out.writeUInt32LE(0, at + 8);
  out.writeInt32LE(((exponent + EXPONENT_BIAS) << 17) | (isNegative ? 0x80000000 : 0), at + 12);
  return true;
}

function parseAny(text: string, out: Buffer, at: number): boolean {
  try {
    out.set(Decimal128.fromString(text).bytes, at);
    return true;
  } catch {
    return false;
  }
}
