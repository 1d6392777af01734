import { isNumeric, toNumber } from '../../bson/number.js';
import { type Doc, isDoc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import { sortOrder } from '../../query/sort.js';
import type { Collection } from '../collection.js';
import { CollectionScan, EndOfFile, Fetch, type IdLookup, Or, plannerError } from './access.stages.js';
import { candidateOf, isExact, rank, residualOf, scanOf, stagesOf } from './candidates.js';
import { Count, FastCount } from './count.stages.js';
import { type Wanted } from './covered.js';
import { distinctScan } from './distinct.js';
import { geoNear } from './geo-near.stage.js';
import { hasText } from '../../query/metadata.js';
import { noTextSearch } from '../../query/text/text-query.js';
import { textEnv, textMatch } from './text.stage.js';
import { IndexScan } from './index-scan.stage.js';
import { hinted } from './hinted.js';
import { idLookup } from './id-lookup.js';
import { isAll } from './interval.js';
import { Limit, Skip, Sort, type Sorting, SortMerge } from './order.stages.js';
import { conjunctionOf } from './predicate.js';
import { keptPaths, Projection } from './projection.stage.js';
import { QueryPlan } from './query-plan.js';
import type { AccessPath, PlanStage } from './stage.js';
import type { Candidate, PlannedFilter } from './candidate.js';
import { rootOf } from '../../bson/path.js';
import type { PlanRequest } from './plan-request.js';

/**
 * Chooses how to read a collection for a request. `env.collation` is the collation in force: the command's, or else
 * the collection's.
 *
 * A plan reads lazily and may go on after writes in between; a caller that writes to what it reads takes all matches
 * first. Run a plan once.
 *
 * @param collection undefined for a collection that does not exist: nothing is found
 * @throws CommandError what the filter and the sort throw; BadValue for a hint that names no index
 */
export function planQuery(collection: Collection | undefined, request: PlanRequest, given: QueryEnv): QueryPlan {
  if (!collection) {
    const env = hasText(request.filter) ? { ...given, textSearch: noTextSearch } : given;
    residualOf(request.filter, env);
    const nothing = new EndOfFile();
    return new QueryPlan(request.isCount ? counted(nothing, request) : nothing, [], request, env);
  }
  const { filter } = request;
  const env = textEnv(collection, filter, given);
  const sort = request.sort && request.sort.size > 0 && !request.sort.has('$natural') ? request.sort : undefined;
  const sorting = sort && { pattern: sort, order: sortOrder(sort, env) }; // checked even where an index gives the order
  const finish = (path: AccessPath): PlanStage =>
    request.isCount ? counted(path.stage, request) : ordered(path, request, sorting);
  const byId = idLookup(collection, request, env);
  if (byId) return new QueryPlan(aroundId(byId, request), [], request, env, collection);
  const special = textMatch(collection, filter, env) ?? geoNear(collection, filter, env);
  if (special) return new QueryPlan(finish({ stage: special, providesSort: false }), [], request, env, collection);
  const residual = residualOf(filter, env); // checks the filter, before it is taken apart
  const planned: PlannedFilter = { ...partsOf(filter), filter, residual };
  if (hasText(filter)) assertTextIsIndexed(collection, planned, env);
  const distinct = distinctScan(collection, request, planned, env.collation);
  if (distinct) return new QueryPlan(distinct, [], request, env, collection);
  if (request.isCount && filter.size === 0 && request.hint === undefined) {
    const { skip = 0, limit = 0 } = request;
    return new QueryPlan(new FastCount(collection, skip, limit || Infinity), [], request, env, collection);
  }
  const [best, ...others] = accessPaths(collection, request, planned, sorting, env);
  return new QueryPlan(finish(best!), others.map(finish), request, env, collection);
}

/** @throws CommandError NoQueryExecutionPlans (291) for a `$text` in an `$or` that has a clause without an index */
function assertTextIsIndexed(collection: Collection, { alternatives }: PlannedFilter, env: QueryEnv): void {
  for (const clauses of alternatives) {
    if (!clauses.some(hasText)) continue;
    for (const filter of clauses) {
      const part: PlannedFilter = { ...partsOf(filter), filter, residual: undefined };
      assertTextIsIndexed(collection, part, env);
      if (textMatch(collection, filter, env) || part.alternatives.some((inner) => inner.some(hasText))) continue;
      if (rankedFor(collection, part, undefined, env).length > 0 || anyClause(collection, part, undefined, env))
        continue;
      throw plannerError(
        collection,
        'NoQueryExecutionPlans',
        'Failed to produce a solution for TEXT under OR - other non-TEXT clauses under OR have to be indexed as well.',
      );
    }
  }
}

const partsOf = (filter: Doc) => {
  const { predicates, alternatives, isComplete } = conjunctionOf(filter);
  return { predicates, alternatives, isComplete };
};

function ordered({ stage, providesSort }: AccessPath, request: PlanRequest, sorting: Sorting | undefined): PlanStage {
  const { skip = 0, limit = 0, projection } = request;
  const isCovered = stage instanceof IndexScan;
  let top = stage;
  if (sorting && !providesSort) top = new Sort(top, sorting, limit > 0 ? skip + limit : Infinity);
  if (skip > 0) top = new Skip(top, skip);
  if (projection?.size) top = new Projection(top, projection, isCovered);
  if (limit > 0) top = new Limit(top, limit);
  return top;
}

/** One document needs no order and no limit. */
function aroundId(lookup: IdLookup, request: PlanRequest): PlanStage {
  if (request.isCount) return counted(lookup, request);
  return request.projection?.size ? new Projection(lookup, request.projection, false) : lookup;
}

const counted = (stage: PlanStage, { skip = 0, limit = 0 }: PlanRequest): PlanStage =>
  new Count(stage, skip, limit > 0 ? limit : Infinity);

/** What a plan has to give of its matches. */
function wantedOf({ isCount, projection, fields }: PlanRequest, sorting: Sorting | undefined): Wanted {
  if (isCount) return 'count';
  const kept = fields ?? (projection && projection.size > 0 ? keptPaths(projection) : undefined);
  return kept ? [...kept, ...(sorting?.pattern.keys() ?? [])] : 'documents';
}

/** The ways to read, the best first. */
function accessPaths(
  collection: Collection,
  request: PlanRequest,
  planned: PlannedFilter,
  sorting: Sorting | undefined,
  env: QueryEnv,
): AccessPath[] {
  const { hint, min, max } = request;
  const natural = naturalOf(hint) ?? naturalOf(request.sort);
  if (natural !== undefined) {
    return [{ stage: new CollectionScan(collection, planned.residual, natural < 0), providesSort: !sorting }];
  }
  const wanted = wantedOf(request, sorting);
  if (hint !== undefined && !(isDoc(hint) && hint.size === 0))
    return [hinted(collection, hint, min, max, planned, sorting, wanted, env)];
  if (min || max) {
    throw new CommandError(51173, 'When using min()/max() a hint of which index to use must be provided');
  }
  const ranked = rankedFor(collection, planned, sorting?.pattern, env);
  const paths = ranked.map((candidate): AccessPath => ({
    stage: stagesOf(collection, candidate, planned, wanted, sorting),
    providesSort: candidate.providesSort,
  }));
  const isBounded = ranked[0] && !isAll(ranked[0].bounds.fields[0]!);
  const merged = sorting && !isBounded && anyClause(collection, planned, sorting, env);
  if (merged) return [{ stage: merged, providesSort: true }, ...paths];
  if (paths.length > 0) return paths;
  const union = anyClause(collection, planned, undefined, env);
  const fields = Array.isArray(wanted) && !planned.residual ? new Set(wanted.map(rootOf)) : undefined;
  return [{ stage: union ?? new CollectionScan(collection, planned.residual, false, fields), providesSort: false }];
}

/** How the indexes of a collection can serve, the best first. */
function rankedFor(collection: Collection, planned: PlannedFilter, sort: Doc | undefined, env: QueryEnv): Candidate[] {
  const usable = collection.indexes.list().filter(({ spec }) => !spec.isHidden);
  const candidates = usable.map((index) => candidateOf(index, planned, sort, env.collation));
  return rank(
    candidates.filter((each): each is Candidate => each !== undefined),
    sort !== undefined,
  );
}

const naturalOf = (order: Doc | string | undefined): number | undefined => {
  const natural = isDoc(order) ? order.get('$natural') : undefined;
  return isNumeric(natural) ? toNumber(natural) : undefined;
};

/** The clauses of an `$or`, each by an index of its own; merged in the order of a sort where all can give it. */
function anyClause(
  collection: Collection,
  planned: PlannedFilter,
  sorting: Sorting | undefined,
  env: QueryEnv,
): PlanStage | undefined {
  for (const clauses of planned.alternatives) {
    const scans: PlanStage[] = [];
    for (const clause of clauses) {
      const filter = new Map(clause);
      const part: PlannedFilter = { ...partsOf(filter), filter, residual: residualOf(filter, env) };
      const [best] = rankedFor(collection, part, sorting?.pattern, env);
      if (!best || (sorting && !best.providesSort) || best.parts) break;
      scans.push(isExact(best, part) ? scanOf(collection, best) : stagesOf(collection, best, part));
    }
    if (scans.length === 0 || scans.length < clauses.length) continue;
    const union = sorting ? new SortMerge(scans, sorting) : new Or(scans);
    return new Fetch(union, planned.filter.size === 1 && planned.filter.has('$or') ? undefined : planned.residual);
  }
  return undefined;
}
