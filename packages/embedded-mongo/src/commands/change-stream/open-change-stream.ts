import { unpaused } from '../../bson/pause.js';
import { CommandError } from '../../errors.js';
import { decodeDoc } from '../../bson/decode.js';
import type { Doc, Value } from '../../bson/value.js';
import { compilePipeline } from '../../query/pipeline.js';
import { parseStage } from '../../query/pipeline/placement.js';
import type { PipelineNamespace } from '../../query/env.js';
import { planQuery } from '../../storage/plan/planner.js';
import { LATEST } from '../../storage/read-view.js';
import { cursorNamespace } from '../aggregate/aggregate-namespace.js';
import { OperationPipelineHost } from '../aggregate/pipeline-host.js';
import { docArgument } from '../arguments.js';
import { queryEnv } from '../crud/query-env.js';
import { openCursor } from '../cursor/open-cursor.js';
import type { Operation } from '../operation.js';
import { fieldsOf } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import type { LookUp } from './change-event.js';
import { parseChangeStreamOptions } from './change-stream.options.js';
import type { EventPipeline } from './change-stream.source.js';
import { ChangeStreamSource } from './change-stream.source.js';
import { WatchedScope } from './watched-scope.js';

const SPLIT = '$changeStreamSplitLargeEvent';

/** The stages that may follow `$changeStream` (manual: Modify Change Stream Output). */
const PERMITTED = [
  '$addFields',
  '$match',
  '$project',
  '$replaceRoot',
  '$replaceWith',
  '$redact',
  '$set',
  '$unset',
  SPLIT,
];

/** Answers an aggregate that begins with `$changeStream`: its cursor stays open. @throws CommandError */
export function openChangeStream(
  op: Operation,
  namespace: PipelineNamespace,
  stages: readonly Doc[],
  batchSize: number | undefined,
): ReplyDoc | Promise<ReplyDoc> {
  op.isChangeStream = true;
  op.server.unwatchedCreations = 0;
  checkConcern(op);
  const [first, ...rest] = stages;
  const options = parseChangeStreamOptions(first!.get('$changeStream'));
  const { storage } = op.server;
  const { db, coll = '' } = namespace;
  const scope = WatchedScope.of({ db, coll }, options.isForCluster);
  if (coll !== '' && storage.catalog.find({ db, coll }, LATEST)?.kind === 'view') {
    throw new CommandError('CommandNotSupportedOnView', `Namespace ${db}.${coll} is a timeseries collection or a view`);
  }
  const pipeline = eventPipeline(op, namespace, rest);
  const splitsLargeEvents = rest.at(-1)?.has(SPLIT) ?? false;
  const source = new ChangeStreamSource(storage, scope, options, pipeline, lookUpIn(op), splitsLargeEvents);
  return openCursor(op, cursorNamespace(namespace), source, { batchSize, isAwaitData: true, isChangeStream: true });
}

function checkConcern({ generic, isInTransaction }: Operation): void {
  if (isInTransaction) {
    throw new CommandError(
      'OperationNotSupportedInTransaction',
      'Stage not supported inside of a multi-document transaction: $changeStream',
    );
  }
  const level = generic.readConcern?.level;
  if (level !== undefined && level !== 'majority') {
    throw new CommandError(
      'InvalidOptions',
      `$changeStream cannot run with a readConcern other than 'majority'. Current readConcern: ${level}`,
    );
  }
}

function eventPipeline(op: Operation, namespace: PipelineNamespace, stages: readonly Doc[]): EventPipeline {
  const split = stages.findIndex((stage) => stage.has(SPLIT));
  if (split >= 0 && split < stages.length - 1) {
    throw new CommandError(7182802, `${SPLIT} must be the last stage in the pipeline`);
  }
  for (const stage of stages) {
    const { name } = parseStage(stage);
    if (name === '$changeStream') {
      throw new CommandError(40602, '$changeStream is only valid as the first stage in a pipeline');
    }
    if (!PERMITTED.includes(name)) {
      throw new CommandError('IllegalOperation', `${name} is not permitted in a $changeStream pipeline`);
    }
  }
  const kept = stages.filter((stage) => !stage.has(SPLIT));
  if (kept.length === 0) return (event) => event;
  const host = new OperationPipelineHost(op, LATEST);
  const env = { ...queryEnv(op, { collation: docArgument(op.args, 'collation') }), host };
  // Nothing is "leading" here: all stages run on the events.
  const { db, coll = '$cmd.aggregate' } = namespace; // the events stand for a collection, of whatever scope they are
  const pipeline = compilePipeline([NOTHING, ...kept] as Value[], env, { namespace: { db, coll } });
  return (event) => {
    const [shown] = unpaused(pipeline.process([event]));
    return shown;
  };
}

const NOTHING: Doc = fieldsOf({ $addFields: fieldsOf({}) });

function lookUpIn(op: Operation): LookUp {
  const { catalog } = op.server.storage;
  return (uuid, ns, id) => {
    const collection = uuid ? catalog.byUuid(ns.db, uuid) : catalog.collection(ns, LATEST);
    if (!collection) return undefined;
    const filter = fieldsOf({ _id: fieldsOf({ $eq: id }) });
    const [match] = planQuery(collection, { filter, limit: 1 }, queryEnv(op, { collection })).run(LATEST);
    return match && decodeDoc(match.bytes);
  };
}
