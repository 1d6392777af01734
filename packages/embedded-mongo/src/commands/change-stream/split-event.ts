import { CommandError } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc, Value } from '../../bson/value.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import { fieldsOf, int } from '../reply.js';
import type { StreamPosition } from './resume-token.js';
import { resumeToken } from './resume-token.js';

/** A piece of an event, in BSON, and its place: a stream may resume after each. */
export interface EventFragment {
  readonly bytes: Uint8Array;
  readonly position: StreamPosition;
}

type Field = readonly [name: string, value: Value];

/** What the `_id` and `splitEvent` of a fragment take, about. */
const HEAD_BYTES = 256;
const EMPTY_DOCUMENT_BYTES = 5;

const sizeOf = ([name, value]: Field): number => encodeDoc(new Map([[name, value]])).length - EMPTY_DOCUMENT_BYTES;

/**
 * Divides an event among documents of at most 16 MB, by its top-level fields (manual: $changeStreamSplitLargeEvent).
 * @throws CommandError when one field alone is larger
 */
export function splitEvent(event: Doc, position: StreamPosition): EventFragment[] {
  const sized = [...event].filter(([name]) => name !== '_id').map((field) => ({ field, size: sizeOf(field) }));
  sized.sort((a, b) => a.size - b.size);
  const groups: Field[][] = [];
  let left = 0;
  for (const { field, size } of sized) {
    if (size + HEAD_BYTES > MAX_BSON_SIZE) {
      throw new CommandError(7182500, 'Splitting change event failed: fragment size limit exceeded');
    }
    if (size > left || groups.length === 0) {
      groups.push([]);
      left = MAX_BSON_SIZE - HEAD_BYTES;
    }
    groups.at(-1)!.push(field);
    left -= size;
  }
  return groups.map((fields, i) => {
    const fragment = i + 1;
    const place = { ...position, fragment };
    const head = fieldsOf({
      _id: resumeToken(place),
      splitEvent: fieldsOf({ fragment: int(fragment), of: int(groups.length) }),
    });
    return { bytes: encodeDoc(new Map([...head, ...fields])), position: place };
  });
}
