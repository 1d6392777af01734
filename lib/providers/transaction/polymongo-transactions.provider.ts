import type { mongo } from 'mongoose';
import { TenantSwitchError } from '../tenant/tenant.errors.js';
import { checks, checkValue } from '../../polymongo.checks.js';
import { TransactionEndedError } from '../sessions/session.errors.js';
import { TransactionPropagationError } from './transaction.errors.js';
import type { ActiveTransaction } from '../sessions/active.transaction.js';
import { activeTransaction, outsideTransactionOf } from '../sessions/active.transaction.js';
import type { Database } from '../databases/database.js';
import type { LeasedPool } from '../pools/pool.lease.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { RetryGate } from './retry.gate.js';
import { runAttempts } from './transaction.attempts.js';
import {
  checkTransactionOptions,
  type InTransactionOptions,
  type Propagation,
  type TransactionRunOptions,
} from './transaction.options.js';

/** What runs in a transaction. With `propagation: 'never'` there is none, and no session. */
export type TransactionFunction<T, Session extends mongo.ClientSession | undefined = mongo.ClientSession> = (
  session: Session,
) => Promise<T> | T;

/** What transactions need of the parts left of them. */
export interface TransactionHost {
  readonly pools: PolyMongoPools;
  /** Resolves when the collections and indexes of a database are made. */
  prepare(database: Database): Promise<void>;
  /** The current tenant, if there is one. */
  tenant(): string | undefined;
  /** The current tenant's database, if there is a tenant. */
  tenantDatabase(): string | undefined;
  /** The tenant whose database this is, if it is one's. */
  tenantOf(dbName: string): string | undefined;
}

/** Transactions, each on one pool, that every wrapped model of the pool joins by itself. */
export class PolyMongoTransactions {
  readonly #host: TransactionHost;
  readonly #gates = new WeakMap<LeasedPool, RetryGate>();
  /** The tenant that each transaction is, from its beginning on or since it entered one. */
  readonly #tenants = new WeakMap<ActiveTransaction, string>();

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(host: TransactionHost) {
    this.#host = host;
  }

  /** The session of the transaction around the call, for calls past the wrapped models; undefined outside of any. */
  get session(): mongo.ClientSession | undefined {
    return this.#around()?.session;
  }

  /**
   * @internal Called before another tenant is entered. A transaction begun without a tenant may enter one, and stays with it; none
   * may change it.
   * @throws TenantSwitchError
   */
  assertTenantStays(from: string | undefined, to: string): void {
    const transaction = this.#around();
    if (!transaction || transaction.isOver) return;
    const tenantId = this.#tenants.get(transaction) ?? from;
    if (tenantId !== undefined && tenantId !== to) throw new TenantSwitchError();
    this.#tenants.set(transaction, to);
  }

  /**
   * A transaction of a tenant reaches no other one's database, however a call came to it: by a query or document made before,
   * by `.db(name)` or by its session. One without a tenant is that of the first one whose scope a call in it runs in.
   * @throws TenantSwitchError
   */
  #admit(dbName: string, transaction: ActiveTransaction): void {
    const owner = this.#host.tenantOf(dbName);
    if (owner === undefined) return;
    const tenantId = this.#tenants.get(transaction);
    if (tenantId === undefined && this.#host.tenant() === owner) this.#tenants.set(transaction, owner);
    if (tenantId !== undefined && tenantId !== owner) throw new TenantSwitchError();
  }

