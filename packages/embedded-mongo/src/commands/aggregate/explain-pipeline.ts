import type { Doc, Value } from '../../bson/value.js';
import { compilePipeline, pipelineStages } from '../../query/pipeline.js';
import { nsString } from '../../storage/namespace.js';
import { planQuery } from '../../storage/plan/planner.js';
import { docArgument } from '../arguments.js';
import { queryEnv } from '../crud/query-env.js';
import { openReadView } from '../crud/read-view.js';
import type { Operation } from '../operation.js';
import { fieldsOf } from '../reply.js';
import { aggregateNamespace } from './aggregate-namespace.js';
import { OperationPipelineHost } from './pipeline-host.js';
import { leadingRequest } from './run-pipeline.js';

/** How an aggregate would read what its pipeline begins with, and the stages that come after. */
export function explainPipeline(op: Operation, hasStats: boolean): Doc {
  const namespace = aggregateNamespace(op);
  const { view } = openReadView(op);
  const { db, coll } = namespace;
  const entry = coll === undefined ? undefined : op.server.storage.catalog.find({ db, coll }, view);
  const isView = entry?.kind === 'view';
  const collection = isView ? op.server.storage.catalog.collection({ db, coll: entry.viewOn }, view) : entry;
  const given = pipelineStages(op.args.get('pipeline'));
  const stages = isView ? [...entry.pipeline, ...given] : given;
  const host = new OperationPipelineHost(op, view);
  const env = { ...queryEnv(op, { collation: docArgument(op.args, 'collation'), collection }), host };
  const pipeline = compilePipeline(stages as Value[], env, { namespace });
  const { leading } = pipeline;
  const plan = planQuery(collection, leadingRequest(op, pipeline), env);
  const planner = plan.queryPlannerDoc();
  if (coll !== undefined) planner.set('namespace', nsString({ db, coll: isView ? entry.viewOn : coll }));
  const executionStats = hasStats ? plan.executionStatsDoc(view) : undefined;
  const taken = [leading.filter, leading.sort, leading.skip, leading.limit].filter((part) => part !== undefined).length;
  const rest = stages.slice(taken);
  const cursor = fieldsOf({ queryPlanner: planner, executionStats });
  return rest.length === 0 ? cursor : fieldsOf({ stages: [fieldsOf({ $cursor: cursor }), ...rest] });
}
