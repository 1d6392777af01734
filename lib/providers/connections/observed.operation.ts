import type { Database } from '../databases/database.js';
import { sendCommandsBy } from '../native/driver.private.js';

/** A mongoose collection, as far as it says where an operation is. */
export interface OperationSource {
  readonly name: string;
  readonly modelName?: string | undefined;
  readonly conn: { readonly database: Database };
}

/** Runs a call of a collection before whoever looks at operations. */
export const observed = <T>(collection: OperationSource, method: string, run: () => Promise<T>): Promise<T> =>
  observedOn(collection.conn.database, method, collection, run);

function observedOn<T>(
  database: Database,
  method: string,
  collection: OperationSource | undefined,
  run: () => Promise<T>,
): Promise<T> {
  const { observer, name, pool } = database;
  if (!observer) return run();
  const where = { database: name, collection: collection?.name, model: collection?.modelName, pool: pool.name };
  return observer({ method, ...where }, run);
}

/** The same for each command of a cursor that is made while somebody looks. */
export function observeCommands(
  cursor: object,
  database: Database,
  method: string,
  collection?: OperationSource,
): void {
  if (!database.observer) return;
  sendCommandsBy(cursor, (command, step) =>
    observedOn(database, step === 'call' ? method : 'getMore', collection, command),
  );
}
