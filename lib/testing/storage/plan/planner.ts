import { BSONRegExp } from 'bson';
import { isNumeric, toNumber } from '../../bson/number.js';
import { BsonUndefined, type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import { isOperatorDoc } from '../../query/filter.js';
import { type SortOrder, sortOrder } from '../../query/sort.js';
import type { Collection } from '../collection.js';
import {
  CollectionScan,
  EndOfFile,
  Fetch,
  IdLookup,
  IndexScan,
  isSamePattern,
  Or,
  plannerError,
} from './access.stages.js';
import { isSameCollation } from './bounds.js';
import { type Candidate, candidateOf, type PlannedFilter, rank, residualOf, stagesOf } from './candidate.js';
import { geoNear } from './geo-near.stage.js';
import { hasText } from '../../query/metadata.js';
import { noTextSearch } from '../../query/text/text-query.js';
import { textEnv, textMatch } from './text.stage.js';
import { MAX, MIN } from './interval.js';
import { Limit, Skip, Sort } from './order.stages.js';
import { conjunctionOf } from './predicate.js';
import { QueryPlan } from './query-plan.js';
import type { PlanStage } from './stage.js';

/** What to read, as `find` and the first stages of a pipeline say it. */
export interface PlanRequest {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly skip?: number | undefined;
  /** Absent or 0 for no limit. */
  readonly limit?: number | undefined;
  /** An index's name or key pattern, or `{ $natural: ±1 }`. */
  readonly hint?: Doc | string | undefined;
  readonly min?: Doc | undefined;
  readonly max?: Doc | undefined;
}

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
    return new QueryPlan(new EndOfFile(), [], request, env);
  }
  const { filter } = request;
  const env = textEnv(collection, filter, given);
  const sort = request.sort && request.sort.size > 0 && !request.sort.has('$natural') ? request.sort : undefined;
  const order = sort && sortOrder(sort, env); // checked even where an index gives the order
  const finish = (path: AccessPath): PlanStage => ordered(path, request, sort, order);
  const byId = idLookup(collection, request, env);
  if (byId) return new QueryPlan(byId, [], request, env, collection);
  const special = textMatch(collection, filter, env) ?? geoNear(collection, filter, env);
  if (special) return new QueryPlan(finish({ stage: special, providesSort: false }), [], request, env, collection);
  const residual = residualOf(filter, env); // checks the filter, before it is taken apart
  const planned: PlannedFilter = { ...partsOf(filter), filter, residual };
  const [best, ...others] = accessPaths(collection, request, planned, sort, env);
  return new QueryPlan(finish(best!), others.map(finish), request, env, collection);
}

interface AccessPath {
  readonly stage: PlanStage;
  readonly providesSort: boolean;
}

const partsOf = (filter: Doc) => {
  const { predicates, alternatives, isComplete } = conjunctionOf(filter);
  return { predicates, alternatives, isComplete };
};

function ordered(
  { stage, providesSort }: AccessPath,
  request: PlanRequest,
  sort: Doc | undefined,
  order: SortOrder | undefined,
): PlanStage {
  const { skip = 0, limit = 0 } = request;
  let top = stage;
  if (sort && order && !providesSort) top = new Sort(top, sort, order, limit > 0 ? skip + limit : Infinity);
  if (skip > 0) top = new Skip(top, skip);
  if (limit > 0) top = new Limit(top, limit);
  return top;
}

