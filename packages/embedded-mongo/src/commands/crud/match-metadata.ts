import { getPath, splitPath } from '../../bson/path.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import type { QueryMetadata } from '../../query/metadata.js';
import { sortOrder } from '../../query/sort.js';
import type { QueryPlan } from '../../storage/plan/query-plan.js';
import type { Match } from '../../storage/plan/stage.js';
import { docArgument } from '../arguments.js';

/** Notes of each match what `$meta` asks for and no filter has noted. */
export function metadataWriter(
  metadata: QueryMetadata,
  plan: QueryPlan,
  sort: Doc | undefined,
  env: QueryEnv,
): (match: Match) => void {
  const { wanted } = metadata;
  const order = wanted.has('sortKey') && sort?.size ? sortOrder(sort, env) : undefined;
  const keyOf = keyProjection(plan);
  return ({ id, doc }: Match): void => {
    if (order) metadata.set(doc, 'sortKey', order.keyOf(doc));
    if (wanted.has('recordId')) metadata.set(doc, 'recordId', BigInt(id));
    const key = wanted.has('indexKey') ? keyOf(doc) : undefined;
    if (key?.size) metadata.set(doc, 'indexKey', key);
  };
}

/** `returnKey`: the fields of the index that was used, and nothing without one. */
export function keyProjection(plan: QueryPlan): (doc: Doc) => Doc {
  let stage = docArgument(plan.queryPlannerDoc(), 'winningPlan');
  while (stage && !stage.has('keyPattern') && stage.get('stage') !== 'IDHACK') stage = docArgument(stage, 'inputStage');
  const fields =
    stage?.get('stage') === 'IDHACK' ? ['_id'] : [...((stage && docArgument(stage, 'keyPattern'))?.keys() ?? [])];
  return (doc) => new Map(fields.map((field) => [field, getPath(doc, splitPath(field)) ?? null]));
}
