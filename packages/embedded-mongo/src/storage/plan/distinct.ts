import { type Collation, isSameCollation } from '../../bson/collation.js';
import { int32, isDoc } from '../../bson/value.js';
import type { Collection } from '../collection.js';
import { isSamePattern } from './access.stages.js';
import { candidateOf, isExact, scanOf } from './candidates.js';
import { rootOf } from '../../bson/path.js';
import { DistinctScan } from './index-scan.stage.js';
import { isPoint } from './interval.js';
import type { PlanRequest } from './plan-request.js';
import { Projection } from './projection.stage.js';
import type { PlanStage } from './stage.js';
import type { PlannedFilter } from './candidate.js';

/** Reads one record for each value of the request's `distinctKey`; undefined where no index can tell them. */
export function distinctScan(
  collection: Collection,
  { distinctKey: key, hint, filter }: PlanRequest,
  planned: PlannedFilter,
  collation: Collation | undefined,
): PlanStage | undefined {
  if (key === undefined) return undefined;
  for (const index of collection.indexes.list()) {
    const { spec } = index;
    const width = spec.fields.indexOf(key) + 1;
    const isMeant = hint === undefined || (isDoc(hint) ? isSamePattern(spec.key, hint) : spec.name === hint);
    if (!isMeant || spec.isHidden || width === 0 || spec.kind !== 'btree') continue;
    if (index.isMultikey && !(filter.size === 0 && spec.fields.length === 1 && !key.includes('.'))) continue;
    if (!isSameCollation(spec.collation, collation)) continue;
    const candidate = candidateOf(index, planned, undefined, collation, hint === undefined ? 'values' : 'hinted');
    if (!candidate || !isExact(candidate, planned)) continue;
    const before = candidate.bounds.fields.slice(0, width - 1);
    if (!before.every((intervals) => intervals.every((each) => isPoint(each, spec.collation)))) continue;
    const fields = new Set(spec.fields.slice(0, width).map(rootOf));
    const scan = new DistinctScan(scanOf(collection, candidate), fields, width);
    return new Projection(scan, new Map([['_id', int32(0)], [key, int32(1)]]), true); // prettier-ignore
  }
  return undefined;
}