/** The ways to read, the best first. */
function accessPaths(
  collection: Collection,
  request: PlanRequest,
  planned: PlannedFilter,
  sort: Doc | undefined,
  env: QueryEnv,
): AccessPath[] {
  const { hint, min, max } = request;
  const natural = naturalOf(hint) ?? naturalOf(request.sort);
  if (natural !== undefined) {
    return [{ stage: new CollectionScan(collection, planned.residual, natural < 0), providesSort: sort === undefined }];
  }
  if (hint !== undefined && !(isDoc(hint) && hint.size === 0))
    return [hinted(collection, hint, min, max, planned, sort, env)];
  if (min || max) {
    throw new CommandError(51173, 'When using min()/max() a hint of which index to use must be provided');
  }
  const usable = collection.indexes.list().filter(({ spec }) => !spec.isHidden);
  const candidates = usable.map((index) => candidateOf(index, planned, sort, env.collation));
  const ranked = rank(
    candidates.filter((each): each is Candidate => each !== undefined),
    sort !== undefined,
  );
  const paths = ranked.map((candidate): AccessPath => ({
    stage: stagesOf(collection, candidate, planned),
    providesSort: candidate.providesSort,
  }));
  if (paths.length > 0) return paths;
  const union = anyClause(collection, planned, env);
  return [{ stage: union ?? new CollectionScan(collection, planned.residual, false), providesSort: false }];
}

const naturalOf = (order: Doc | string | undefined): number | undefined => {
  const natural = isDoc(order) ? order.get('$natural') : undefined;
  return isNumeric(natural) ? toNumber(natural) : undefined;
};

/** A filter that is only an equality on `_id` needs no bounds, no decoding and no choice. */
function idLookup(
  collection: Collection,
  { filter, hint, min, max, sort, skip }: PlanRequest,
  { collation }: QueryEnv,
): IdLookup | undefined {
  if (filter.size !== 1 || hint !== undefined || min || max || skip || sort?.has('$natural')) return undefined;
  const condition = filter.get('_id');
  const value = isOperatorDoc(condition) && condition.size === 1 ? condition.get('$eq') : condition;
  const index = collection.indexes.id;
  if (!index || !isIdValue(value)) return undefined;
  const context = { isHashed: false, isMultikey: false, isSparse: false, queryCollation: collation };
  if (!isSameCollation({ ...context, indexCollation: index.spec.collation })) return undefined;
  return new IdLookup(collection, index, value);
}

const isIdValue = (value: Value | undefined): value is Value =>
  value !== undefined &&
  value !== null &&
  !isOperatorDoc(value) &&
  !Array.isArray(value) &&
  !(value instanceof BSONRegExp) &&
  !(value instanceof BsonUndefined);

/** The clauses of an `$or`, each by an index of its own. */
function anyClause(collection: Collection, planned: PlannedFilter, env: QueryEnv): PlanStage | undefined {
  for (const clauses of planned.alternatives) {
    const scans = clauses.map((clause) => {
      const filter = new Map(clause);
      const part: PlannedFilter = { ...partsOf(filter), filter, residual: residualOf(filter, env) };
      const candidates = collection.indexes
        .list()
        .filter(({ spec }) => !spec.isHidden)
        .map((index) => candidateOf(index, part, undefined, env.collation))
        .filter((each): each is Candidate => each !== undefined);
      const [best] = rank(candidates, false);
      return best && stagesOf(collection, best, part);
    });
    if (scans.length === 0 || scans.some((scan) => !scan)) continue;
    return new Fetch(new Or(scans as PlanStage[]), planned.residual);
  }
  return undefined;
}

function hinted(
  collection: Collection,
  hint: Doc | string,
  min: Doc | undefined,
  max: Doc | undefined,
  planned: PlannedFilter,
  sort: Doc | undefined,
  env: QueryEnv,
): AccessPath {
  const index = collection.indexes
    .list()
    .find(({ spec }) => !spec.isHidden && (isDoc(hint) ? isSamePattern(spec.key, hint) : spec.name === hint));
  if (!index) {
    throw plannerError(collection, 'BadValue', 'hint provided does not correspond to an existing index');
  }
  const candidate = candidateOf(index, planned, min || max ? undefined : sort, env.collation, true);
  if (!candidate) throw plannerError(collection, 'NoQueryExecutionPlans', 'No query solutions');
  if (!min && !max) return { stage: stagesOf(collection, candidate, planned), providesSort: candidate.providesSort };
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
