import type { Pause } from '../../bson/pause.js';
import { CommandError, inContext } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { compilePipeline } from '../../query/pipeline.js';
import type { PipelineNamespace } from '../../query/env.js';
import { timestampOf } from '../../storage/clock.js';
import { planQuery } from '../../storage/plan/planner.js';
import { docArgument } from '../arguments.js';
import { hintOf } from '../crud/hint.js';
import { queryEnv } from '../crud/query-env.js';
import { openReadView } from '../crud/read-view.js';
import { viewCollation } from '../crud/view-collation.js';
import { runWrite } from '../crud/write.js';
import { emptyCursor, openCursor } from '../cursor/open-cursor.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { isMadeWhenRead } from '../system/system-collections.js';
import { cursorNamespace } from './aggregate-namespace.js';
import { docsOf, encodeAll, OperationPipelineHost } from './pipeline-host.js';
import type { Pipeline } from '../../query/pipeline/compiled.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';

/** What a pipeline asks the planner for: the query that it begins with. */
export const leadingRequest = ({ args }: Operation, { leading }: Pipeline): PlanRequest => ({
  ...leading,
  filter: leading.filter ?? new Map(),
  hint: hintOf(args),
});

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
        docsOf(planQuery(entry, leadingRequest(op, pipeline), pipeline.env), view, pipeline.leading.sort, pipeline.env),
      )
    : pipeline.run();
  const encoded = encodeAll(documents);
  return openCursor(
    op,
    cursorNamespace(namespace),
    {
      next: () => encoded.next().value as Uint8Array | Pause | undefined,
      close() {
        encoded.return(undefined);
        snapshot?.release();
      },
      ...(snapshot && { batchFields: () => ({ atClusterTime: timestampOf(snapshot.tick) }) }),
    },
    { batchSize },
  );
}

function checkWriteConcerns({ generic }: Operation, stages: readonly Doc[]): void {
  const [name] = stages.at(-1)!.keys();
  if (generic.readConcern?.level === 'linearizable') {
    throw new CommandError('InvalidOptions', `${name} cannot be used with a 'linearizable' read concern level`);
  }
}
