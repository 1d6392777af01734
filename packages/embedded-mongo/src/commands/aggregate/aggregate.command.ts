import { CommandError } from '../../errors.js';
import { isDoc, type Doc } from '../../bson/value.js';
import { pipelineStages } from '../../query/pipeline.js';
import { ArgumentParser, boolArgument, countArgument, docArgument } from '../arguments.js';
import { openChangeStream } from '../change-stream/open-change-stream.js';
import type { Command } from '../command.js';
import { explainReply } from '../diagnostics/explain-reply.js';
import type { Operation } from '../operation.js';
import { aggregateNamespace } from './aggregate-namespace.js';
import { explainPipeline } from './explain-pipeline.js';
import { runPipeline } from './run-pipeline.js';

const CURSOR = new ArgumentParser('cursor', { batchSize: 'number' });

export const aggregate: Command = {
  name: 'aggregate',
  isInApiV1: true,
  isAllowedInTransaction: true,
  takesReadConcern: true,
  takesWriteConcern: true,
  args: {
    aggregate: 'any',
    pipeline: 'array!',
    explain: 'safeBool',
    allowDiskUse: 'safeBool',
    cursor: 'any',
    collation: 'object',
    hint: 'any',
    bypassDocumentValidation: 'safeBool',
    let: 'object',
    fromMongos: 'any',
    needsMerge: 'any',
    isMapReduceCommand: 'any',
    collectionUUID: 'binData',
  },
  run(op) {
    const { args } = op;
    const stages = pipelineStages(args.get('pipeline'));
    if (boolArgument(args, 'explain')) {
      if (args.has('writeConcern')) {
        throw new CommandError('FailedToParse', "Aggregation explain does not support the'writeConcern' option");
      }
      return explainReply(op, explainPipeline, false);
    }
    const given = args.get('cursor');
    if (given != null && !isDoc(given)) {
      throw new CommandError('TypeMismatch', 'cursor field must be missing or an object');
    }
    const cursor = docArgument(args, 'cursor');
    if (!cursor) {
      throw new CommandError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    CURSOR.check(cursor);
    const namespace = aggregateNamespace(op);
    const batchSize = countArgument(cursor, 'batchSize');
    checkReadConcern(op, stages);
    if (stages[0]?.has('$changeStream')) return openChangeStream(op, namespace, stages, batchSize);
    return runPipeline(op, namespace, stages, batchSize);
  },
  explain: explainPipeline,
};

/** Stages that tell of the server's own state, and so of no other point in time. */
const LOCAL_ONLY = ['$currentOp', '$listLocalSessions', '$listSessions', '$listSearchIndexes'];

function checkReadConcern({ generic }: Operation, stages: readonly Doc[]): void {
  const level = generic.readConcern?.level ?? 'local';
  const stage = LOCAL_ONLY.find((name) => stages[0]?.has(name));
  if (stage === undefined || level === 'local') return;
  throw new CommandError(
    'InvalidOptions',
    `Command aggregate does not support { readConcern: { level: "${level}", provenance: "clientSupplied" } } :: caused by :: Aggregation stage ${stage} cannot run with a readConcern other than 'local'`,
  );
}
