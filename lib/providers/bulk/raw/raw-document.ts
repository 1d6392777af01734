import { createHash } from 'node:crypto';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { documentOf, elementNamed, findField } from '../codecs/bson-elements.js';
import { BsonType, readInt32 } from '../codecs/bson-types.js';

const [UNDERSCORE, I, D] = [95, 105, 100] as const;

/** A document as the driver's BSON library decodes it with every type kept. */
export const decodeRaw = (bson: Uint8Array): mongo.BSON.Document =>
  mongoose.mongo.BSON.deserialize(bson, { promoteValues: false, bsonRegExp: true });

export const encodeRaw = (document: mongo.BSON.Document): Buffer =>
  Buffer.from(mongoose.mongo.BSON.serialize(document, { ignoreUndefined: false }));

/** The documents that lie one after the other. */
export function splitDocuments(bytes: Buffer): Buffer[] {
  const documents: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + readInt32(bytes, at);
    documents.push(bytes.subarray(at, end));
    at = end;
  }
  return documents;
}

/** Whether the document that begins at `at` has its `_id` first. An empty one has not, whatever follows it. */
const hasIdFirst = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + 4] !== 0 &&
  bytes[at + 5] === UNDERSCORE &&
  bytes[at + 6] === I &&
  bytes[at + 7] === D &&
  bytes[at + 8] === 0;

/** Whether all documents that lie one after the other have their `_id` first. */
export function haveIdsFirst(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += readInt32(bytes, at)) if (!hasIdFirst(bytes, at)) return false;
  return true;
}

/**
 * The document with its `_id` first, as a server stores it. One without an `_id` gets an ObjectId made of its content
 * and of `place`, so that the same file gives the same documents when it is read again.
 */
export function withIdFirst(document: Buffer, place: string): Buffer {
  if (hasIdFirst(document, 0)) return document;
  const { start, end } = findField(document, '_id') ?? { start: 4, end: 4 };
  const id = start < end ? document.subarray(start, end) : idMadeOf(document, place);
  const length = Buffer.alloc(4);
  length.writeInt32LE(document.length - (end - start) + id.length);
  return Buffer.concat([length, id, document.subarray(4, start), document.subarray(end)]);
}

function idMadeOf(document: Buffer, place: string): Buffer {
  const value = createHash('sha256').update(place).update(document).digest().subarray(0, 12);
  return Buffer.concat([Buffer.of(BsonType.ObjectId), Buffer.from('_id\0'), value]);
}

/** The bytes of the `_id`, its type before them, as text to compare by. */
export function idOf(document: Uint8Array): string {
  const id = elementNamed(document, '_id');
  return id ? `${id.type}:${id.value.toString('base64')}` : '';
}

/** The `_id` as the driver takes it in a query. */
export const idValueOf = (document: Uint8Array): unknown => {
  const id = elementNamed(document, '_id');
  return id && decodeRaw(documentOf([id]))['_id'];
};
