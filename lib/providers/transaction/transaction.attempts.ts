import type { Connection, mongo } from 'mongoose';
import { transactionBy } from '../native/mongoose.private.js';
import { ActiveTransaction, outsideTransaction } from '../sessions/active.transaction.js';
import type { LeasedPool } from '../pools/pool.lease.js';
import type { RetryGate } from './retry.gate.js';

interface Attempts<T> {
  pool: LeasedPool;
  connection: Connection;
  fn: (session: mongo.ClientSession) => Promise<T> | T;
  options: mongo.TransactionOptions;
  /** What attempts after the first go through; undefined: they need not. */
  gate: RetryGate | undefined;
  /** Refuses a database that must not take part. */
  admit: (dbName: string, transaction: ActiveTransaction) => void;
}

/**
 * Runs a function in a transaction of the session, as often as the driver's rules demand. mongoose takes back what a
 * failed attempt did to documents (`isNew`, modified paths, versions), but only when the function itself failed; here
 * it is made to do so after a failed commit too, or a save in the next attempt would write nothing.
 */
export async function runAttempts<T>(
  session: mongo.ClientSession,
  { pool, connection, fn, options, gate, admit }: Attempts<T>,
): Promise<T> {
  const preparations: (() => Promise<void>)[] = [];
  let returned: { value: T } | undefined;
  let isTakingBack = false;
  let isRetry = false;
  let leaveGate = () => {};

  const attempt = async (): Promise<void> => {
    if (isTakingBack) throw new Error('taken back');
    leaveGate(); // a commit failed that came through it
    if (isRetry && gate) leaveGate = await gate.enter();
    isRetry = true;
    for (let work = preparations.shift(); work; work = preparations.shift()) await outsideTransaction(work);
    const transaction = new ActiveTransaction(session, pool, preparations, admit);
    try {
      const value = await transaction.during(async () => fn(session));
      await transaction.finish();
      returned = { value };
    } catch (error) {
      await transaction.abandon();
      leaveGate();
      throw error;
    }
  };

  const driverLoop = session.withTransaction.bind(session);
  session.withTransaction = async <R>(wrapped: (session: mongo.ClientSession) => Promise<R>): Promise<R> => {
    const takeBack = async () => {
      if (!returned) return;
      returned = undefined;
      isTakingBack = true;
      await wrapped(session).catch(() => {});
      isTakingBack = false;
    };
    try {
      return await driverLoop(async () => {
        await takeBack();
        return wrapped(session);
      }, options);
    } catch (error) {
      await takeBack();
      throw error;
    } finally {
      leaveGate();
    }
  };

  await transactionBy({ startSession: async () => session, base: connection.base }, attempt, options);
  return returned!.value;
}
