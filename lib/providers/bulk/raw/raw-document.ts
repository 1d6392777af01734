import { createHash } from 'node:crypto';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { documentOf, elementNamed, elementsOf } from '../codecs/bson-elements.js';
import { BsonType } from '../codecs/bson-types.js';

const ID_NAME = Buffer.from('_id\0');

/** A document as the driver's BSON library decodes it with every type kept. */
export const decodeRaw = (bson: Uint8Array): mongo.BSON.Document =>
  mongoose.mongo.BSON.deserialize(bson, { promoteValues: false, bsonRegExp: true });

export const encodeRaw = (document: mongo.BSON.Document): Buffer =>
  Buffer.from(mongoose.mongo.BSON.serialize(document, { ignoreUndefined: false }));

/** The documents that lie one after the other. */
export function splitDocuments(bytes: Buffer): Buffer[] {
  const documents: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + bytes.readInt32LE(at);
    documents.push(bytes.subarray(at, end));
    at = end;
  }
  return documents;
}

/**
 * The document with its `_id` first, as a server stores it. One without an `_id` gets an ObjectId made of its content
 * and of `place`, so that the same file gives the same documents when it is read again.
 */
export function withIdFirst(document: Buffer, place: string): Buffer {
  if (document.subarray(5, 9).equals(ID_NAME)) return document;
  const elements = [...elementsOf(document)];
  const id = elements.find(({ name }) => name === '_id') ?? {
    name: '_id',
    type: BsonType.ObjectId,
    value: createHash('sha256').update(place).update(document).digest().subarray(0, 12),
  };
  return documentOf([id, ...elements.filter((element) => element !== id)]);
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
