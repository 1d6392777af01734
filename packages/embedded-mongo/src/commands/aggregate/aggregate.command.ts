import { CommandError, inContext } from '../../errors.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { compilePipeline, pipelineStages } from '../../query/pipeline.js';
import type { PipelineNamespace } from '../../query/pipeline-host.js';
import { timestampOf } from '../../storage/clock.js';
import { checkDbName, checkNamespace, nsString } from '../../storage/namespace.js';
import { planQuery } from '../../storage/plan/planner.js';
import { ArgumentParser, boolArgument, countArgument, docArgument } from '../arguments.js';
import { openChangeStream } from '../change-stream/open-change-stream.js';
import type { Command } from '../command.js';
import { hintOf } from '../crud/find.command.js';
import { queryEnv } from '../crud/query-env.js';
import { openReadView } from '../crud/read-view.js';
import { viewCollation } from '../crud/view-collation.js';
import { runWrite } from '../crud/write.js';
import { explainCommand } from '../diagnostics/explain.command.js';
import { emptyCursor, openCursor } from '../cursor/open-cursor.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { isMadeWhenRead } from '../system/system-collections.js';
import { docsOf, encodeAll, OperationPipelineHost } from './pipeline-host.js';

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
      return explainCommand(op, false);
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
};

/** `aggregate: "coll"`, or `aggregate: 1` for a pipeline on the database. */
export function aggregateNamespace({ args, db }: Operation): PipelineNamespace {
  const target = args.get('aggregate');
  if (typeof target === 'string') {
    checkNamespace({ db, coll: target });
    return { db, coll: target };
  }
  checkDbName(db);
  if (Number(target) !== 1) {
    throw new CommandError(
      'FailedToParse',
      "Invalid command format: the 'aggregate' field must specify a collection name or 1",
    );
  }
  return { db };
}

export const cursorNamespace = ({ db, coll }: PipelineNamespace): string =>
  coll === undefined ? `${db}.$cmd.aggregate` : nsString({ db, coll });

/** Runs a pipeline and answers with its first batch. */
export function runPipeline(
  op: Operation,
  namespace: PipelineNamespace,
  stages: readonly Doc[],
  batchSize: number | undefined,
): ReplyDoc | Promise<ReplyDoc> {
  const { view, snapshot } = openReadView(op);
  const { catalog } = op.server.storage;
  const { db, coll } = namespace;
  const entry = coll === undefined ? undefined : catalog.find({ db, coll }, view);
  const isView = entry?.kind === 'view';
  const given = docArgument(op.args, 'collation');
  const collation = isView ? viewCollation(entry, given) : given;
  const base = queryEnv(op, { collation, collection: isView ? undefined : entry });
  const compileFor = (host: OperationPipelineHost) =>
    compilePipeline(
      stages as Value[],
      { ...base, host },
      { namespace, enclosures: op.isInTransaction ? ['transaction'] : [] },
    );
  const host = new OperationPipelineHost(op, view);
  const pipeline = compileFor(host);
  if (pipeline.writes) {
    checkWriteConcerns(op, stages);
    const written = runWrite(op, (unit) => {
      const writing = new OperationPipelineHost(op, unit, unit);
      for (const _ of compileFor(writing).run());
      return writing.writeFailure;
    });
    const answer = (failure: CommandError | undefined): ReplyDoc => {
      if (failure) throw inContext(failure, 'PlanExecutor error during aggregation');
      return emptyCursor(cursorNamespace(namespace));
    };
    return written instanceof Promise ? written.then(answer) : answer(written);
  }
  const isPlanned = !pipeline.source && !isView && coll !== undefined && !isMadeWhenRead({ db, coll });
  const documents = isPlanned
    ? pipeline.process(
        docsOf(
          planQuery(
            entry,
            { ...pipeline.leading, filter: pipeline.leading.filter ?? new Map(), hint: hintOf(op.args) },
            pipeline.env,
          ),
          view,
          pipeline.leading.sort,
          pipeline.env,
        ),
      )
    : pipeline.run();
  const encoded = encodeAll(documents);
  return openCursor(
    op,
    cursorNamespace(namespace),
    {
      next: () => encoded.next().value as Uint8Array | undefined,
      close() {
        encoded.return(undefined);
        snapshot?.release();
      },
      ...(snapshot && { batchFields: () => ({ atClusterTime: timestampOf(snapshot.tick) }) }),
    },
    { batchSize },
  );
}

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

function checkWriteConcerns({ generic }: Operation, stages: readonly Doc[]): void {
  const [name] = stages.at(-1)!.keys();
  if (generic.readConcern?.level === 'linearizable') {
    throw new CommandError('InvalidOptions', `${name} cannot be used with a 'linearizable' read concern level`);
  }
}
