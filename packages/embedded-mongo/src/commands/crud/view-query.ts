import type { Pause } from '../../bson/pause.js';
import type { Doc } from '../../bson/value.js';
import type { LeadingQuery, QueryEnv } from '../../query/env.js';
import type { Namespace } from '../../storage/namespace.js';
import type { ReadView } from '../../storage/read-view.js';
import { OperationPipelineHost, stagesOf } from '../aggregate/pipeline-host.js';
import { runPipeline } from '../aggregate/run-pipeline.js';
import { countArgument, docArgument } from '../arguments.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { namespaceOf } from './namespace-argument.js';

/** The documents of a view, or of a collection made when it is read, that match, as count and distinct read them. */
export function readFromView(
  op: Operation,
  ns: Namespace,
  readView: ReadView,
  query: LeadingQuery,
  env: QueryEnv,
): Iterable<Doc | Pause> {
  const host = new OperationPipelineHost(op, readView);
  return host.read(ns, query, { ...env, host });
}

/** A find on a view is an aggregation of the same meaning. */
export function findInView(op: Operation, query: LeadingQuery): ReplyDoc | Promise<ReplyDoc> {
  const projection = docArgument(op.args, 'projection');
  const stages = stagesOf(query);
  if (projection && projection.size > 0) stages.push(new Map([['$project', projection]]));
  return runPipeline(op, namespaceOf(op), stages, countArgument(op.args, 'batchSize'));
}
