import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compilePositionalFilter } from '../../query/filter.js';
import type { MatchDetails } from '../../query/filter.js';

/** Which array element a filter matched, for the positional `$`. */
export type PositionFinder = (doc: Doc) => number;

export function positionFinder(filter: Doc, env: QueryEnv): PositionFinder {
  const matches = compilePositionalFilter(filter, env);
  return (doc) => {
    const details: MatchDetails = { index: -1 };
    return matches(doc, details) ? details.index : -1;
  };
}
