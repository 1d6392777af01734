import type { mongo } from 'mongoose';
import { PoolForceClosedError } from '../pools/pool.errors.js';
import type { CallContext } from '../sessions/call.context.js';
import type { Database } from '../databases/database.js';
import { sendInPoolsTurn } from './command.turn.js';
import { observeCommands, type OperationSource } from './observed.operation.js';
import { keepOpen, replacePipeline, sendCommandsBy, sendFirstBy } from '../native/driver.private.js';
import { confined } from './pipeline.confinement.js';

/**
 * Lets a cursor hold a lease from its first fetch until it is exhausted or closed, and tell when its pool is cut. What the
 * first answer exhausts is part of the call that it belongs to, and takes none of its own.
 */
export function leaseCursor<C extends mongo.AbstractCursor>(
  cursor: C,
  database: Database,
  context: CallContext,
  method: string,
  collection?: OperationSource,
): C {
  const { transaction } = context;
  sendInPoolsTurn(cursor, database, context);
  // Each command of the cursor is an operation of the transaction.
  if (transaction) sendCommandsBy(cursor, (command) => transaction.inTurn(command));
  sendFirstBy(cursor, (first) =>
    database.hold(async ({ pool }) => {
      const state = await first();
      if (state.response.id?.isZero() || cursor.closed) return state;
      const lease = pool.lease('long', database, (reason) =>
        fail(cursor, reason ?? new PoolForceClosedError(database.name)),
      );
      cursor.once('close', () => lease.release());
      return state;
    }),
  );
  observeCommands(cursor, database, method, collection);
  leaseExplain(cursor, database);
  return cursor;
}

/** As {@link leaseCursor}. */
export function leaseAggregation<C extends mongo.AggregationCursor>(
  cursor: C,
  database: Database,
  context: CallContext,
  method: string,
  collection?: OperationSource,
): C {
  const clone = cursor.clone.bind(cursor);
  return leaseCursor(
    Object.assign(cursor, { clone: () => leaseAggregation(clone(), database, context, method, collection) }),
    database,
    context,
    method,
    collection,
  );
}

/** Has a cursor send what {@link confined} gives. It is looked at when it is sent: stages can be added until then. */
export function confineAggregation<C extends mongo.AggregationCursor>(cursor: C, database: Database): C {
  const { explain } = cursor as unknown as { explain(...args: unknown[]): Promise<unknown> };
  const clone = cursor.clone.bind(cursor);
  const confine = () => replacePipeline(cursor, (pipeline, options) => confined(database, pipeline, options));
  sendFirstBy(cursor, async (first) => {
    confine();
    return first();
  });
  return Object.assign(cursor, {
    clone: () => confineAggregation(clone(), database),
    explain: async (...args: unknown[]) => {
      confine();
      return explain.apply(cursor, args);
    },
  });
}

function leaseExplain(cursor: object, database: Database): void {
  const { explain } = cursor as { explain?: (...args: unknown[]) => Promise<unknown> };
  if (explain)
    Object.assign(cursor, {
      explain: (...args: unknown[]) => database.hold(() => database.send(() => explain.apply(cursor, args))),
    });
}

/**
 * A cursor whose client is closed ends a `for await` without a word (node-mongodb-native#4372). This one throws.
 */
function fail(cursor: mongo.AbstractCursor, error: Error): void {
  const reject = () => Promise.reject(error);
  Object.assign(cursor, { next: reject, tryNext: reject, hasNext: reject });
  keepOpen(cursor);
}
