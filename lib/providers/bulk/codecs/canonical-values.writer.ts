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
  protected abstract documentOrEscape(start: number, limit: number, nesting: number): number;
  /** Writes the array at `start`; the position after it, or UNCARRIABLE. */
  protected abstract array(start: number, limit: number, nesting: number): number;

  /** Writes the value at `p`, which must end by `limit`. */
  protected value(type: number, p: number, limit: number, nesting: number): number {
    switch (type) {
      case BsonType.String:
        return this.string(p, limit);
      case BsonType.Int32:
        this.need(p, 4, limit);
        this.raw(INT32);
        this.integer(readInt32(this.source, p));
        this.raw(END);
        return p + 4;
      case BsonType.Double:
        return this.double(p, limit);
      case BsonType.ObjectId:
        this.need(p, 12, limit);
        this.raw(OBJECT_ID);
        this.hex(this.source, p, p + 12);
        this.raw(END);
        return p + 12;
      case BsonType.Date:
        this.need(p, 8, limit);
        this.raw(DATE);
        this.int64(p);
        this.raw(END_END);
        return p + 8;
      case BsonType.Int64:
        this.need(p, 8, limit);
        this.raw(INT64);
        this.int64(p);
        this.raw(END);
        return p + 8;
      case BsonType.Boolean: {
        this.need(p, 1, limit);
        const value = this.source[p]!;
        if (value > 1) return UNCARRIABLE;
        this.raw(value === 1 ? TRUE : FALSE);
        return p + 1;
      }
      case BsonType.Null:
        this.raw(NULL);
        return p;
      case BsonType.Document:
        return this.documentOrEscape(p, limit, nesting + 1);
      case BsonType.Array:
        return this.array(p, limit, nesting + 1);
      case BsonType.Decimal128: {
        this.need(p, 16, limit);
        const value = formatDecimal128(this.source, p);
        if (value === undefined) return UNCARRIABLE;
        this.raw(DECIMAL);
        this.ascii(value);
        this.raw(END);
        return p + 16;
      }
      case BsonType.Binary:
        return this.binary(p, limit);
      default:
        return this.rare(type, p, limit, nesting);
    }
  }

  private rare(type: number, p: number, limit: number, nesting: number): number {
    const source = this.source;
    switch (type) {
      case BsonType.Regex: {
        const options = this.endOfCString(p, limit) + 1;
        const end = this.endOfCString(options, limit);
        this.ascii('{"$regularExpression":{"pattern":');
        if (!this.quoted(p, options - 1)) return UNCARRIABLE;
        this.ascii(',"options":');
        if (!this.quoted(options, end)) return UNCARRIABLE;
        this.ascii('}}');
        return end + 1;
      }
      case BsonType.Timestamp:
        this.need(p, 8, limit);
        this.ascii('{"$timestamp":{"t":');
        this.integer(readInt32(source, p + 4) >>> 0);
        this.ascii(',"i":');
        this.integer(readInt32(source, p) >>> 0);
        this.ascii('}}');
        return p + 8;
      case BsonType.Code:
      case BsonType.Symbol:
        this.ascii(type === BsonType.Code ? '{"$code":' : '{"$symbol":');
        p = this.string(p, limit);
        this.out[this.at++] = CLOSE;
        return p;
      case BsonType.CodeWithScope: {
        this.need(p, 4, limit);
        const end = p + readInt32(source, p);
        this.ascii('{"$code":');
        p = this.string(p + 4, limit);
        if (p === UNCARRIABLE) return UNCARRIABLE;
        this.ascii(',"$scope":');
        p = this.documentOrEscape(p, limit, nesting + 1);
        this.out[this.at++] = CLOSE;
        if (p !== end) throw new InvalidBsonError('code with scope has another length than it says', p);
        return p;
      }
      case BsonType.DBPointer:
        this.ascii('{"$dbPointer":{"$ref":');
        p = this.string(p, limit);
        if (p === UNCARRIABLE) return UNCARRIABLE;
        this.need(p, 12, limit);
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

  private need(p: number, bytes: number, limit: number): void {
    if (p + bytes > limit) throw new InvalidBsonError('a value runs over the end of its document', p);
  }

  private endOfCString(p: number, limit: number): number {
    const end = this.source.indexOf(0, p);
    if (end < 0 || end >= limit) throw new InvalidBsonError('a string does not end', p);
    return end;
  }

  /** Writes `source[from, to)` as a JSON string; false where it is not UTF-8. */
  protected quoted(from: number, to: number): boolean {
    this.out[this.at++] = QUOTE;
    const isBeyondAscii = this.escaped(this.source, from, to);
    this.out[this.at++] = QUOTE;
    this.reserve(0);
    return !isBeyondAscii || isUtf8(this.source.subarray(from, to));
  }

  private string(p: number, limit: number): number {
    this.need(p, 5, limit);
    const length = readInt32(this.source, p);
    const end = p + 4 + length;
    if (length < 1 || end > limit || this.source[end - 1] !== 0) {
      throw new InvalidBsonError(`a string's length (${length}) does not fit its place`, p);
    }
    return this.quoted(p + 4, end - 1) ? end : UNCARRIABLE;
  }

  private double(p: number, limit: number): number {
    this.need(p, 8, limit);
    for (let i = 0; i < 8; i++) floatBytes[i] = this.source[p + i]!;
    const value = float[0]!;
    if (value !== value && (floatWords[0] !== 0 || floatWords[1] !== NAN_HIGH_WORD)) return UNCARRIABLE;
    this.raw(DOUBLE);
    if (!Number.isInteger(value)) this.ascii(String(value));
    else if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) {
      this.integer(value);
      this.ascii('.0');
    } else this.ascii(value === 0 ? '-0.0' : value.toFixed(1));
    this.raw(END);
    return p + 8;
  }

  private int64(p: number): void {
    const high = readInt32(this.source, p + 4);
    if (high >= -0x200000 && high < 0x200000) this.integer(high * 0x100000000 + (readInt32(this.source, p) >>> 0));
    else this.ascii(String(this.source.readBigInt64LE(p)));
  }

  private binary(p: number, limit: number): number {
    this.need(p, 5, limit);
    const source = this.source;
    const length = readInt32(source, p);
    const subtype = source[p + 4]!;
    let start = p + 5;
    const end = start + length;
    if (length < 0 || end > limit) throw new InvalidBsonError(`binary data's length (${length}) does not fit`, p);
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
