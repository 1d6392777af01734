import { isNumeric, toNumber } from '../../bson/number.js';
import { docOf, isDoc, type Doc, type Value } from '../../bson/value.js';
import type { LeadingQuery } from '../env.js';

/** A pipeline taken apart: the query it begins with, and how many stages that took. */
export interface LeadingSplit {
  readonly leading: LeadingQuery;
  readonly count: number;
}

/**
 * Takes what a planner can do off the front of a valid pipeline: `$match` stages, then a `$sort`, then `$skip` and
 * `$limit` in any order. What is left begins with the stage of number `count`.
 */
export function splitPipeline(stages: readonly Value[]): LeadingSplit {
  const filters: Doc[] = [];
  let count = 0;
  for (let filter; (filter = argumentOf(stages[count], '$match')) !== undefined && isDoc(filter); count++) {
    filters.push(filter);
  }
  const sort = argumentOf(stages[count], '$sort');
  const isSortable = isDoc(sort) && [...sort.values()].every((direction) => isNumeric(direction) || isDoc(direction));
  if (isSortable) count++;
  let skip = 0;
  let limit = Infinity;
  for (; ; count++) {
    const [skipped, limited] = [argumentOf(stages[count], '$skip'), argumentOf(stages[count], '$limit')];
    if (isNumeric(skipped) && toNumber(skipped) < limit) {
      skip += toNumber(skipped);
      limit -= toNumber(skipped);
    } else if (isNumeric(limited)) limit = Math.min(limit, toNumber(limited));
    else break;
  }
  return {
    count,
    leading: {
      ...(filters.length > 0 && { filter: conjunction(filters) }),
      ...(isSortable && { sort }),
      ...(skip > 0 && { skip }),
      ...(limit !== Infinity && { limit }),
    },
  };
}

function argumentOf(stage: Value | undefined, name: string): Value | undefined {
  return isDoc(stage) && stage.size === 1 ? stage.get(name) : undefined;
}

function conjunction(filters: readonly Doc[]): Doc {
  const [only] = filters;
  return filters.length === 1 && only ? only : docOf(['$and', [...filters]]);
}
