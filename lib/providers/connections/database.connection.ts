import type mongoose from 'mongoose';
import type { Collection, Connection, Mongoose, mongo } from 'mongoose';
import { joinTransaction } from '../sessions/collection.session.js';
import { outsideTransaction, transactionOn } from '../sessions/active.transaction.js';
import { TransactionUnsupportedError } from '../sessions/session.errors.js';
import { inTurn } from '../sessions/call.context.js';
import type { Database, DatabaseConnection } from '../databases/database.js';
import { prepare } from '../databases/first.write.js';
import { createLeasedCollection } from './leased.collection.js';
import { createBaseView } from './mongoose.base.js';
import { ConnectionPluginError, ModelDeletionError } from './connection.errors.js';
import { collectionsOf, dropOn, leaseDb, outsideOn } from './connection.operations.js';
import { ConnectionOwnershipError } from '../pools/pool.errors.js';
import { READY_STATE } from '../pools/pool-state.js';
import { keptListener, keptOnce, type Listener } from '../sessions/subscriber.listener.js';
import { AGGREGATE, CLIENT_OPERATIONS, CONNECTION, Native, type NativeConnection } from '../native/mongoose.private.js';

/** Where a connection has its database: not by a name, or whoever walks over a model (Jest's automock) finds all of PolyMongo. */
const DATABASE = Symbol('polymongo.database');

/**
 * mongoose's own connections are bound to one MongoClient, are listed in `mongoose.connections` for good and cannot be
 * reopened once destroyed. This one owns no client: it asks the pool for it each time, so it survives every reopening.
 */
class PooledConnection extends Native {
  readonly [DATABASE]: Database;
  #db: mongo.Db | undefined;

  constructor(base: Mongoose, database: Database) {
    super(base);
    this[DATABASE] = database;
    this.base = createBaseView(base, database);
    this[CONNECTION.hasOpened] = true; // calls wait for the pool, never in mongoose's buffer
  }

  get database(): Database {
    return this[DATABASE];
  }

  override get name(): string {
    return this.database.name;
  }
  override set name(_: string) {
    // it stays on its database
  }

  get readyState(): mongoose.ConnectionStates {
    return READY_STATE[this.database.pool.state];
  }
  set readyState(_: mongoose.ConnectionStates) {
    // the pool's state is the only one
  }

  get client(): mongo.MongoClient {
    this.database.equipment.gate?.assertPassed();
    return this.database.pool.client;
  }
  set client(_: mongo.MongoClient) {
    // the pool's client is the only one
  }

