import { Int32 } from 'bson';
import { encodeDoc } from '../../../src/bson/encode.js';
import type { Doc, Value } from '../../../src/bson/value.js';
import { plainEnv } from '../../../src/query/env.js';
import type { Collection } from '../../../src/storage/collection.js';
import { planQuery } from '../../../src/storage/plan/planner.js';
import { LATEST, type ReadView } from '../../../src/storage/read-view.js';
import type { Storage } from '../../../src/storage/storage.js';
import type { WriteUnit } from '../../../src/storage/write-unit.js';
import type { PlanRequest } from '../../../src/storage/plan/plan-request.js';

export type Plain = { [name: string]: unknown };

/** A document from a literal: integers become int32, plain objects documents. */
export const docFrom = (plain: Plain): Doc =>
  new Map(Object.entries(plain).map(([name, value]) => [name, valueFrom(value)]));

function valueFrom(value: unknown): Value {
  if (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0)) return new Int32(value);
  if (Array.isArray(value)) return value.map(valueFrom);
  const isPlain =
    typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isPlain ? docFrom(value as Plain) : (value as Value);
}

export const bytesFrom = (plain: Plain): Uint8Array => encodeDoc(docFrom(plain));

export const NS = { db: 'shop', coll: 'orders' };

/** Runs one unit and commits it. */
export function inUnit<T>(storage: Storage, work: (unit: WriteUnit) => T): T {
  const unit = storage.beginWrite();
  try {
    const result = work(unit);
    unit.commit();
    return result;
  } catch (error) {
    unit.abort();
    throw error;
  }
}

export const collectionOf = (storage: Storage, options: Plain = {}): Collection =>
  inUnit(storage, (unit) => storage.catalog.create(unit, NS, docFrom(options)) as Collection);

export const insertAll = (storage: Storage, collection: Collection, docs: Plain[]): number[] =>
  inUnit(storage, (unit) => docs.map((doc) => unit.insert(collection, bytesFrom(doc))));

export const createIndex = (storage: Storage, collection: Collection, key: Plain, options: Plain = {}): Doc[] =>
  inUnit(storage, (unit) => collection.indexes.create(unit, [docFrom({ key, ...options })]));

export const plan = (collection: Collection, filter: Plain, rest: Omit<PlanRequest, 'filter'> = {}, env = plainEnv()) =>
  planQuery(collection, { filter: docFrom(filter), ...rest }, env);

/** The `_id`s a query finds, as strings. */
export const find = (collection: Collection, filter: Plain, view: ReadView = LATEST): string[] =>
  [...plan(collection, filter).run(view)].map(({ doc }) => String(doc.get('_id')));
