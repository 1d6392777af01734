import { CommandError } from '../../errors.js';
import { isDoc, type Doc } from '../../bson/value.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { arrayArgument, docArgument } from '../arguments.js';
import type { Operation } from '../operation.js';
import { explainQuery } from './explain-query.js';
import { hintOf } from './hint.js';

const EMPTY: Doc = new Map();

/** What one statement of an update or delete asks the planner for. */
export const statementRequest = (statement: Doc): PlanRequest => ({
  filter: docArgument(statement, 'q') ?? EMPTY,
  hint: hintOf(statement),
});

/** How the one statement of an update or delete would find its documents. @throws CommandError InvalidLength */
export function explainStatement(op: Operation, hasStats: boolean, field: 'updates' | 'deletes', stage: string): Doc {
  const [statement, second] = arrayArgument(op.args, field) ?? [];
  if (!isDoc(statement) || second !== undefined)
    throw new CommandError('InvalidLength', 'explained write batches must be of size 1');
  return explainQuery(op, hasStats, statementRequest(statement), docArgument(statement, 'collation'), stage);
}
