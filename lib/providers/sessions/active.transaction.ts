import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { ContextVariable } from './context.variable.js';
import { currentWork } from './current.work.js';
import { SessionMismatchError, TransactionEndedError } from './session.errors.js';
import type { DatabasePool } from '../pools/database.pool.js';
import type { LeasedPool } from '../pools/pool.lease.js';

/**
 * One attempt at a transaction, as the calls inside it find it by AsyncLocalStorage. Its operations run one after the
 * other: MongoDB has one operation at a time in a transaction, and the driver does not see to it.
 * @see https://www.mongodb.com/docs/manual/core/transactions/ ("Parallel operations are not supported")
 */
export class ActiveTransaction {
  /** Calls for others do not find it. */
  readonly #work = currentWork();
  /** Refuses a database that must not take part. @throws TenantSwitchError */
  readonly admit: (dbName: string) => void;
  readonly #preparations: (() => Promise<void>)[];
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #failure: { error: unknown } | undefined;

  /**
   * @param preparations takes what has to be done outside before the next attempt
   * @param admit refuses a database that must not take part, by throwing
   */
  constructor(
    readonly session: mongo.ClientSession,
    readonly pool: LeasedPool,
    preparations: (() => Promise<void>)[] = [],
    admit: (dbName: string, transaction: ActiveTransaction) => void = () => {},
  ) {
    this.#preparations = preparations;
    this.admit = (dbName) => admit(dbName, this);
    latest.set(session, this);
  }

  /** Committed, aborted or begun again; nothing of it runs any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** It was begun by the request or message that the current code works for. */
  get isOwn(): boolean {
    return this.#work === currentWork();
  }

  /** Runs `fn` so that calls made inside it, through any promise or timer, belong to this transaction. */
  during<T>(fn: () => T): T {
    return current.run([...ofOthers(this.pool.host), this], fn);
  }

  /** Runs one operation after those begun before it. @throws TransactionEndedError when the transaction is over */
  inTurn<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isOver) return Promise.reject(new TransactionEndedError());
    const result = this.#last.then(() => {
      if (this.#isOver) throw new TransactionEndedError();
      return operation();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the attempt and has `work` done before the next one. @throws always, an error on which the driver tries again */
  restartAfter(work: () => Promise<void>): never {
    this.#preparations.push(work);
    const error = new mongoose.mongo.MongoError(
      'The transaction starts again: a collection or its indexes have to be made first, outside of it.',
    );
    error.addErrorLabel('TransientTransactionError');
    this.fail(error);
    throw error;
  }

  /** The transaction cannot be committed any more, even if nobody passes the error on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Waits for the operations under way, then lets no further one in. @throws what the transaction failed with */
  async finish(): Promise<void> {
    for (let last; last !== this.#last;) await (last = this.#last);
    this.#isOver = true;
    if (this.#failure) throw this.#failure.error;
  }

  /** Lets no further operation begin and waits for the one under way. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    await this.#last;
  }
}

/** Of each root that has one around: its pools' host says which root that is. Never empty. */
const current = new ContextVariable<readonly ActiveTransaction[]>();
const NONE: readonly ActiveTransaction[] = [];
const latest = new WeakMap<mongo.ClientSession, ActiveTransaction>();

/** The transaction of a root around the current call, on whatever pool; none that somebody else's request or message began. */
export function activeTransaction(root: object): ActiveTransaction | undefined {
  return current.get()?.find((around) => around.pool.host === root && around.isOwn);
}

/** The transactions of all roots around the current call. */
export const transactionsAround = (): readonly ActiveTransaction[] =>
  current.get()?.filter((around) => around.isOwn) ?? NONE;

/** Runs `fn` as if there were no transaction around, of whatever root. */
export const outsideTransaction = <T>(fn: () => T): T => current.run(undefined, fn);

/** Runs `fn` as if there were none of this root. */
export const outsideTransactionOf = <T>(root: object, fn: () => T): T => within(ofOthers(root), fn);

/** Runs `fn` outside of those transactions that are over. */
export const outsideEndedTransactions = <T>(fn: () => T): T =>
  transactionsAround().some(({ isOver }) => isOver)
    ? within(
        current.get()!.filter((one) => !one.isOver),
        fn,
      )
    : fn();

const ofOthers = (root: object) => current.get()?.filter(({ pool }) => pool.host !== root) ?? NONE;

const within = <T>(around: readonly ActiveTransaction[], fn: () => T): T =>
  current.run(around.length > 0 ? around : undefined, fn);

/** The transaction that an explicitly given session stands for; undefined for a session of the user's own. */
export function transactionOf(session: mongo.ClientSession): ActiveTransaction | undefined {
  return current.get()?.find((around) => around.session === session) ?? latest.get(session);
}

/** A database as a call sees it: its name, and the pool that serves it. */
export interface ServedDatabase {
  readonly name: string;
  readonly pool: DatabasePool;
}

/**
 * The transaction around, which a call on this database joins. Another root's is none of its own.
 * @throws TransactionEndedError when it is over; SessionMismatchError when it is on another pool; TenantSwitchError when it
 *   is another tenant's
 */
export function transactionOn(database: ServedDatabase): ActiveTransaction | undefined {
  const active = activeTransaction(database.pool.host);
  if (active?.isOver) throw new TransactionEndedError();
  if (active && active.pool !== database.pool) throw new SessionMismatchError(active.pool.name, database.name);
  active?.admit(database.name);
  return active;
}
