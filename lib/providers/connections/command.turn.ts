import type { Database } from '../databases/database.js';
import { goesOn, type CallContext } from '../sessions/call.context.js';
import { sendCommandsBy } from '../native/driver.private.js';

/** Has a command sent in its database's turn. */
export const inPoolsTurn =
  <T>(database: Database, context: CallContext, command: () => Promise<T>): (() => Promise<T>) =>
  () =>
    database.send(command, goesOn(context) ? 'transaction' : 'call', context.signal);

/** The same for each command of a cursor. Between them it takes no turn. */
export const sendInPoolsTurn = (cursor: object, database: Database, context: CallContext): void =>
  sendCommandsBy(cursor, (command, step) =>
    database.send(command, goesOn(context) ? 'transaction' : step, context.signal),
  );
