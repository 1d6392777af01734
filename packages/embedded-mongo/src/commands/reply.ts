import type { Int32 } from 'bson';
import type { Doc, Value } from '../bson/value.js';
import { int32 } from '../bson/value.js';

/** A document kept as BSON inside a reply: it is copied, never decoded. */
export type ReplyValue = Value | Uint8Array | ReplyValue[] | ReplyDoc;
export type ReplyDoc = Map<string, ReplyValue>;

/** A reply's fields in order; undefined ones are left out. `ok: 1` is added by the dispatcher. */
export function reply(fields: Readonly<Record<string, ReplyValue | undefined>>): ReplyDoc {
  const doc: ReplyDoc = new Map();
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) doc.set(key, value);
  }
  return doc;
}

/** A document of plain fields. */
export const fieldsOf = reply as (fields: Readonly<Record<string, Value | undefined>>) => Doc;

export const int = (value: number): Int32 => int32(value);
export const long = (value: number | bigint): bigint => BigInt(value);
