import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { compareNumbers, type Numeric, toNumber } from '../bson/number.js';
import { DBPointer, type Doc, msOf, type Value } from '../bson/value.js';

/**
 * Keys as strings of bytes (one character each) whose order by `<` is MongoDB's comparison order, in the manner of
 * mongod's KeyString. Each value is a type byte and a body that says its own end, so no key of one value is the
 * beginning of another's, and `key + AFTER` lies behind everything that begins with `key`.
 */
export const AFTER = '\u0100';

/** Type bytes, in MongoDB's order of types. 0x00 ends lists and strings, and so is none. */
const KIND = {
  minKey: 0x0a,
  undefined: 0x0f,
  null: 0x14,
  number: 0x1e,
  string: 0x3c,
  object: 0x46,
  array: 0x50,
  binData: 0x5a,
  objectId: 0x64,
  bool: 0x6e,
  date: 0x78,
  timestamp: 0x82,
  regex: 0x8c,
  dbPointer: 0x96,
  code: 0xa0,
  codeWithScope: 0xaa,
  maxKey: 0xf0,
} as const;

let scratch = Buffer.allocUnsafeSlow(4096);
let at = 0;

function reserve(length: number): void {
  if (at + length <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, at + length));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

const float = new DataView(new ArrayBuffer(8));

/**
 * The key of a list of values; the bytes of the `i`-th are inverted where `isDescending[i]`.
 * A list shorter than an index's fields gives the common beginning of all keys that start with these values.
 */
export function encodeKey(values: readonly Value[], isDescending?: readonly boolean[]): string {
  at = 0;
  for (let i = 0; i < values.length; i++) {
    const start = at;
    put(values[i]!);
    if (isDescending?.[i]) for (let j = start; j < at; j++) scratch[j] = 0xff ^ scratch[j]!;
  }
  return scratch.toString('latin1', 0, at);
}

/** The key of one ObjectId that lies at `from` in a document's bytes, without decoding it. */
export function encodeRawObjectId(bytes: Uint8Array, from: number): string {
  scratch[0] = KIND.objectId;
  for (let i = 0; i < 12; i++) scratch[i + 1] = bytes[from + i]!;
  return scratch.toString('latin1', 0, 13);
}

function put(value: Value): void {
  reserve(32);
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return putNumber(value);
    case 'string':
      scratch[at++] = KIND.string;
      return putString(value);
    case 'boolean':
      scratch[at++] = KIND.bool;
      scratch[at++] = value ? 2 : 1;
      return;
  }
  if (value === null) scratch[at++] = KIND.null;
  else if (value instanceof Int32) putNumber(value);
  else if (value instanceof ObjectId) {
    scratch[at++] = KIND.objectId;
    putBytes(value.id);
  } else if (value instanceof Map) {
    scratch[at++] = KIND.object;
    putDoc(value);
  } else if (Array.isArray(value)) {
    scratch[at++] = KIND.array;
    for (const element of value) put(element);
    scratch[at++] = 0;
  } else putRare(value);
}

function putRare(value: Exclude<Value, number | bigint | string | boolean | null | Doc | Value[]>): void {
  if (value instanceof Date) {
    scratch[at++] = KIND.date;
    scratch.writeBigUInt64BE(BigInt.asUintN(64, msOf(value)) ^ (1n << 63n), at);
    at += 8;
  } else if (value instanceof Decimal128) putNumber(value);
  else if (value instanceof Timestamp) {
    scratch[at++] = KIND.timestamp;
    scratch.writeUInt32BE(value.getHighBitsUnsigned(), at);
    scratch.writeUInt32BE(value.getLowBitsUnsigned(), at + 4);
    at += 8;
  } else if (value instanceof Binary) {
    scratch[at++] = KIND.binData;
    scratch.writeUInt32BE(value.position, at);
    scratch[at + 4] = value.sub_type;
    at += 5;
    putBytes(value.buffer.subarray(0, value.position));
  } else if (value instanceof BSONSymbol) {
    scratch[at++] = KIND.string;
    putString(value.value);
  } else if (value instanceof BSONRegExp) {
    scratch[at++] = KIND.regex;
    putString(value.pattern);
    putString(value.options);
  } else if (value instanceof Code) {
    scratch[at++] = value.scope ? KIND.codeWithScope : KIND.code;
    putString(value.code);
    if (value.scope) putDoc(value.scope as Doc);
  } else if (value instanceof DBPointer) {
    scratch[at++] = KIND.dbPointer;
    scratch.writeUInt32BE(Buffer.byteLength(value.namespace), at);
    at += 4;
    putString(value.namespace);
    putBytes(value.id.id);
  } else if (value instanceof MinKey) scratch[at++] = KIND.minKey;
  else if (value instanceof MaxKey) scratch[at++] = KIND.maxKey;
  else scratch[at++] = KIND.undefined;
}

