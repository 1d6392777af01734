import { BsonType, MAX_NESTING, MIN_DOCUMENT_BYTES, readInt32 } from './bson-types.js';
import { InvalidBsonError } from './codec.errors.js';

/*
 * The one place where the lengths inside BSON that comes from outside are believed or not: an archive's documents and
 * entries, and the documents in base64 of an export file, go through here before anything else reads them. What walks
 * over a document afterwards goes by the lengths and cannot run out of it, nor stand still, nor go back.
 */

/**
 * Walks over the document at `start`, which has to end by `limit`, with all that is in it.
 * @param level how deep it is in others; 1 is a document by itself
 * @returns the position after it
 * @throws InvalidBsonError
 */
export function endOfDocument(bytes: Uint8Array, start: number, limit: number, level = 1): number {
  const length = start + MIN_DOCUMENT_BYTES > limit ? -1 : readInt32(bytes, start);
  const end = start + length;
  if (length < MIN_DOCUMENT_BYTES || end > limit || bytes[end - 1] !== 0) {
    throw new InvalidBsonError(`a document's length (${length}) does not fit its place`, start);
  }
  if (level > MAX_NESTING) throw new InvalidBsonError(`documents nest deeper than ${MAX_NESTING} levels`, start);
  const last = end - 1;
  let at = start + 4;
  for (let type = bytes[at]!; type !== 0; type = bytes[at]!) {
    at = endOfValue(type, bytes, endOfCString(bytes, at + 1, last), last, level);
  }
  if (at !== last) throw new InvalidBsonError('a document ends before its length', start);
  return end;
}

/** The position after the value at `at`, which has to end by `limit`. @throws InvalidBsonError */
export function endOfValue(type: number, bytes: Uint8Array, at: number, limit: number, level: number): number {
  switch (type) {
    case BsonType.Double:
    case BsonType.Date:
    case BsonType.Timestamp:
    case BsonType.Int64:
      return within(at, 8, limit);
    case BsonType.Int32:
      return within(at, 4, limit);
    case BsonType.String:
    case BsonType.Code:
    case BsonType.Symbol:
      return endOfString(bytes, at, limit);
    case BsonType.Document:
    case BsonType.Array:
      return endOfDocument(bytes, at, limit, level + 1);
    case BsonType.ObjectId:
      return within(at, 12, limit);
    case BsonType.Boolean:
      within(at, 1, limit);
      if (bytes[at]! > 1) throw new InvalidBsonError('a boolean is neither 0 nor 1', at);
      return at + 1;
    case BsonType.Null:
    case BsonType.Undefined:
    case BsonType.MinKey:
    case BsonType.MaxKey:
      return at;
    case BsonType.Decimal128:
      return within(at, 16, limit);
    case BsonType.Binary: {
      within(at, 5, limit);
      const length = readInt32(bytes, at);
      if (length < 0) throw new InvalidBsonError(`binary data's length (${length}) does not fit its place`, at);
      return within(at, 5 + length, limit);
    }
    case BsonType.Regex:
      return endOfCString(bytes, endOfCString(bytes, at, limit), limit);
    case BsonType.DBPointer:
      return within(endOfString(bytes, at, limit), 12, limit);
    case BsonType.CodeWithScope: {
      within(at, 4, limit);
      const end = at + readInt32(bytes, at);
      if (end > limit) throw new InvalidBsonError('code with scope runs over the end of its document', at);
      const scope = endOfString(bytes, at + 4, end);
      if (endOfDocument(bytes, scope, end, level + 1) === end) return end;
      throw new InvalidBsonError('code with scope has another length than it says', at);
    }
    default:
      throw new InvalidBsonError(`0x${type.toString(16)} is no BSON type`, at);
  }
}

function within(at: number, length: number, limit: number): number {
  if (at + length > limit) throw new InvalidBsonError('a value runs over the end of its document', at);
  return at + length;
}

/** The position after the NUL that ends the text at `at`. @throws InvalidBsonError */
export function endOfCString(bytes: Uint8Array, at: number, limit: number): number {
  while (at < limit && bytes[at] !== 0) at++;
  return within(at, 1, limit);
}

function endOfString(bytes: Uint8Array, at: number, limit: number): number {
  within(at, 5, limit);
  const length = readInt32(bytes, at);
  const end = at + 4 + length;
  if (length < 1 || end > limit || bytes[end - 1] !== 0) {
    throw new InvalidBsonError(`a string's length (${length}) does not fit its place`, at);
  }
  return end;
}
