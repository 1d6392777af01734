import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { CommandError } from '../errors.js';
import { MAX_DEPTH } from './decode.js';
import { spend, workOfLength } from './work.js';
import { BsonUndefined, DBPointer, type Doc, isDoc, msOf, type Value, WideDate } from './value.js';

/** Nothing that is asked of a server is as large: a value that holds itself many times, not one that somebody wants. */
const MAX_BYTES = 1 << 27;
const KEPT_BYTES = 1 << 20;

let scratch = Buffer.allocUnsafeSlow(1 << 14);
let pos = 0;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Encodes a document as BSON, in memory of its own that may be kept. */
export function encodeDoc(doc: Doc): Buffer {
  pos = 0;
  writeDoc(doc, 0);
  spend(workOfLength(pos));
  const result = Buffer.allocUnsafeSlow(pos);
  scratch.copy(result, 0, 0, pos);
  if (scratch.length > KEPT_BYTES) scratch = Buffer.allocUnsafeSlow(KEPT_BYTES);
  return result;
}

/** Encodes a value as the payload of a BSON element, without its type and name. */
export function encodeValue(value: Value): Buffer {
  pos = 0;
  writeValue(value, 0);
  return Buffer.from(scratch.subarray(0, pos));
}

function reserve(bytes: number): void {
  if (pos + bytes <= scratch.length) return;
  if (pos + bytes > MAX_BYTES) {
    throw new CommandError(
      'BSONObjectTooLarge',
      `BSONObj size: ${pos + bytes} is invalid. Size must be between 0 and 16793600(16MB)`,
    );
  }
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, pos + bytes));
  scratch.copy(larger, 0, 0, pos);
  scratch = larger;
}

function writeInt32At(at: number, n: number): void {
  scratch[at] = n;
  scratch[at + 1] = n >>> 8;
  scratch[at + 2] = n >>> 16;
  scratch[at + 3] = n >>> 24;
}

function writeInt32(n: number): void {
  reserve(4);
  writeInt32At(pos, n);
  pos += 4;
}

function writeInt64(n: bigint): void {
  writeInt32(Number(BigInt.asIntN(32, n)));
  writeInt32(Number(BigInt.asIntN(32, n >> 32n)));
}

function writeDouble(n: number): void {
  reserve(8);
  float[0] = n;
  for (let i = 0; i < 8; i++) scratch[pos++] = floatBytes[i]!;
}

/** UTF-8 without a terminator; short ASCII is written byte by byte. */
function writeText(text: string): void {
  const length = text.length;
  reserve(length * 3 + 1);
  if (length <= 32) {
    let i = 0;
    for (; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      scratch[pos + i] = unit;
    }
    if (i === length) {
      pos += length;
      return;
    }
  }
  pos += scratch.write(text, pos);
}

function writeCString(text: string): void {
  writeText(text);
  reserve(1);
  scratch[pos++] = 0;
}

/** A field name or regular expression, which must not contain the byte that ends it. */
function writeName(text: string): void {
  if (text.includes('\0')) throw new CommandError('BadValue', 'Field names and regular expressions cannot contain NUL');
  writeCString(text);
}

function writeString(text: string): void {
  const at = pos;
  reserve(4);
  pos += 4;
  writeCString(text);
  writeInt32At(at, pos - at - 4);
}

function writeBytes(bytes: Uint8Array, length = bytes.length): void {
  reserve(length);
  for (let i = 0; i < length; i++) scratch[pos + i] = bytes[i]!;
  pos += length;
}

function begin(depth: number): number {
  if (depth > MAX_DEPTH) throw new CommandError('Overflow', 'BSONObj exceeds maximum nested object depth');
  const at = pos;
  reserve(4);
  pos += 4;
  return at;
}

function finish(at: number): void {
  reserve(1);
  scratch[pos++] = 0;
  writeInt32At(at, pos - at);
}

function writeElement(key: string, value: Value, depth: number): void {
  const at = pos;
  reserve(1);
  pos++;
  writeName(key);
  const type = writeValue(value, depth);
  scratch[at] = type;
}

function writeDoc(doc: Doc, depth: number): void {
  const at = begin(depth);
  for (const [key, value] of doc) writeElement(key, value, depth);
  finish(at);
}

function writeArray(array: Value[], depth: number): void {
  const at = begin(depth);
  for (let i = 0; i < array.length; i++) writeElement(String(i), array[i]!, depth);
  finish(at);
}

/** Writes the payload and returns the type byte. */
function writeValue(value: Value, depth: number): number {
  switch (typeof value) {
    case 'number':
      writeDouble(value);
      return 0x01;
    case 'string':
      writeString(value);
      return 0x02;
    case 'boolean':
      reserve(1);
      scratch[pos++] = value ? 1 : 0;
      return 0x08;
    case 'bigint':
      writeInt64(value);
      return 0x12;
  }
  if (value === null) return 0x0a;
  if (isDoc(value)) {
    writeDoc(value, depth + 1);
    return 0x03;
  }
  if (Array.isArray(value)) {
    writeArray(value, depth + 1);
    return 0x04;
  }
  if (value instanceof Int32) {
    writeInt32(value.value);
    return 0x10;
  }
  if (value instanceof Uint8Array) {
    reserve(value.length); // a document that is BSON already
    scratch.set(value, pos);
    pos += value.length;
    return 0x03;
  }
  if (value instanceof ObjectId) {
    writeBytes(value.id, 12);
    return 0x07;
  }
  if (value instanceof Date) {
    writeDate(value);
    return 0x09;
  }
  return writeRareValue(value, depth);
}

function writeDate(date: Date): void {
  if (date instanceof WideDate) return writeInt64(msOf(date));
  const ms = date.getTime();
  const high = Math.floor(ms / 4294967296);
  writeInt32(ms - high * 4294967296);
  writeInt32(high);
}

function writeRareValue(value: Value, depth: number): number {
  if (value instanceof Decimal128) {
    writeBytes(value.bytes, 16);
    return 0x13;
  }
  if (value instanceof Binary) {
    writeInt32(value.position);
    reserve(1);
    scratch[pos++] = value.sub_type;
    writeBytes(value.buffer, value.position);
    return 0x05;
  }
  if (value instanceof Timestamp) {
    writeInt32(value.i);
    writeInt32(value.t);
    return 0x11;
  }
  if (value instanceof BSONRegExp) {
    writeName(value.pattern);
    writeName(value.options);
    return 0x0b;
  }
  if (value instanceof Code) return writeCode(value, depth);
  if (value instanceof BSONSymbol) {
    writeString(value.value);
    return 0x0e;
  }
  if (value instanceof DBPointer) {
    writeString(value.namespace);
    writeBytes(value.id.id, 12);
    return 0x0c;
  }
  if (value instanceof MinKey) return 0xff;
  if (value instanceof MaxKey) return 0x7f;
  if (value instanceof BsonUndefined) return 0x06;
  throw new TypeError(`Not a BSON value: ${String(value)}`);
}

function writeCode(code: Code, depth: number): number {
  if (!code.scope) {
    writeString(String(code.code));
    return 0x0d;
  }
  const at = pos;
  reserve(4);
  pos += 4;
  writeString(String(code.code));
  writeDoc(code.scope as Doc, depth + 1);
  writeInt32At(at, pos - at);
  return 0x0f;
}