function putBytes(bytes: Uint8Array): void {
  reserve(bytes.length + 8);
  scratch.set(bytes, at);
  at += bytes.length;
}

/** Type, name and value of each field, as documents are compared. */
function putDoc(doc: Doc): void {
  for (const [name, value] of doc) {
    const start = at;
    put(value);
    const kind = scratch[start]!;
    const body = Buffer.from(scratch.subarray(start + 1, at));
    at = start;
    scratch[at++] = kind;
    putString(name);
    putBytes(body);
  }
  reserve(8);
  scratch[at++] = 0;
}

/** UTF-8 ended by 0x00; the bytes 0x00 and 0x01 within are written as 0x01 0x01 and 0x01 0x02. */
function putString(text: string): void {
  reserve(text.length * 3 + 16);
  const start = at;
  if (text.length < 32) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f || code < 2) {
        at = start;
        return putLongString(text);
      }
      scratch[at++] = code;
    }
    scratch[at++] = 0;
  } else putLongString(text);
}

function putLongString(text: string): void {
  const length = scratch.write(text, at, 'utf8');
  const utf8 = scratch.subarray(at, at + length);
  if (utf8.includes(0) || utf8.includes(1)) {
    const plain = Buffer.from(utf8);
    reserve(plain.length * 2 + 16);
    for (const byte of plain) {
      if (byte < 2) scratch[at++] = 1;
      scratch[at++] = byte < 2 ? byte + 1 : byte;
    }
  } else at += length;
  reserve(16);
  scratch[at++] = 0;
}

/** The nearest double in comparable form, then what tells the exact value from it: all number types are comparable. */
function putNumber(value: Numeric): void {
  const near = typeof value === 'number' ? value : toNumber(value);
  scratch[at++] = KIND.number;
  if (Number.isNaN(near)) {
    scratch.fill(0, at, at + 8);
    at += 8;
    scratch[at++] = 0x80;
    return;
  }
  float.setFloat64(0, near === 0 ? 0 : near);
  const flip = near < 0 ? 0xff : 0;
  for (let i = 0; i < 8; i++) scratch[at + i] = float.getUint8(i) ^ flip;
  if (!flip) scratch[at] = scratch[at]! ^ 0x80;
  at += 8;
  const beyond = typeof value === 'bigint' || value instanceof Decimal128 ? compareNumbers(value, near) : 0;
  if (beyond === 0) scratch[at++] = 0x80;
  else putExact(String(value), beyond);
}

/** Sign of the distance to the nearest double, decimal exponent and digits; inverted where the number is negative. */
function putExact(text: string, beyond: number): void {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/.exec(text)!;
  const all = whole! + fraction;
  const digits = all.replace(/^0+/, '').replace(/0+$/, '');
  const magnitude = Number(exponent) + whole!.length - (all.length - all.replace(/^0+/, '').length);
  reserve(digits.length + 16);
  scratch[at++] = beyond < 0 ? 0x40 : 0xc0;
  const start = at;
  scratch.writeUInt16BE(magnitude + 0x8000, at);
  at += 2;
  at += scratch.write(digits, at, 'latin1');
  scratch[at++] = 0;
  if (sign) for (let i = start; i < at; i++) scratch[i] = 0xff ^ scratch[i]!;
}
