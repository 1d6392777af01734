import { ObjectId, Timestamp } from 'bson';
import { CommandError } from '../../errors.js';
import { decodeDoc, decodeValue } from '../../bson/decode.js';
import { encodeDoc } from '../../bson/encode.js';
import { findField } from '../../bson/field.js';
import { validateDoc } from '../../bson/validate.js';
import type { Value } from '../../bson/value.js';
import { isDoc, typeName } from '../../bson/value.js';
import { BatchMemory } from '../../storage/batch-memory.js';
import type { Clock } from '../../storage/clock.js';
import { timestampOf } from '../../storage/clock.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';

const FIRST_ELEMENT = 4;
const ID_ELEMENT_LENGTH = 1 + 4 + 12;
const OBJECT_ID = 0x07;
/** The usual types of an `_id`, for which nothing has to be decoded: double, string, ObjectId, int32, int64. */
const ALLOWED_IDS: ReadonlySet<number> = new Set([0x01, 0x02, OBJECT_ID, 0x10, 0x12]);

/**
 * The bytes to store for a document to be inserted, copied to `memory` (its own by default): `_id` is made if there is none and put
 * first, and an empty timestamp becomes the current time.
 * @throws CommandError InvalidBSON, BSONObjectTooLarge, InvalidIdField
 */
export function documentToInsert(
  source: Uint8Array,
  clock: Clock,
  memory = new BatchMemory(source.length),
): Uint8Array {
  if (source.length > MAX_BSON_SIZE) throw tooLarge(source.length);
  const { hasEmptyTimestamp } = validateDoc(source);
  const bytes = hasEmptyTimestamp ? withTimestamps(source, clock) : source;
  const id = findField(bytes, '_id');
  if (!id) return withNewId(bytes);
  if (!ALLOWED_IDS.has(bytes[id.start]!)) checkId(decodeValue(bytes, id));
  if (id.start === FIRST_ELEMENT) return memory.copy(bytes);
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

function withNewId(bytes: Uint8Array): Uint8Array {
  const result = Buffer.allocUnsafeSlow(bytes.length + ID_ELEMENT_LENGTH);
  result.writeInt32LE(result.length, 0);
  result[FIRST_ELEMENT] = OBJECT_ID;
  result.write('_id\0', 5, 'latin1');
  result.set(new ObjectId().id, 9);
  result.set(bytes.subarray(FIRST_ELEMENT), FIRST_ELEMENT + ID_ELEMENT_LENGTH);
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
function checkId(id: Value): void {
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
