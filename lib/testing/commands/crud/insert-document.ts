import { ObjectId, Timestamp } from 'bson';
import { CommandError } from '../../errors.js';
import { asBuffer, decodeDoc } from '../../bson/decode.js';
import { encodeDoc } from '../../bson/encode.js';
import { decodeField, findField } from '../../bson/field.js';
import { validateDoc } from '../../bson/validate.js';
import type { Value } from '../../bson/value.js';
import { isDoc, typeName } from '../../bson/value.js';
import type { Clock } from '../../storage/clock.js';
import { timestampOf } from '../../storage/clock.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';

const FIRST_ELEMENT = 4;
const ID_ELEMENT_LENGTH = 1 + 4 + 12;
const OBJECT_ID = 0x07;

/**
 * The bytes to store for a document to be inserted, in memory of their own: `_id` is made if there is none and put
 * first, and an empty timestamp becomes the current time.
 * @throws CommandError InvalidBSON, BSONObjectTooLarge, InvalidIdField
 */
export function documentToInsert(source: Uint8Array, clock: Clock): Uint8Array {
  if (source.length > MAX_BSON_SIZE) throw tooLarge(source.length);
  const { hasEmptyTimestamp } = validateDoc(source);
  const bytes = hasEmptyTimestamp ? withTimestamps(source, clock) : source;
  if (startsWithObjectId(bytes)) return Uint8Array.prototype.slice.call(bytes);
  const id = findField(bytes, '_id');
  if (!id) return withNewId(bytes);
  checkId(decodeField(bytes, '_id')!);
  if (id.start === FIRST_ELEMENT) return Uint8Array.prototype.slice.call(bytes);
  const moved = Buffer.allocUnsafeSlow(bytes.length);
  const idLength = id.end - id.start;
  moved.set(bytes.subarray(0, FIRST_ELEMENT), 0);
  moved.set(bytes.subarray(id.start, id.end), FIRST_ELEMENT);
  moved.set(bytes.subarray(FIRST_ELEMENT, id.start), FIRST_ELEMENT + idLength);
  moved.set(bytes.subarray(id.end), id.end);
  return moved;
}

const tooLarge = (size: number): CommandError =>
  new CommandError('BadValue', `object to insert too large. size in bytes: ${size}, max size: ${MAX_BSON_SIZE}`);

/** The usual case, answered without decoding. */
function startsWithObjectId(bytes: Uint8Array): boolean {
  return bytes[4] === OBJECT_ID && bytes[5] === 0x5f && bytes[6] === 0x69 && bytes[7] === 0x64 && bytes[8] === 0x00;
}

function withNewId(bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafeSlow(bytes.length + ID_ELEMENT_LENGTH);
  result.writeInt32LE(result.length, 0);
  result[4] = OBJECT_ID;
  result.write('_id\0', 5, 'latin1');
  result.set(new ObjectId().id, 9);
  result.set(asBuffer(bytes).subarray(FIRST_ELEMENT), FIRST_ELEMENT + ID_ELEMENT_LENGTH);
  return result;
}

function withTimestamps(source: Uint8Array, clock: Clock): Uint8Array {
  const doc = decodeDoc(source);
  for (const [name, value] of doc) {
    if (name !== '_id' && value instanceof Timestamp && value.isZero()) doc.set(name, timestampOf(clock.next()));
  }
  return encodeDoc(doc);
}

/** @throws CommandError for a value that cannot be an `_id` */
export function checkId(id: Value): void {
  const name = typeName(id);
  if (name === 'array' || name === 'regex' || name === 'undefined') {
    throw new CommandError('InvalidIdField', `The '_id' value cannot be of type ${name}`);
  }
  if (isDoc(id)) {
    for (const key of id.keys()) {
      if (key.startsWith('$')) {
        throw new CommandError(
          'DollarPrefixedFieldName',
          `_id fields may not contain '$'-prefixed fields: ${key} is not valid for storage.`,
        );
      }
    }
  }
}
