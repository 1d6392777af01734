import type { Database } from '../databases/database.js';
import { goesOn, type CallContext } from '../sessions/call.context.js';

/** The driver's steps that send a cursor's commands; the same in drivers 6 and 7. */
interface CursorSteps {
  _initialize(...args: unknown[]): Promise<unknown>;
  getMore(...args: unknown[]): Promise<unknown>;
}

/** Has a command sent in its database's turn. */
export const inPoolsTurn =
  <T>(database: Database, context: CallContext, command: () => Promise<T>): (() => Promise<T>) =>
  () =>
    database.send(command, goesOn(context) ? 'transaction' : 'call');

/** The same for each command of a cursor. Between them it takes no turn. */
export function sendInPoolsTurn(cursor: object, database: Database, context: CallContext): void {
  const steps = cursor as CursorSteps;
  const initialize = steps._initialize.bind(cursor);
  const getMore = steps.getMore.bind(cursor);
  steps._initialize = (...args) => inPoolsTurn(database, context, () => initialize(...args))();
  steps.getMore = (...args) => database.send(() => getMore(...args), goesOn(context) ? 'transaction' : 'next');
}
