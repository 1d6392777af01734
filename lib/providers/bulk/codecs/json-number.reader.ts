import { BsonType } from './bson-types.js';
import { INCOMPLETE, JsonCursor } from './json-cursor.js';

const [QUOTE, MINUS, PLUS, DOT, ZERO, NINE, LOWER_E, UPPER_E] = [34, 45, 43, 46, 48, 57, 101, 69] as const;
const MAX_SAFE_DIGITS = 15;
const INT32_MAX = 0x7fffffff;
const INT64_MAX = 2n ** 63n - 1n;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const DOUBLE_TEXT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** Digits of an int64 and its sign. */
const MAX_INT64_TEXT = 20;
/** The longest text of a number, a date or another short value. A double has at most 1,077 digits. */
const MAX_SCALAR_TEXT = 4096;
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Reads numbers from JSON text into BSON bytes. */
export class JsonNumberReader extends JsonCursor {
  /**
   * A bare number, as relaxed Extended JSON has it: the smallest of int32, int64 and double that holds it exactly;
   * with a point, an exponent or as `-0` it is a double.
   * @returns the BSON type written
   */
  protected bareNumber(): number {
    const { text, pos: start } = this;
    let pos = start;
    let isInteger = true;
    for (let c = text[pos]!; ; c = text[++pos]!) {
      if ((c >= ZERO && c <= NINE) || c === MINUS) continue;
      if (c !== DOT && c !== LOWER_E && c !== UPPER_E && c !== PLUS) break;
      isInteger = false;
    }
    if (pos - start > MAX_SCALAR_TEXT) this.fail(`a number of more than ${MAX_SCALAR_TEXT} characters`, start);
    if (pos >= this.end) throw INCOMPLETE;
    const source = text.toString('latin1', start, pos);
    if (!JSON_NUMBER.test(source)) this.fail(`${source.slice(0, 40)} is not a number`, start);
    this.pos = pos;
    const value = Number(source);
    if (isInteger && source !== '-0') {
      if (value <= INT32_MAX && value >= -INT32_MAX - 1) {
        this.writeInt32(value);
        return BsonType.Int32;
      }
      const integer = source.length <= MAX_INT64_TEXT ? BigInt(source) : INT64_MAX + 1n;
      if (integer <= INT64_MAX && integer >= -INT64_MAX - 1n) {
        this.at = this.out.writeBigInt64LE(integer, this.at);
        return BsonType.Int64;
      }
    }
    this.writeDouble(value);
    return BsonType.Double;
  }

  /** The integer in the string that comes next, written as int32. */
  protected quotedInt32(): void {
    const start = this.openQuotes();
    const value = this.shortInteger(start);
    if (value !== value || value > INT32_MAX || value < -INT32_MAX - 1) this.fail('$numberInt wants an int32', start);
    this.writeInt32(value);
  }

  /** The integer in the string that comes next, written as int64. */
  protected quotedInt64(): void {
    const start = this.openQuotes();
    const value = this.shortInteger(start);
    if (value === value) return this.writeInt64(value);
    const source = this.restOfString(start);
    const integer = /^-?\d{1,20}$/.test(source) ? BigInt(source) : INT64_MAX + 1n;
    if (integer > INT64_MAX || integer < -INT64_MAX - 1n) this.fail('$numberLong wants an int64', start);
    this.at = this.out.writeBigInt64LE(integer, this.at);
  }

  /** The number in the string that comes next, written as a double. */
  protected quotedDouble(): void {
    const start = this.openQuotes();
    const short = this.shortDecimal(start);
    if (short === short) return this.writeDouble(short);
    const source = this.restOfString(start);
    const isNamed = source === 'Infinity' || source === '-Infinity' || source === 'NaN';
    if (!isNamed && !DOUBLE_TEXT.test(source)) this.fail('$numberDouble wants a number', start);
    this.writeDouble(Number(source));
  }

  protected openQuotes(): number {
    if (this.text[this.pos] !== QUOTE) this.expect(QUOTE);
    else this.pos++;
    return this.pos;
  }

  /** The string that begins at `start`, and the cursor after it. For strings without escapes. */
  protected restOfString(start: number, maxLength = MAX_SCALAR_TEXT): string {
    this.pos = this.closingQuote(start, maxLength) + 1;
    return this.text.toString('latin1', start, this.pos - 1);
  }

  /** Where the string that begins at `start` ends. */
  protected closingQuote(start: number, maxLength: number): number {
    const { text, end } = this;
    const last = Math.min(end, start + maxLength);
    let pos = start;
    while (pos < last && text[pos] !== QUOTE) pos++;
    if (text[pos] === QUOTE) return pos;
    if (pos === end) throw INCOMPLETE;
    return this.fail(`a value of more than ${maxLength} characters`, start);
  }

  /** The integer up to the closing quote, which is read as well; NaN (and nothing read) where it is not a short one. */
  private shortInteger(start: number): number {
    const { text } = this;
    const isNegative = text[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let pos = first;
    let value = 0;
    for (; text[pos]! >= ZERO && text[pos]! <= NINE; pos++) value = value * 10 + (text[pos]! - ZERO);
    if (text[pos] !== QUOTE || pos === first || pos - first > MAX_SAFE_DIGITS) {
      if (pos >= this.end && pos - first <= MAX_SAFE_DIGITS) throw INCOMPLETE;
      return NaN;
    }
    this.pos = pos + 1;
    return isNegative ? 0 - value : value;
  }

  /**
   * As `shortInteger`, with a point. Both the digits and the power of ten are exact as doubles, so that one division
   * rounds correctly (W. D. Clinger, "How to Read Floating Point Numbers Accurately").
   */
  private shortDecimal(start: number): number {
    const { text } = this;
    const isNegative = text[start] === MINUS;
    let pos = isNegative ? start + 1 : start;
    let digits = 0;
    let value = 0;
    let point = -1;
    for (; ; pos++) {
      const c = text[pos]!;
      if (c >= ZERO && c <= NINE) {
        value = value * 10 + (c - ZERO);
        digits++;
      } else if (c === DOT && point < 0) point = pos;
      else break;
    }
    if (text[pos] !== QUOTE || digits === 0 || digits > MAX_SAFE_DIGITS) {
      if (pos >= this.end && digits <= MAX_SAFE_DIGITS) throw INCOMPLETE;
      return NaN;
    }
    this.pos = pos + 1;
    if (point >= 0) value /= POWERS_OF_TEN[pos - point - 1]!;
    return isNegative ? -value : value;
  }

  protected writeInt32(value: number): void {
    const out = this.out;
    const at = this.at;
    out[at] = value;
    out[at + 1] = value >>> 8;
    out[at + 2] = value >>> 16;
    out[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  /** Writes an integer within ±2^53. */
  protected writeInt64(value: number): void {
    const high = Math.floor(value / 0x100000000);
    this.writeInt32((value - high * 0x100000000) | 0);
    this.writeInt32(high);
  }

  private writeDouble(value: number): void {
    float[0] = value;
    const { out, at } = this;
    for (let i = 0; i < 8; i++) out[at + i] = floatBytes[i]!;
    this.at = at + 8;
  }
}
