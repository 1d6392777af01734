import type { Doc } from '../../bson/value.js';
import { nsString } from '../../storage/namespace.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { Operation } from '../operation.js';
import { fieldsOf } from '../reply.js';
import { namespaceOf } from './namespace-argument.js';
import { queryEnv } from './query-env.js';
import { openReadView } from './read-view.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';

/**
 * How a command that reads or changes one collection would go about it.
 * @param stage what it does with what the plan finds, such as `UPDATE`
 */
export function explainQuery(
  op: Operation,
  hasStats: boolean,
  request: PlanRequest,
  collation: Doc | undefined,
  stage?: string,
): Doc {
  const { view } = openReadView(op);
  const ns = namespaceOf(op);
  const entry = op.server.storage.catalog.find(ns, view);
  const collection = entry?.kind === 'collection' ? entry : undefined;
  const plan = planQuery(collection, request, queryEnv(op, { collation, collection }));
  const planner = plan.queryPlannerDoc();
  planner.set('namespace', nsString(ns));
  if (stage) planner.set('winningPlan', fieldsOf({ stage, inputStage: planner.get('winningPlan') }));
  const executionStats = hasStats ? plan.executionStatsDoc(view) : undefined;
  return fieldsOf({ queryPlanner: planner, executionStats });
}
