import type { mongo } from 'mongoose';
import { isStarting } from '../native/driver.private.js';
import type { ActiveTransaction } from './active.transaction.js';

/** What a collection call belongs to. */
export interface CallContext {
  readonly session?: mongo.ClientSession;
  /** The transaction of this package that the session stands for; one the caller began by himself is none. */
  readonly transaction?: ActiveTransaction | undefined;
  /** Ends the call early. */
  readonly signal?: AbortSignal | undefined;
}

/** A call without a session. */
export const ALONE: CallContext = Object.freeze({});

/** Whether a call goes on with a transaction that has sent something already, and may hold locks. */
export const goesOn = ({ session }: CallContext): boolean => session?.inTransaction() === true && !isStarting(session);

/** Has an operation wait for those of its transaction that began before it. */
export const inTurn = <T>({ transaction }: CallContext, operation: () => Promise<T>): (() => Promise<T>) =>
  transaction ? () => transaction.inTurn(operation) : operation;
