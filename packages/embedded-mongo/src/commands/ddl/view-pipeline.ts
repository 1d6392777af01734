import type { Doc } from '../../bson/value.js';
import { compilePipeline, pipelineStages } from '../../query/pipeline.js';
import { arrayArgument, docArgument, stringArgument } from '../arguments.js';
import { queryEnv } from '../crud/query-env.js';
import type { Operation } from '../operation.js';

/**
 * Checks the pipeline of a view that is created or changed.
 * @throws CommandError for a stage that is wrong, or has no place in a view, such as `$out`
 */
export function checkViewPipeline(op: Operation, options: Doc): void {
  const viewOn = stringArgument(options, 'viewOn');
  if (viewOn === undefined) return;
  const env = queryEnv(op, { collation: docArgument(options, 'collation') });
  const stages = pipelineStages(arrayArgument(options, 'pipeline') ?? []);
  compilePipeline(stages, env, { namespace: { db: op.db, coll: viewOn }, enclosures: ['view'] });
}
