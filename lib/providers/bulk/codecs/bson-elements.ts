import { BsonType, readInt32 } from './bson-types.js';
import { InvalidBsonError } from './codec.errors.js';

/** One field of a raw BSON document. */
export interface BsonElement {
  readonly name: string;
  readonly type: number;
  /** The value's bytes, without type and name. For a document or an array they are its BSON. */
  readonly value: Buffer;
}

const FIXED_LENGTHS = new Map<number, number>([
  [BsonType.Double, 8],
  [BsonType.Undefined, 0],
  [BsonType.ObjectId, 12],
  [BsonType.Boolean, 1],
  [BsonType.Date, 8],
  [BsonType.Null, 0],
  [BsonType.Int32, 4],
  [BsonType.Timestamp, 8],
  [BsonType.Int64, 8],
  [BsonType.Decimal128, 16],
  [BsonType.MinKey, 0],
  [BsonType.MaxKey, 0],
]);

/** The fields of a raw BSON document in their order; nested ones stay raw. @throws InvalidBsonError */
export function* elementsOf(document: Uint8Array): Generator<BsonElement> {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  for (let at = 4; bytes[at] !== 0;) {
    const type = bytes[at]!;
    const nameEnd = bytes.indexOf(0, at + 1);
    const start = nameEnd + 1;
    const end = nameEnd < 0 ? Infinity : start + valueLength(type, bytes, start);
    if (!(end < bytes.length)) throw new InvalidBsonError('a value runs over the end of its document', at);
    yield { name: bytes.toString('utf8', at + 1, nameEnd), type, value: bytes.subarray(start, end) };
    at = end;
  }
}

/** The first field of that name. */
export function elementNamed(document: Uint8Array, name: string): BsonElement | undefined {
  for (const element of elementsOf(document)) if (element.name === name) return element;
  return undefined;
}

/** A BSON document of raw fields. */
export function documentOf(elements: Iterable<BsonElement>): Buffer {
  const parts: Uint8Array[] = [];
  let length = 5;
  for (const { name, type, value } of elements) {
    const head = Buffer.from(`\0${name}\0`);
    head[0] = type;
    parts.push(head, value);
    length += head.length + value.length;
  }
  const size = Buffer.alloc(4);
  size.writeInt32LE(length);
  return Buffer.concat([size, ...parts, Buffer.alloc(1)], length);
}

/** A BSON array of documents. */
export const arrayOf = (documents: readonly Uint8Array[]): Buffer =>
  documentOf(
    documents.map((value, index) => ({ name: String(index), type: BsonType.Document, value: Buffer.from(value) })),
  );

/** A field that holds a string. */
export function stringElement(name: string, text: string): BsonElement {
  const value = Buffer.alloc(4 + Buffer.byteLength(text) + 1);
  value.writeInt32LE(value.length - 4);
  value.write(text, 4);
  return { name, type: BsonType.String, value };
}

/** The text of a string field; undefined for any other type. */
export const stringOf = (element: BsonElement | undefined): string | undefined =>
  element?.type === BsonType.String ? element.value.toString('utf8', 4, element.value.length - 1) : undefined;

function valueLength(type: number, bytes: Buffer, at: number): number {
  const fixed = FIXED_LENGTHS.get(type);
  if (fixed !== undefined) return fixed;
  switch (type) {
    case BsonType.Document:
    case BsonType.Array:
    case BsonType.CodeWithScope:
      return readInt32(bytes, at);
    case BsonType.String:
    case BsonType.Code:
    case BsonType.Symbol:
      return 4 + readInt32(bytes, at);
    case BsonType.Binary:
      return 5 + readInt32(bytes, at);
    case BsonType.DBPointer:
      return 4 + readInt32(bytes, at) + 12;
    case BsonType.Regex:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1 - at;
    default:
      throw new InvalidBsonError(`0x${type.toString(16)} is no BSON type`, at);
  }
}
