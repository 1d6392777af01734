import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compilePositionalFilter } from '../../query/filter.js';
import type { MatchDetails } from '../../query/filter.js';
import type { Collection } from '../../storage/collection.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import type { Match } from '../../storage/plan/stage.js';
import type { WriteUnit } from '../../storage/write-unit.js';

/** The records of a collection that a write concerns, in order. Take all before the first is changed. */
export const matchRecords = (
  collection: Collection,
  unit: WriteUnit,
  env: QueryEnv,
  request: PlanRequest,
): Iterable<Match> => planQuery(collection, request, env).run(unit);

/** Which array element a filter matched, for the positional `$`. */
export type PositionFinder = (doc: Doc) => number;

export function positionFinder(filter: Doc, env: QueryEnv): PositionFinder {
  const matches = compilePositionalFilter(filter, env);
  return (doc) => {
    const details: MatchDetails = { index: -1 };
    return matches(doc, details) ? details.index : -1;
  };
}

/** The first of the items, if any, as a list. */
export function firstOf<T>(items: Iterable<T>): T[] {
  for (const item of items) return [item];
  return [];
}
