import type { mongo } from 'mongoose';
import { PoolForceClosedError } from './pool.errors.js';
import type { ActiveTransaction } from './active.transaction.js';
import type { Database } from './database.js';

/** The driver's steps that send a cursor's commands; the same in drivers 6 and 7. */
interface CursorSteps {
  _initialize(session: mongo.ClientSession): Promise<unknown>;
  getMore(...args: unknown[]): Promise<unknown>;
}

/** Lets a cursor hold a lease from its first fetch until it is exhausted or closed, and tell when its pool is cut. */
export function leaseCursor<C extends mongo.AbstractCursor>(
  cursor: C,
  database: Database,
  transaction?: ActiveTransaction,
): C {
  const steps = cursor as unknown as CursorSteps;
  if (transaction) takeTurns(steps, transaction);
  const initialize = steps._initialize.bind(cursor);
  steps._initialize = async (session) => {
    const lease = await database.enter('long', () => fail(cursor, new PoolForceClosedError(database.name)));
    cursor.once('close', () => lease.release());
    try {
      return await initialize(session);
    } catch (error) {
      lease.release();
      throw error;
    }
  };
  leaseMethod(cursor as unknown as Record<string, unknown>, 'explain', database);
  return cursor;
}

/** The legacy bulk builders send nothing before `execute()`. */
export function leaseBulk<B extends mongo.OrderedBulkOperation | mongo.UnorderedBulkOperation>(
  bulk: B,
  database: Database,
  transaction?: ActiveTransaction,
): B {
  leaseMethod(bulk as unknown as Record<string, unknown>, 'execute', database, transaction);
  return bulk;
}

/** Each command of the cursor is an operation of the transaction. */
function takeTurns(steps: CursorSteps, transaction: ActiveTransaction): void {
  const initialize = steps._initialize.bind(steps);
  const getMore = steps.getMore.bind(steps);
  steps._initialize = (session) => transaction.inTurn(() => initialize(session));
  steps.getMore = (...args) => transaction.inTurn(() => getMore(...args));
}

function leaseMethod(
  target: Record<string, unknown>,
  name: string,
  database: Database,
  transaction?: ActiveTransaction,
): void {
  const method = target[name];
  if (typeof method !== 'function') return;
  target[name] = (...args: unknown[]) => {
    const call = () => method.apply(target, args) as Promise<unknown>;
    return database.hold(transaction ? () => transaction.inTurn(call) : call);
  };
}

/**
 * A cursor whose client is closed ends a `for await` without a word (node-mongodb-native#4372). This one throws.
 */
function fail(cursor: mongo.AbstractCursor, error: Error): void {
  const reject = () => Promise.reject(error);
  const no = { get: () => false, configurable: true };
  Object.assign(cursor, { next: reject, tryNext: reject, hasNext: reject });
  Object.defineProperties(cursor, { closed: no, isDead: no, isKilled: { ...no, set: () => {} } });
}
