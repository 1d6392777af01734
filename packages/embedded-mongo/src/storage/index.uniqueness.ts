import type { Doc } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { type Namespace, nsString } from './namespace.js';
import type { ReadView, Writer } from './read-view.js';
import type { RecordId, RecordStore, Slot } from './record-store.js';
import type { StoredIndex } from './stored-index.js';
import { valueText } from './value-text.js';
import { WriteConflict } from './write-conflict.js';

/** A key a record is to get in a unique index. */
interface NewKey {
  readonly index: StoredIndex;
  readonly key: unknown;
  readonly id: RecordId;
  /** The record's document. */
  readonly doc: () => Doc;
}

interface Keeper {
  readonly ns: Namespace;
  readonly records: RecordStore;
}

/** @throws DuplicateKey when a committed record has the key, WriteConflict when a concurrent writer touches it */
export function checkUnique(collection: Keeper, { index, key, id, doc }: NewKey, unit: ReadView & Writer): void {
  if (index.tree.isBehindAll(key)) return;
  const cursor = index.tree.range(key, undefined);
  while (cursor.next() && index.format.compare(cursor.key, key) === 0) {
    if (cursor.id === id) continue;
    const slot = collection.records.get(cursor.id);
    if (holds(index, key, slot, unit)) throw duplicateKey(collection, index, key, doc());
  }
}

function holds(index: StoredIndex, key: unknown, slot: Slot | undefined, unit: ReadView & Writer): boolean {
  if (slot === undefined) return false;
  if (slot instanceof Uint8Array) return true;
  if (slot.unit && slot.unit !== unit) throw new WriteConflict(slot.unit.ended);
  const isHeld = slot.bytes !== undefined && (!slot.older || index.includes(index.keysOfBytes(slot.bytes), key));
  if (!slot.unit && slot.tick > unit.tick) {
    const seen = isHeld || slot.older !== undefined;
    if (seen) throw new WriteConflict();
  }
  return isHeld;
}

function duplicateKey({ ns }: Keeper, index: StoredIndex, key: unknown, doc: Doc): CommandError {
  const { spec } = index;
  const values = index.valuesOf(doc).find((candidate) => index.format.compare(index.format.key(candidate), key) === 0)!;
  const keyValue: Doc = new Map(spec.fields.map((field, i) => [field, values[i]!]));
  const collation = spec.collation ? ` collation: ${valueText(spec.collation.spec)}` : '';
  return new CommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${nsString(ns)} index: ${spec.name}${collation} dup key: ${valueText(keyValue)}`,
    { keyPattern: spec.key, keyValue },
  );
}
