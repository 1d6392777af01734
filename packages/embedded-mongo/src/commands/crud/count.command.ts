import { PAUSE, type Pause } from '../../bson/pause.js';
import type { Doc } from '../../bson/value.js';
import { countArgument, docArgument, integerArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { finishInTurns } from '../cursor/take-in-turns.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { isMadeWhenRead } from '../system/system-collections.js';
import { int, reply } from '../reply.js';
import { planQuery } from '../../storage/plan/planner.js';
import { explainQuery } from './explain-query.js';
import { hintOf } from './hint.js';
import { namespaceOf } from './namespace-argument.js';
import { queryEnv } from './query-env.js';
import { openReadView } from './read-view.js';
import { viewCollation } from './view-collation.js';
import { readFromView } from './view-query.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';

const EMPTY: Doc = new Map();

/** What a count asks the planner for. */
function countRequestOf(args: Doc): PlanRequest {
  return {
    filter: docArgument(args, 'query') ?? EMPTY,
    skip: countArgument(args, 'skip'),
    limit: Math.abs(integerArgument(args, 'limit') ?? 0),
    hint: hintOf(args),
    isCount: true,
  };
}

export const count: Command = {
  name: 'count',
  isInApiV1: true,
  takesReadConcern: true,
  args: {
    count: 'any',
    query: 'object',
    limit: 'number',
    skip: 'number',
    hint: 'any',
    collation: 'object',
    fields: 'any',
    queryMetadata: 'any',
  },
  run(op) {
    const { args, server } = op;
    const ns = namespaceOf(op);
    const { view } = openReadView(op);
    const entry = server.storage.catalog.find(ns, view);
    const limit = Math.abs(integerArgument(args, 'limit') ?? 0) || Infinity;
    const skip = countArgument(args, 'skip') ?? 0;
    const filter = docArgument(args, 'query') ?? EMPTY;
    const given = docArgument(args, 'collation');
    const collation = entry?.kind === 'view' ? viewCollation(entry, given) : given;
    if (entry?.kind === 'view' || isMadeWhenRead(ns)) {
      const query = { filter, skip, limit: Number.isFinite(limit) ? limit : undefined };
      return counted(op, lengthOf(readFromView(op, ns, view, query, queryEnv(op, { collation }))));
    }
    const env = queryEnv(op, { collation, collection: entry });
    return counted(op, planQuery(entry, countRequestOf(args), env).countInTurns(view));
  },
  explain: (op, hasStats) => explainQuery(op, hasStats, countRequestOf(op.args), docArgument(op.args, 'collation')),
};

const counted = async (op: Operation, work: Generator<Pause, number>): Promise<ReplyDoc> =>
  reply({ n: int(await finishInTurns(op, work)) });

function* lengthOf(docs: Iterable<Doc | Pause>): Generator<Pause, number> {
  let n = 0;
  for (const doc of docs) {
    if (doc === PAUSE) yield PAUSE;
    else n++;
  }
  return n;
}
