import { isUtf8 } from 'node:buffer';
import { BsonType, readInt32 } from './bson-types.js';
import { InvalidBsonError } from './codec.errors.js';
import { formatDecimal128 } from './decimal128.text.js';
import { JsonTextBuffer } from './json-text.buffer.js';

const [QUOTE, CLOSE] = [34, 125] as const;
const text = (value: string) => new Uint8Array(Buffer.from(value));
const INT32 = text('{"$numberInt":"');
const INT64 = text('{"$numberLong":"');
const DOUBLE = text('{"$numberDouble":"');
const DECIMAL = text('{"$numberDecimal":"');
const OBJECT_ID = text('{"$oid":"');
const DATE = text('{"$date":{"$numberLong":"');
const END = text('"}');
const END_END = text('"}}');
const TRUE = text('true');
const FALSE = text('false');
const NULL = text('null');

/** A value that canonical Extended JSON cannot carry: the document around it is written in escaped form instead. */
export const UNCARRIABLE = -1;
const NAN_HIGH_WORD = 0x7ff80000;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const floatWords = new Int32Array(float.buffer);

/** Writes BSON values as canonical Extended JSON, all but documents and arrays. */
export abstract class CanonicalValuesWriter extends JsonTextBuffer {
  protected source: Buffer = Buffer.alloc(0);

  /** Writes the document at `start`; the position after it. */
  protected abstract documentOrEscape(start: number): number;
  /** Writes the array at `start`; the position after it, or UNCARRIABLE. */
  protected abstract array(start: number): number;

  /** Writes the value at `p`; the position after it, or UNCARRIABLE. */
  protected value(type: number, p: number): number {
    switch (type) {
      case BsonType.String:
        return this.string(p);
      case BsonType.Int32:
        this.raw(INT32);
        this.integer(readInt32(this.source, p));
        this.raw(END);
        return p + 4;
      case BsonType.Double:
        return this.double(p);
      case BsonType.ObjectId:
        this.raw(OBJECT_ID);
        this.hex(this.source, p, p + 12);
        this.raw(END);
        return p + 12;
      case BsonType.Date:
        this.raw(DATE);
        this.int64(p);
        this.raw(END_END);
        return p + 8;
      case BsonType.Int64:
        this.raw(INT64);
        this.int64(p);
        this.raw(END);
        return p + 8;
      case BsonType.Boolean: {
        const value = this.source[p]!;
        if (value > 1) return UNCARRIABLE;
        this.raw(value === 1 ? TRUE : FALSE);
        return p + 1;
      }
      case BsonType.Null:
        this.raw(NULL);
        return p;
      case BsonType.Document:
        return this.documentOrEscape(p);
      case BsonType.Array:
        return this.array(p);
      case BsonType.Decimal128: {
        const value = formatDecimal128(this.source, p);
        if (value === undefined) return UNCARRIABLE;
        this.raw(DECIMAL);
        this.ascii(value);
        this.raw(END);
        return p + 16;
      }
      case BsonType.Binary:
        return this.binary(p);
      default:
        return this.rare(type, p);
    }
  }

  private rare(type: number, p: number): number {
    const source = this.source;
    switch (type) {
      case BsonType.Regex: {
        const options = source.indexOf(0, p) + 1;
        const end = source.indexOf(0, options);
        this.ascii('{"$regularExpression":{"pattern":');
        if (!this.quoted(p, options - 1)) return UNCARRIABLE;
        this.ascii(',"options":');
        if (!this.quoted(options, end)) return UNCARRIABLE;
        this.ascii('}}');
        return end + 1;
      }
      case BsonType.Timestamp:
        this.ascii('{"$timestamp":{"t":');
        this.integer(readInt32(source, p + 4) >>> 0);
        this.ascii(',"i":');
        this.integer(readInt32(source, p) >>> 0);
        this.ascii('}}');
        return p + 8;
      case BsonType.Code:
      case BsonType.Symbol:
        this.ascii(type === BsonType.Code ? '{"$code":' : '{"$symbol":');
        p = this.string(p);
        this.out[this.at++] = CLOSE;
        return p;
      case BsonType.CodeWithScope: {
        this.ascii('{"$code":');
        p = this.string(p + 4);
        if (p === UNCARRIABLE) return UNCARRIABLE;
        this.ascii(',"$scope":');
        p = this.documentOrEscape(p);
        this.out[this.at++] = CLOSE;
        return p;
      }
      case BsonType.DBPointer:
        this.ascii('{"$dbPointer":{"$ref":');
        p = this.string(p);
        if (p === UNCARRIABLE) return UNCARRIABLE;
        this.ascii(',"$id":');
        this.raw(OBJECT_ID);
        this.hex(source, p, p + 12);
        this.ascii('"}}}');
        return p + 12;
      case BsonType.Undefined:
        this.ascii('{"$undefined":true}');
        return p;
      case BsonType.MinKey:
        this.ascii('{"$minKey":1}');
        return p;
      case BsonType.MaxKey:
        this.ascii('{"$maxKey":1}');
        return p;
      default:
        throw new InvalidBsonError(`0x${type.toString(16)} is no BSON type`, p);
    }
  }

  /** Writes `source[from, to)` as a JSON string; false where it is not UTF-8. */
  protected quoted(from: number, to: number): boolean {
    this.out[this.at++] = QUOTE;
    const isBeyondAscii = this.escaped(this.source, from, to);
    this.out[this.at++] = QUOTE;
    this.reserve(0);
    return !isBeyondAscii || isUtf8(this.source.subarray(from, to));
  }

  private string(p: number): number {
    const end = p + 4 + readInt32(this.source, p);
    return this.quoted(p + 4, end - 1) ? end : UNCARRIABLE;
  }

  private double(p: number): number {
    for (let i = 0; i < 8; i++) floatBytes[i] = this.source[p + i]!;
    const value = float[0]!;
    if (value !== value && (floatWords[0] !== 0 || floatWords[1] !== NAN_HIGH_WORD)) return UNCARRIABLE;
    this.raw(DOUBLE);
    this.doubleText(value);
    this.raw(END);
    return p + 8;
  }

  protected doubleText(value: number): void {
    if (!Number.isInteger(value)) this.ascii(String(value));
    else if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) {
      this.integer(value);
      this.ascii('.0');
    } else this.ascii(value === 0 ? '-0.0' : value.toFixed(1));
  }

  protected int64(p: number): void {
    const high = readInt32(this.source, p + 4);
    if (high >= -0x200000 && high < 0x200000) this.integer(high * 0x100000000 + (readInt32(this.source, p) >>> 0));
    else this.ascii(String(this.source.readBigInt64LE(p)));
  }

  private binary(p: number): number {
    const source = this.source;
    const length = readInt32(source, p);
    const subtype = source[p + 4]!;
    let start = p + 5;
    const end = start + length;
    if (subtype === 2) {
      // The old binary subtype holds its length once more; Extended JSON leaves it out.
      if (length < 4 || readInt32(source, start) !== length - 4) return UNCARRIABLE;
      start += 4;
    }
    this.ascii('{"$binary":{"base64":"');
    this.base64(start, end);
    this.ascii('","subType":"');
    this.hex(source, p + 4, p + 5);
    this.raw(END_END);
    return end;
  }

  protected base64(from: number, to: number): void {
    const encoded = this.source.toString('base64', from, to);
    this.reserve(encoded.length);
    this.at += this.out.write(encoded, this.at, 'latin1');
  }
}
