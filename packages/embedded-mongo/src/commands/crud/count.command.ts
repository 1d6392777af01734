import type { Doc } from '../../bson/value.js';
import { countArgument, docArgument, integerArgument } from '../arguments.js';
import type { Command } from '../command.js';
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
      return reply({ n: int([...readFromView(op, ns, view, query, queryEnv(op, { collation }))].length) });
    }
    const env = queryEnv(op, { collation, collection: entry });
    const plan = planQuery(entry, countRequestOf(args), env);
    const n = plan.count(view);
    return reply({ n: int(n) });
  },
  explain: (op, hasStats) => explainQuery(op, hasStats, countRequestOf(op.args), docArgument(op.args, 'collation')),
};
