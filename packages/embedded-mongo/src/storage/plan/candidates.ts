import type { Collation } from '../../bson/collation.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileFilter } from '../../query/filter.js';
import type { Collection } from '../collection.js';
import type { StoredIndex } from '../stored-index.js';
import { Fetch, type Residual } from './access.stages.js';
import { coveredBy, type Wanted } from './covered.js';
import { CountScan } from './count.stages.js';
import { geoCandidate } from './geo-candidate.js';
import { implies } from './implication.js';
import { boundIndex, boundWildcard, selectivity, treeRanges } from './index-bounds.js';
import { type Covered, IndexScan } from './index-scan.stage.js';
import { isAll } from './interval.js';
import { splitForSort } from './merged.js';
import { directionFor } from './sort-direction.js';
import { type Sorting, SortMerge } from './order.stages.js';
import type { Conjunction } from './predicate.js';
import type { PlanStage } from './stage.js';
import type { Candidate, PlannedFilter } from './candidate.js';

export const residualOf = (filter: Doc, env: QueryEnv): Residual | undefined =>
  filter.size === 0 ? undefined : { filter, matches: compileFilter(filter, env) };

/**
 * `best`: an index that is better than reading everything. `values`: one that has all values that documents of the filter have
 * at its fields. `hinted`: the one that was asked for, whatever it lacks.
 */
type IndexUse = 'best' | 'values' | 'hinted';

/** How an index can serve a filter and a sort; undefined when it cannot, or not better than reading everything. */
export function candidateOf(
  index: StoredIndex,
  { filter, predicates }: PlannedFilter,
  sort: Doc | undefined,
  collation: Collation | undefined,
  use: IndexUse = 'best',
): Candidate | undefined {
  const { spec } = index;
  if (spec.kind === 'text') return undefined;
  if (spec.partialFilter && use !== 'hinted' && !implies(filter, spec.partialFilter)) return undefined;
  if (spec.kind === '2d' || spec.kind === '2dsphere') return geoCandidate(index, predicates);
  if (spec.kind === 'wildcard') return wildcardCandidate(index, predicates, collation);
  const bounds = boundIndex(index, predicates, collation);
  const direction = sort && directionFor(index, bounds, sort, collation);
  const isBounded = !isAll(bounds.fields[0]!);
  const isComplete = !spec.isSparse || bounds.fields.some((intervals) => !isAll(intervals));
  if (use === 'best' && !(isBounded || direction !== undefined)) return undefined;
  if (use === 'best' && !isComplete) return undefined;
  const candidate: Candidate = {
    index,
    bounds,
    ranges: treeRanges(index, bounds),
    isReversed: direction === -1,
    providesSort: direction !== undefined,
  };
  const parts = sort && direction === undefined ? splitForSort(candidate, sort, collation) : undefined;
  return parts ? { ...candidate, parts, providesSort: true } : candidate;
}

function wildcardCandidate(
  index: StoredIndex,
  predicates: Conjunction['predicates'],
  collation: Collation | undefined,
): Candidate | undefined {
  const bounds = boundWildcard(index, predicates, collation);
  return bounds && { index, bounds, ranges: treeRanges(index, bounds), isReversed: false, providesSort: false };
}

const ESTIMATE_LIMIT = 1_000;
const ESTIMATED_RANGES = 10;

/** About how many keys a candidate reads, exact up to 1,000. */
function estimate({ index, ranges }: Candidate): number {
  let count = 0;
  for (const { from, to } of ranges.slice(0, ESTIMATED_RANGES)) {
    if (count < ESTIMATE_LIMIT) count += index.tree.countRange(from, to, ESTIMATE_LIMIT - count);
  }
  return Math.min(
    ESTIMATE_LIMIT,
    (count * Math.max(ranges.length, 1)) / Math.max(Math.min(ranges.length, ESTIMATED_RANGES), 1),
  );
}

/** The candidates, best first: fewer keys, no sort to be made, more fields bounded. */
export function rank(candidates: readonly Candidate[], hasSort: boolean): Candidate[] {
  if (candidates.length < 2) return [...candidates];
  const rated = candidates.map((candidate) => {
    const { points, isRangeNext } = selectivity(candidate.bounds.fields, candidate.index.spec.collation);
    const keys = Math.ceil(Math.log2(estimate(candidate) + 1));
    const mustSort = hasSort && !candidate.providesSort;
    const isWildcard = Number(candidate.index.spec.kind === 'wildcard');
    return {
      candidate,
      rating: [keys, Number(mustSort), isWildcard, -points, -Number(isRangeNext), candidate.bounds.fields.length],
    };
  });
  rated.sort((a, b) => {
    const place = a.rating.findIndex((value, i) => value !== b.rating[i]);
    return place < 0 ? 0 : a.rating[place]! - b.rating[place]!;
  });
  return rated.map(({ candidate }) => candidate);
}

/** Whether the bounds say all that the filter says. */
export const isExact = ({ bounds }: Candidate, { predicates, alternatives, isComplete }: PlannedFilter): boolean =>
  isComplete && alternatives.length === 0 && predicates.every((predicate) => bounds.exact.has(predicate));

/** The stages that read a candidate's index and check what its bounds leave open; no documents where none is wanted. */
export function stagesOf(
  collection: Collection,
  candidate: Candidate,
  planned: PlannedFilter,
  wanted: Wanted = 'documents',
  sorting?: Sorting,
): PlanStage {
  const residual = isExact(candidate, planned) ? undefined : planned.residual;
  if (candidate.parts && sorting) {
    const scans = candidate.parts.map((part) => scanOf(collection, part));
    return new Fetch(new SortMerge(scans, sorting), residual);
  }
  const scan = scanOf(collection, candidate);
  if (wanted === 'count' && !residual) return candidate.ranges.length === 1 ? new CountScan(scan) : scan;
  const fields = coveredBy(candidate.index, planned, wanted === 'count' ? [] : wanted);
  return fields ? scanOf(collection, candidate, { fields, residual }) : new Fetch(scan, residual);
}

export const scanOf = (
  collection: Collection,
  { index, bounds, ranges, isReversed }: Candidate,
  covered?: Covered,
): IndexScan => new IndexScan(collection, index, bounds, ranges, isReversed, covered);