  get db(): mongo.Db {
    const { client } = this;
    // `this` may be an object that inherits from the connection (a wrapped model's callable `db`).
    const connection = this.database.connection as unknown as PooledConnection;
    if (!connection.#db || connection.#db.client !== client) {
      const db = (connection.#db = client.db(this.database.name));
      leaseDb(db, this.database);
    }
    return connection.#db;
  }
  set db(_: mongo.Db | undefined) {
    // as above
  }

  get host(): string {
    return addressOf(this)?.host ?? '';
  }
  set host(_: string) {
    // as above
  }

  get port(): number {
    return addressOf(this)?.port ?? 0;
  }
  set port(_: number) {
    // as above
  }

  // Listeners are called in the context they were added in: who uses the connection first is not theirs.
  override on(event: string, listener: Listener): unknown {
    return super.on(event, keptListener(listener));
  }
  addListener(event: string, listener: Listener): unknown {
    return this.on(event, listener);
  }
  override prependListener(event: string, listener: Listener): unknown {
    return super.prependListener(event, keptListener(listener));
  }
  once(event: string, listener: Listener): unknown {
    return super.on(
      event,
      keptOnce(listener, (kept) => this.removeListener(event, kept)),
    );
  }
  prependOnceListener(event: string, listener: Listener): unknown {
    return super.prependListener(
      event,
      keptOnce(listener, (kept) => this.removeListener(event, kept)),
    );
  }

  getClient(): mongo.MongoClient {
    return this.client;
  }

  override collection(name: string, options: object = {}): Collection {
    if (!Object.hasOwn(this.collections, name))
      this.collections[name] = createLeasedCollection(name, this as never, options);
    return this.collections[name]!;
  }

  plugin(): never {
    throw new ConnectionPluginError(this.name);
  }

  /** Only of what `model(name, schema)` made here; registered models are inherited by the `models` of every database. */
  override deleteModel(name: string | RegExp): unknown {
    const registered = Object.getPrototypeOf(this.models) as object;
    for (const known of this.modelNames()) {
      const isMeant = typeof name === 'string' ? known === name : name instanceof RegExp && name.test(known);
      if (isMeant && known in registered) throw new ModelDeletionError(known, this.name);
    }
    return super.deleteModel(name);
  }

  /** Other databases are reached through PolyMongo, each with the pool that serves it. */
  useDb(name: string): Connection {
    return this.database.host.connectionOf(name);
  }

  async asPromise(): Promise<this> {
    (await this.database.enter('operation')).release();
    return this;
  }

  async startSession(options?: mongo.ClientSessionOptions): Promise<mongo.ClientSession> {
    const lease = await this.database.enter('long');
    try {
      const session = lease.pool.client.startSession(options);
      session.once('ended', () => lease.release());
      return session;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** mongoose would read the database that the URI names. */
  override aggregate(pipeline?: object[], options?: object): { exec(): Promise<unknown> } {
    const aggregate = super.aggregate(pipeline, options) as ReturnType<NativeConnection['aggregate']>;
    const exec = aggregate.exec.bind(aggregate);
    const connection = Object.create(this, { client: { value: { db: () => this.db } } }) as object;
    return Object.assign(aggregate, { [AGGREGATE.connection]: connection, exec: () => this.database.run(exec) });
  }
  override async bulkWrite(...given: unknown[]): Promise<unknown> {
    const { args, context } = joinTransaction(this.database, 'bulkWrite', given);
    const collections = collectionsOf(this.database, given[0]);
    return this.database.run(async () => {
      for (const name of collections) await prepare(this.database, name, context);
      return inTurn(context, () => super.bulkWrite(...args))();
    });
  }
  override async createCollection(...given: unknown[]): Promise<unknown> {
    const { args, context } = joinTransaction(this.database, 'createCollection', given);
    return this.database.run(inTurn(context, () => super.createCollection(...args)));
  }
  override dropDatabase(): Promise<unknown> {
    return dropOn(this.database, 'dropDatabase', () => super.dropDatabase());
  }
  override dropCollection(name: string): Promise<unknown> {
    return dropOn(this.database, 'dropCollection', () => super.dropCollection(name));
  }
  override listCollections(): Promise<unknown> {
    return outsideOn(this.database, 'listCollections', () => super.listCollections());
  }
  override listDatabases(): Promise<unknown> {
    return outsideOn(this.database, 'listDatabases', () => super.listDatabases());
  }
  /** MongoDB nests no transactions: this one would be committed though the one around is aborted. */
  override transaction(...args: unknown[]): Promise<unknown> {
    const isInside = transactionOn(this.database) !== undefined;
    return isInside
      ? Promise.reject(new TransactionUnsupportedError('transaction', this.database.name))
      : super.transaction(...args);
  }
  override withSession(work: (session: mongo.ClientSession) => Promise<unknown>): Promise<unknown> {
    return this.database.run(() => super.withSession(work), 'long');
  }

  /** Each call waits for the pool by itself; one that waited here first would come after those that were made later. */
  async [CONNECTION.waitForConnect](): Promise<void> {
    await this.database.equipment.gate?.pass();
  }

  async close(): Promise<void> {
    throw new ConnectionOwnershipError(this.name, 'close');
  }
  async destroy(): Promise<void> {
    throw new ConnectionOwnershipError(this.name, 'destroy');
  }
}

/** Of its first server. mongoose's prototype has such members too, so this one's is looked at. */
const addressOf = (connection: PooledConnection): mongo.HostAddress | undefined =>
  DATABASE in connection ? connection.client.options.hosts[0] : undefined;

/**
 * The first write to the collection of a model that is made here waits for its indexes, too. A function, so that mongoose
 * can say what is wrong with `new connection.model(name)(document)`.
 */
const model = function (this: PooledConnection, ...args: unknown[]): object {
  const native = (connection: object) => Native.prototype.model.apply(connection, args);
  if (!(this instanceof Native)) return native(this);
  const { connection, equipment } = this.database;
  const made = outsideTransaction(() => native(connection));
  equipment.preparation?.include(this.database, made);
  return made;
};
Object.defineProperty(PooledConnection.prototype, 'model', { value: model, writable: true, configurable: true });

/** What would give the connection a client of its own, or take it away. */
for (const operation of CLIENT_OPERATIONS) {
  const refuse = function (this: PooledConnection): never {
    throw new ConnectionOwnershipError(this.name, operation);
  };
  Object.defineProperty(PooledConnection.prototype, operation, { value: refuse, writable: true, configurable: true });
}

export const createDatabaseConnection = (base: Mongoose, database: Database): DatabaseConnection =>
  new PooledConnection(base, database) as unknown as DatabaseConnection;
