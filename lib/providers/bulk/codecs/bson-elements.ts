import { BsonType } from './bson-types.js';
import { endOfCString, endOfValue } from './bson-validation.js';
import { InvalidBsonError } from './codec.errors.js';

/** One field of a raw BSON document. */
export interface BsonElement {
  readonly name: string;
  readonly type: number;
  /** The value's bytes, without type and name. For a document or an array they are its BSON. */
  readonly value: Buffer;
}

/** The fields of a raw BSON document in their order; nested ones stay raw. @throws InvalidBsonError */
export function* elementsOf(document: Uint8Array): Generator<BsonElement> {
  const bytes = bufferOf(document);
  for (let at = 4; bytes[at] !== 0;) {
    const field = fieldAt(bytes, at);
    yield elementOf(bytes, field);
    at = field.end;
  }
}

/** The first field of that name. @throws InvalidBsonError */
export function elementNamed(document: Uint8Array, name: string): BsonElement | undefined {
  const bytes = bufferOf(document);
  const field = findField(bytes, name);
  return field && elementOf(bytes, field);
}

/** The field to which a path of names, and of places in arrays, leads. @throws InvalidBsonError */
export function elementAt(document: Uint8Array, [name, ...rest]: readonly string[]): BsonElement | undefined {
  const element = elementNamed(document, name!);
  if (rest.length === 0 || !element) return element;
  const { type, value } = element;
  return type === BsonType.Document || type === BsonType.Array ? elementAt(value, rest) : undefined;
}

/** Where the first field of that name lies, found without making objects of the others. @throws InvalidBsonError */
export function findField(bytes: Buffer, name: string): FieldPlace | undefined {
  const wanted = Buffer.from(`${name}\0`);
  for (let at = 4; bytes[at] !== 0;) {
    const field = fieldAt(bytes, at);
    if (bytes.compare(wanted, 0, wanted.length, at + 1, field.value) === 0) return field;
    at = field.end;
  }
  return undefined;
}

/** A field from its type byte at `start`; its value lies from `value` to `end`. */
export interface FieldPlace {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

function fieldAt(bytes: Buffer, start: number): FieldPlace {
  const last = bytes.length - 1;
  const value = endOfCString(bytes, start + 1, last);
  return { start, value, end: endOfValue(bytes[start]!, bytes, value, last, 1) };
}

const elementOf = (bytes: Buffer, { start, value, end }: FieldPlace): BsonElement => ({
  name: bytes.toString('utf8', start + 1, value - 1),
  type: bytes[start]!,
  value: bytes.subarray(value, end),
});

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

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

/** More than a server takes of indexes of a collection, which is what such arrays hold. */
const MAX_DOCUMENTS_IN_ARRAY = 1000;

/** The documents of an array field; none for any other type. @throws InvalidBsonError where it holds something else */
export function documentsIn(element: BsonElement | undefined): Buffer[] {
  const documents: Buffer[] = [];
  if (element?.type !== BsonType.Array) return documents;
  for (const { type, value } of elementsOf(element.value)) {
    if (type !== BsonType.Document || documents.length === MAX_DOCUMENTS_IN_ARRAY) {
      throw new InvalidBsonError(`an array is not of at most ${MAX_DOCUMENTS_IN_ARRAY} documents`, 0);
    }
    documents.push(value);
  }
  return documents;
}

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

/** The number of an int32 field; undefined for any other type. */
export const int32Of = (element: BsonElement | undefined): number | undefined =>
  element?.type === BsonType.Int32 ? element.value.readInt32LE() : undefined;
