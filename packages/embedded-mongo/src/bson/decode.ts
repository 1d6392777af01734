import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { CommandError } from '../errors.js';
import { BsonUndefined, dateOf, DBPointer, type Doc, int32, type Value, WideDate } from './value.js';

/** The deepest nesting a document may have. */
export const MAX_DEPTH = 200;

let bytes: Buffer = Buffer.alloc(0);
let pos = 0;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

const invalid = (message: string): CommandError => new CommandError('InvalidBSON', message);

/** `bytes` as a Buffer over the same memory. */
export const asBuffer = (source: Uint8Array): Buffer =>
  Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);

/**
 * Decodes one BSON document that fills `source` exactly.
 *
 * @throws CommandError InvalidBSON (22) when it is malformed, Overflow (15) when nested deeper than 200
 */
export function decodeDoc(source: Uint8Array): Doc {
  bytes = asBuffer(source);
  pos = 0;
  if (bytes.length < 5) throw invalid('BSON data has to be at least 5 bytes');
  if ((bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) !== bytes.length)
    throw invalid('Incorrect BSON length');
  return readDoc(bytes.length, 0);
}

/**
 * Decodes the value of one field of a document, which lies from `value` to `end`, behind a type byte at `start`.
 * @throws CommandError as `decodeDoc`
 */
export function decodeValue(source: Uint8Array, field: { start: number; value: number; end: number }): Value {
  bytes = asBuffer(source);
  pos = field.value;
  return readValue(bytes[field.start]!, field.end, 0);
}

function enter(end: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new CommandError('Overflow', 'BSONObj exceeds maximum nested object depth');
  const start = pos;
  const size = readInt32(end);
  if (size < 5) throw invalid('Nested BSON object has to be at least 5 bytes');
  const own = start + size;
  if (own > end) throw invalid('BSON size is larger than buffer size');
  if (bytes[own - 1] !== 0) throw invalid('BSON object not terminated with EOO');
  return own;
}

function leave(end: number): void {
  if (pos !== end) throw invalid('incorrect BSON length');
}

function readDoc(limit: number, depth: number): Doc {
  const end = enter(limit, depth);
  const doc: Doc = new Map();
  let type: number;
  while ((type = readType(end)) !== 0) {
    const key = readKey(end);
    doc.set(key, readValue(type, end, depth));
  }
  leave(end);
  return doc;
}

function readArray(limit: number, depth: number): Value[] {
  const end = enter(limit, depth);
  const array: Value[] = [];
  let type: number;
  while ((type = readType(end)) !== 0) {
    while (bytes[pos++] !== 0) if (pos >= end) throw invalid('BSON size is larger than buffer size');
    array.push(readValue(type, end, depth));
  }
  leave(end);
  return array;
}

function readType(end: number): number {
  if (pos >= end) throw invalid('BSON size is larger than buffer size');
  return bytes[pos++]!;
}