  /**
   * Runs `fn` in a transaction: commits when it resolves and gives back its value, aborts when it throws and rethrows
   * its error unchanged. Calls inside `fn` on wrapped models join without being given the session; `{ session: null }`
   * keeps one out. On a TransientTransactionError `fn` runs again, on an UnknownTransactionCommitResult the commit,
   * for up to 120 s: do nothing in it that must not happen twice. Operations run one after the other, also those
   * started together. Collections and indexes are made before the transaction begins; for further databases that `fn`
   * writes to it aborts, makes them and runs again.
   * @throws SessionMismatchError from calls on models of another pool; TransactionPropagationError;
   * PolyMongoOptionsError; TenantSwitchError from entering another tenant, and from calls on its database
   * @see https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md
   */
  run<T>(fn: TransactionFunction<T>, options?: InTransactionOptions): Promise<T>;
  /** With `propagation: 'never'` there is no transaction, and `fn` is given no session. */
  run<T>(fn: TransactionFunction<T, mongo.ClientSession | undefined>, options: TransactionRunOptions): Promise<T>;
  async run<T>(fn: TransactionFunction<T, never>, options: TransactionRunOptions = {}): Promise<T> {
    checkValue('fn of transaction(fn, options)', fn, checks.function);
    checkTransactionOptions(options);
    const { db, propagation = 'required', ...driverOptions } = options;
    const around = this.#around();
    if (around?.isOver && propagation !== 'requiresNew') throw new TransactionEndedError();
    if (propagation === 'never') {
      if (around)
        throw new TransactionPropagationError('never', `was called inside a transaction on ${around.pool.name}.`);
      return (fn as TransactionFunction<T, undefined>)(undefined);
    }
    if (around && propagation !== 'requiresNew')
      return this.#join(around, fn as TransactionFunction<T>, propagation, db);
    if (propagation === 'mandatory') {
      throw new TransactionPropagationError('mandatory', 'was called outside of any: call it inside transaction(fn).');
    }
    return outsideTransactionOf(this.#root, async () => {
      await this.#prepare(this.#databaseOf(db));
      return this.#begin(fn as TransactionFunction<T>, db, driverOptions, around !== undefined);
    });
  }

  /** @internal As {@link run}, of its own and with no collections and indexes made before: for what they do not fit yet. */
  runUnprepared<T>(fn: TransactionFunction<T>, db: string, options: mongo.TransactionOptions): Promise<T> {
    return outsideTransactionOf(this.#root, () => this.#begin(fn, db, options, false));
  }

  async #join<T>(
    around: ActiveTransaction,
    fn: TransactionFunction<T>,
    propagation: Propagation,
    db?: string,
  ): Promise<T> {
    if (db !== undefined && this.#host.pools.poolOf(db) !== around.pool) {
      throw new TransactionPropagationError(
        propagation,
        `cannot join: the transaction around is on the pool of ${around.pool.name}, but ${db} is served by the pool of ` +
          `${this.#host.pools.poolOf(db).name}. Use propagation 'requiresNew' for an independent one.`,
      );
    }
    try {
      return await fn(around.session);
    } catch (error) {
      around.fail(error);
      throw error;
    }
  }

  async #begin<T>(
    fn: TransactionFunction<T>,
    db: string | undefined,
    options: mongo.TransactionOptions,
    isNested: boolean,
  ): Promise<T> {
    const database = this.#databaseOf(db);
    const tenantId = this.#host.tenant();
    const asTenant: TransactionFunction<T> = (session) => {
      if (tenantId !== undefined) this.#tenants.set(this.#around()!, tenantId);
      return fn(session);
    };
    const lease = await database.enter('long');
    try {
      return await lease.during(async () => {
        const session = lease.pool.client.startSession();
        try {
          const { pool } = lease;
          const gate = isNested ? undefined : this.#gateOf(pool); // the outer one may be inside and wait for this
          const { connection } = database;
          const admit = this.#admit.bind(this);
          return await runAttempts(session, { pool, connection, fn: asTenant, options, gate, admit });
        } finally {
          await session.endSession();
        }
      });
    } finally {
      lease.release();
    }
  }

  get #root(): object {
    return this.#host.pools.primary.host;
  }

  #around(): ActiveTransaction | undefined {
    return activeTransaction(this.#root);
  }

  #databaseOf(db: string | undefined): Database {
    const { pools } = this.#host;
    return pools.database(db ?? pools.options.defaultDB);
  }

  #gateOf(pool: LeasedPool): RetryGate {
    let gate = this.#gates.get(pool);
    if (!gate) this.#gates.set(pool, (gate = new RetryGate(Math.ceil(pool.config.maxConnections / 2))));
    return gate;
  }

  async #prepare(database: Database): Promise<void> {
    const { pools } = this.#host;
    await this.#host.prepare(database);
    const tenant = this.#host.tenantDatabase();
    if (tenant !== undefined && tenant !== database.name && pools.poolOf(tenant) === database.pool) {
      await this.#host.prepare(pools.database(tenant));
    }
  }
}
