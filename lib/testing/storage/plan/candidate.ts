import type { Collation } from '../../bson/collation.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileFilter } from '../../query/filter.js';
import type { Collection } from '../collection.js';
import type { StoredIndex } from '../stored-index.js';
import { Fetch, IndexScan, type Residual } from './access.stages.js';
import { isSameCollation } from './bounds.js';
import { implies } from './implication.js';
import {
  boundIndex,
  boundWildcard,
  type IndexBounds,
  selectivity,
  treeRanges,
  type TreeRange,
} from './index-bounds.js';
import { isAll, isPoint } from './interval.js';
import type { Conjunction } from './predicate.js';

/** A filter with what the planner needs of it, worked out once. */
export interface PlannedFilter extends Conjunction {
  readonly filter: Doc;
  readonly residual: Residual | undefined;
}

/** One way to read an index for a query. */
export interface Candidate {
  readonly index: StoredIndex;
  readonly bounds: IndexBounds;
  readonly ranges: readonly TreeRange[];
  readonly isReversed: boolean;
  readonly providesSort: boolean;
}

export const residualOf = (filter: Doc, env: QueryEnv): Residual | undefined =>
  filter.size === 0 ? undefined : { filter, matches: compileFilter(filter, env) };

/** How an index can serve a filter and a sort; undefined when it cannot, or not better than reading everything. */
export function candidateOf(
  index: StoredIndex,
  { filter, predicates }: PlannedFilter,
  sort: Doc | undefined,
  collation: Collation | undefined,
  isHinted = false,
): Candidate | undefined {
  const { spec } = index;
  if (!['btree', 'hashed', 'wildcard'].includes(spec.kind)) return undefined;
  if (spec.partialFilter && !implies(filter, spec.partialFilter)) return undefined;
  if (spec.kind === 'wildcard') return wildcardCandidate(index, predicates, collation);
  const bounds = boundIndex(index, predicates, collation);
  const direction = sort && directionFor(index, bounds, sort, collation);
  const isBounded = !isAll(bounds.fields[0]!);
  const isComplete = !spec.isSparse || bounds.fields.some((intervals) => !isAll(intervals));
  if (!isHinted && !(isBounded || direction !== undefined)) return undefined;
  if (!isHinted && !isComplete) return undefined;
  return {
    index,
    bounds,
    ranges: treeRanges(index, bounds),
    isReversed: direction === -1,
    providesSort: direction !== undefined,
  };
}

function wildcardCandidate(
  index: StoredIndex,
  predicates: Conjunction['predicates'],
  collation: Collation | undefined,
): Candidate | undefined {
  if (index.spec.fields.length > 1) return undefined;
  const bounds = boundWildcard(index, predicates, collation);
  return bounds && { index, bounds, ranges: treeRanges(index, bounds), isReversed: false, providesSort: false };
}

/** The direction in which the index gives the documents in the order of `sort`: 1, -1, or undefined. */
function directionFor(
  index: StoredIndex,
  { fields: bounds }: IndexBounds,
  sort: Doc,
  queryCollation: Collation | undefined,
): number | undefined {
  const { spec } = index;
  if (
    !isSameCollation({
      isHashed: false,
      isMultikey: false,
      isSparse: false,
      indexCollation: spec.collation,
      queryCollation,
    })
  ) {
    return undefined;
  }
  const isFixed = (field: number): boolean =>
    bounds[field]!.length === 1 && isPoint(bounds[field]![0]!, spec.collation);
  let field = 0;
  let direction: number | undefined;
  for (const [path, order] of sort) {
    if (!isNumeric(order)) return undefined;
    while (field < bounds.length && spec.fields[field] !== path && isFixed(field)) field++;
    if (spec.fields[field] !== path) {
      const earlier = spec.fields.indexOf(path);
      if (earlier >= 0 && earlier < field && isFixed(earlier) && !index.multikeyFields.has(earlier)) continue;
      return undefined;
    }
    if (spec.isHashed[field] || (index.multikeyFields.has(field) && !(isAll(bounds[field]!) && sort.size === 1)))
      return undefined;
    if (!isFixed(field)) {
      const wanted = Math.sign(toNumber(order)) * (spec.isDescending[field] ? -1 : 1);
      if (direction !== undefined && direction !== wanted) return undefined;
      direction = wanted;
    }
    field++;
  }
  return direction ?? 1;
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

/** The stages that read a candidate's index and check what its bounds leave open. */
export function stagesOf(collection: Collection, candidate: Candidate, planned: PlannedFilter): Fetch {
  const { index, bounds, ranges, isReversed } = candidate;
  const scan = new IndexScan(collection, index, bounds, ranges, isReversed);
  return new Fetch(scan, isExact(candidate, planned) ? undefined : planned.residual);
}
