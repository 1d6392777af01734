import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import type { Collection } from '../collection.js';
import { Fetch, isSamePattern, plannerError } from './access.stages.js';
import { candidateOf, stagesOf } from './candidates.js';
import type { Wanted } from './covered.js';
import { IndexScan } from './index-scan.stage.js';
import { MAX, MIN } from './interval.js';
import type { Sorting } from './order.stages.js';
import type { AccessPath } from './stage.js';
import type { PlannedFilter } from './candidate.js';

/** Reads the index that a hint names, from `min` and up to `max` where they are given. @throws CommandError BadValue */
export function hinted(
  collection: Collection,
  hint: Doc | string,
  min: Doc | undefined,
  max: Doc | undefined,
  planned: PlannedFilter,
  sorting: Sorting | undefined,
  wanted: Wanted,
  env: QueryEnv,
): AccessPath {
  const index = collection.indexes
    .list()
    .find(({ spec }) => !spec.isHidden && (isDoc(hint) ? isSamePattern(spec.key, hint) : spec.name === hint));
  if (!index) {
    throw plannerError(collection, 'BadValue', 'hint provided does not correspond to an existing index');
  }
  const candidate = candidateOf(index, planned, min || max ? undefined : sorting?.pattern, env.collation, 'hinted');
  if (!candidate) throw plannerError(collection, 'NoQueryExecutionPlans', 'No query solutions');
  if (!min && !max) {
    const stage = stagesOf(collection, candidate, planned, wanted, sorting);
    return { stage, providesSort: candidate.providesSort };
  }
  const limits = {
    from: min && index.format.edge(limitValues(min, index.spec.key, 'min'), false),
    to: max && index.format.edge(limitValues(max, index.spec.key, 'max'), false),
  };
  const fields = index.spec.fields.map((field) => [
    { low: min?.get(field) ?? MIN, isLowIn: true, high: max?.get(field) ?? MAX, isHighIn: false },
  ]);
  const scan = new IndexScan(collection, index, { fields, exact: new Set() }, [limits], false);
  return { stage: new Fetch(scan, planned.residual), providesSort: false };
}

/** The values of `min` or `max`, which must name the index's fields in its order. */
function limitValues(limit: Doc, key: Doc, which: string): Value[] {
  const names = [...limit.keys()];
  if (names.length !== key.size || [...key.keys()].some((field, i) => field !== names[i])) {
    throw new CommandError(
      51174,
      `The index specified with hint is not compatible with the ${which} values provided: its fields are ${[...key.keys()].join(', ')}`,
    );
  }
  return [...limit.values()];
}
