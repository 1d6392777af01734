import mongoose from 'mongoose';
import type { Collection, Connection, Mongoose, mongo } from 'mongoose';
import { ConnectionOwnershipError } from './pool.errors.js';
import type { Database } from './database.js';
import { createLeasedCollection } from './leased.collection.js';
import { leaseChangeStream } from './leased.stream.js';
import { createBaseView } from './mongoose.base.js';

/** A mongoose connection whose client, state and collections are those of the pool that serves its database. */
export type DatabaseConnection = Connection & { readonly database: Database };

/** What this class touches of mongoose's connection class; the rest is inherited as it is. */
interface NativeConnection {
  base: Mongoose;
  name: string;
  models: Record<string, unknown>;
  collections: Record<string, Collection>;
  _hasOpened: boolean;
  dropDatabase(): Promise<unknown>;
  dropCollection(name: string): Promise<unknown>;
  createCollection(...args: unknown[]): Promise<unknown>;
  listCollections(): Promise<unknown>;
  listDatabases(): Promise<unknown>;
}
const Native = mongoose.connection.constructor as unknown as new (base: Mongoose) => NativeConnection;

const READY_STATE = { cold: 0, connecting: 2, connected: 1, draining: 3, closed: 0 } as const;

/**
 * mongoose's own connections are bound to one MongoClient, are listed in `mongoose.connections` for good and cannot be
 * reopened once destroyed. This one owns no client: it asks the pool for it each time, so it survives every reopening.
 */
class PooledConnection extends Native {
  #db: mongo.Db | undefined;

  constructor(
    base: Mongoose,
    readonly database: Database,
  ) {
    super(base);
    this.base = createBaseView(base, database);
    this.name = database.name;
    this._hasOpened = true; // calls wait for the pool, never in mongoose's buffer
  }

  get readyState(): mongoose.ConnectionStates {
    return READY_STATE[this.database.pool.state];
  }
  set readyState(_: mongoose.ConnectionStates) {
    // the pool's state is the only one
  }

  get client(): mongo.MongoClient {
    this.database.gate?.assertPassed();
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
      const watch = db.watch.bind(db);
      Object.assign(db, {
        watch: (...args: Parameters<mongo.Db['watch']>) => leaseChangeStream(watch(...args), this.database),
      });
    }
    return connection.#db;
  }
  set db(_: mongo.Db | undefined) {
    // as above
  }

  get host(): string {
    return this.client.options.hosts[0]?.host ?? '';
  }
  set host(_: string) {
    // as above
  }

  get port(): number {
    return this.client.options.hosts[0]?.port ?? 0;
  }
  set port(_: number) {
    // as above
  }

  getClient(): mongo.MongoClient {
    return this.client;
  }

  collection(name: string, options: object = {}): Collection {
    if (!Object.hasOwn(this.collections, name))
      this.collections[name] = createLeasedCollection(name, this as never, options);
    return this.collections[name]!;
  }

  modelNames(): string[] {
    const names: string[] = [];
    for (const name in this.models) names.push(name);
    return names;
  }

  /** Other databases are reached through PolyMongo, each with the pool that serves it. */
  useDb(name: string): Connection {
    return this.database.host.connectionOf(name);
  }

  async asPromise(): Promise<this> {
    await this._waitForConnect();
    return this;
  }

  async startSession(options?: mongo.ClientSessionOptions): Promise<mongo.ClientSession> {
    const lease = await this.database.enter('long');
    const session = lease.pool.client.startSession(options);
    session.once('ended', () => lease.release());
    return session;
  }

  override dropDatabase(): Promise<unknown> {
    return dropOn(this.database, () => super.dropDatabase());
  }
  override dropCollection(name: string): Promise<unknown> {
    return dropOn(this.database, () => super.dropCollection(name));
  }
  override createCollection(...args: unknown[]): Promise<unknown> {
    return this.database.run(() => super.createCollection(...args));
  }
  override listCollections(): Promise<unknown> {
    return this.database.run(() => super.listCollections());
  }
  override listDatabases(): Promise<unknown> {
    return this.database.run(() => super.listDatabases());
  }

  async _waitForConnect(): Promise<void> {
    (await this.database.enter('operation')).release();
  }

  openUri(): never {
    throw new ConnectionOwnershipError(this.name, 'openUri');
  }
  async close(): Promise<void> {
    throw new ConnectionOwnershipError(this.name, 'close');
  }
  async destroy(): Promise<void> {
    throw new ConnectionOwnershipError(this.name, 'destroy');
  }
}

export const createDatabaseConnection = (base: Mongoose, database: Database): DatabaseConnection =>
  new PooledConnection(base, database) as unknown as DatabaseConnection;

/** What is dropped is made anew, with its indexes, before the next write. */
async function dropOn(database: Database, drop: () => Promise<unknown>): Promise<unknown> {
  try {
    return await database.run(drop);
  } finally {
    database.forgetContents();
  }
}
