import { BSONRegExp } from 'bson';
import { isSameCollation } from '../../bson/collation.js';
import { BsonUndefined, type Value } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { isOperatorDoc } from '../../query/filter.js';
import type { Collection } from '../collection.js';
import { IdLookup } from './access.stages.js';
import type { PlanRequest } from './plan-request.js';

/** A filter that is only an equality on `_id` needs no bounds, no decoding and no choice. */
export function idLookup(
  collection: Collection,
  { filter, hint, min, max, sort, skip }: PlanRequest,
  { collation }: QueryEnv,
): IdLookup | undefined {
  if (filter.size !== 1 || hint !== undefined || min || max || skip || sort?.has('$natural')) return undefined;
  const condition = filter.get('_id');
  const value = isOperatorDoc(condition) && condition.size === 1 ? condition.get('$eq') : condition;
  const index = collection.indexes.id;
  if (!index || !isIdValue(value) || !isSameCollation(index.spec.collation, collation)) return undefined;
  return new IdLookup(collection, index, value);
}

const isIdValue = (value: Value | undefined): value is Value =>
  value !== undefined &&
  value !== null &&
  !isOperatorDoc(value) &&
  !Array.isArray(value) &&
  !(value instanceof BSONRegExp) &&
  !(value instanceof BsonUndefined);