function readInt32(end: number): number {
  const at = pos;
  if ((pos += 4) > end) throw invalid('BSON size is larger than buffer size');
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function readInt64(end: number): bigint {
  const low = readInt32(end) >>> 0;
  const high = readInt32(end);
  const near = high * 4294967296 + low;
  return Number.isSafeInteger(near) ? BigInt(near) : (BigInt(high) << 32n) | BigInt(low);
}

function readDouble(end: number): number {
  const at = pos;
  if ((pos += 8) > end) throw invalid('BSON size is larger than buffer size');
  for (let i = 0; i < 8; i++) floatBytes[i] = bytes[at + i]!;
  return float[0]!;
}

function readDate(end: number): Date {
  const low = readInt32(end) >>> 0;
  const high = readInt32(end);
  const near = high * 4294967296 + low;
  if (near <= 8.64e15 && near >= -8.64e15) return new Date(near);
  const date = dateOf((BigInt(high) << 32n) | BigInt(low));
  return date instanceof WideDate ? date : new Date(near);
}

// Field names repeat from document to document: a small cache by hash gives back the same interned string.
const CACHE_BITS = 11;
const cache = new Array<string>(1 << CACHE_BITS).fill('');

function readKey(end: number): string {
  const start = pos;
  let at = start;
  let hash = 0;
  let ascii = 0;
  let byte: number;
  while ((byte = bytes[at]!) !== 0) {
    hash = (Math.imul(hash, 31) + byte) | 0;
    ascii |= byte;
    if (++at >= end) throw invalid('BSON size is larger than buffer size');
  }
  pos = at + 1;
  const length = at - start;
  if (ascii > 0x7f) return bytes.toString('utf8', start, at);
  if (length > 32) return bytes.toString('latin1', start, at);
  const slot = (hash ^ (hash >>> CACHE_BITS)) & ((1 << CACHE_BITS) - 1);
  const known = cache[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  return (cache[slot] = bytes.toString('latin1', start, at));
}

function readCString(end: number): string {
  const start = pos;
  const at = bytes.indexOf(0, start);
  if (at === -1 || at >= end) throw invalid('BSON size is larger than buffer size');
  pos = at + 1;
  return bytes.toString('utf8', start, at);
}

function readString(end: number): string {
  const length = readInt32(end);
  const start = pos;
  if (length < 1 || start + length > end) throw invalid('BSON size is larger than buffer size');
  const last = start + length - 1;
  if (bytes[last] !== 0) throw invalid('Not null terminated string');
  pos = last + 1;
  if (length > 24) return bytes.toString('utf8', start, last);
  let text = '';
  for (let i = start; i < last; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return bytes.toString('utf8', start, last);
    text += String.fromCharCode(byte);
  }
  return text;
}

function take(length: number, end: number): number {
  const at = pos;
  if (length < 0 || (pos += length) > end) throw invalid('BSON size is larger than buffer size');
  return at;
}

function readBinary(end: number): Binary {
  const length = readInt32(end);
  const subtype = bytes[take(1, end)]!;
  const at = take(length, end);
  // Subtype 2 keeps its inner length among the bytes, as the server does.
  const copy = Buffer.allocUnsafe(length);
  bytes.copy(copy, 0, at, at + length);
  return new Binary(copy, subtype);
}

function readRegExp(end: number): BSONRegExp {
  const pattern = readCString(end);
  const regex = new BSONRegExp(pattern);
  regex.options = readCString(end); // assigned, as the constructor sorts them
  return regex;
}

function readCodeWithScope(limit: number, depth: number): Code {
  const start = pos;
  const end = start + readInt32(limit);
  if (end > limit) throw invalid('BSON size is larger than buffer size');
  const code = readString(end);
  const scope = readDoc(end, depth + 1);
  leave(end);
  return new Code(code, scope);
}

function readValue(type: number, end: number, depth: number): Value {
  switch (type) {
    case 0x01:
      return readDouble(end);
    case 0x02:
      return readString(end);
    case 0x03:
      return readDoc(end, depth + 1);
    case 0x04:
      return readArray(end, depth + 1);
    case 0x05:
      return readBinary(end);
    case 0x06:
      return BsonUndefined.value;
    case 0x07:
      return new ObjectId(bytes.subarray(take(12, end), pos));
    case 0x08: {
      const flag = bytes[take(1, end)]!;
      if (flag > 1) throw invalid('BSON bool is neither false nor true');
      return flag === 1;
    }
    case 0x09:
      return readDate(end);
    case 0x0a:
      return null;
    case 0x0b:
      return readRegExp(end);
    case 0x0c: {
      const namespace = readString(end);
      return new DBPointer(namespace, new ObjectId(bytes.subarray(take(12, end), pos)));
    }
    case 0x0d:
      return new Code(readString(end));
    case 0x0e:
      return new BSONSymbol(readString(end));
    case 0x0f:
      return readCodeWithScope(end, depth);
    case 0x10:
      return int32(readInt32(end));
    case 0x11: {
      const i = readInt32(end) >>> 0;
      return new Timestamp({ t: readInt32(end) >>> 0, i });
    }
    case 0x12:
      return readInt64(end);
    case 0x13:
      return new Decimal128(Uint8Array.prototype.slice.call(bytes, take(16, end), pos));
    case 0xff:
      return new MinKey();
    case 0x7f:
      return new MaxKey();
    default:
      throw invalid(`Unrecognized BSON type ${type}`);
  }
}
