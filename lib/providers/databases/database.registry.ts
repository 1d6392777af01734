import mongoose from 'mongoose';
import type { Mongoose } from 'mongoose';
import { checkDatabaseName } from '../../polymongo.checks.js';
import { databaseKey } from '../../polymongo.database-key.js';
import { InvalidDatabaseNameError, PolyMongoError } from '../../polymongo.errors.js';
import type { DatabasePool } from '../pools/database.pool.js';
import { Database, type DatabaseHost } from './database.js';
import { Place } from './recency.ring.js';

/** What the registry needs of the pools whose databases it keeps. */
export interface DatabaseRegistryHost extends DatabaseHost {
  /** The pool that serves a database by its configuration. */
  poolOf(dbName: string): DatabasePool;
  /** It has a pool of its own, so its handle is not what costs. */
  isSeparate(dbName: string): boolean;
  /** Runs what is to be run when a database is let go. */
  release(dbName: string, reason: string): Promise<void>;
}

/** One handle for each database that was asked for. Of the shared ones the least recently used are let go. */
export class DatabaseRegistry {
  readonly #cached = new Map<string, Database>();
  /** The cached databases that count; without the pinned one. */
  readonly #shared = new Set<Database>();
  /** Where those of them without work stand, the least recently used first. */
  readonly #free = new Place<Database>();
  /** The databases that are cached or configured, by their name in lower case. */
  readonly #names = new Map<string, string>();
  /** Let go, but perhaps still kept by somebody: one database never has two handles. */
  readonly #released = new Map<string, WeakRef<Database>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#released.get(name)?.deref()) this.#released.delete(name);
  });
  readonly #setups: ((database: Database) => void)[] = [];
  #base: Mongoose = mongoose;

  /**
   * @param pinned never let go
   * @param max how many shared databases are kept
   */
  constructor(
    readonly host: DatabaseRegistryHost,
    readonly pinned: string,
    readonly max: number,
  ) {}

  get cached(): ReadonlyMap<string, Database> {
    return this.#cached;
  }

  /** The mongoose instance that connections and models belong to. */
  get mongoose(): Mongoose {
    return this.#base;
  }

  /** Another instance than the default one. @throws PolyMongoError when there are databases of another one */
  useMongoose(base: Mongoose): void {
    if (this.#cached.size > 0 && base !== this.#base) {
      throw new PolyMongoError(
        'Models of two mongoose instances cannot share one PolyMongo. Compile them all with the same instance.',
      );
    }
    this.#base = base;
  }

  /** Has `setup` see each database when it is made, before anybody uses it. */
  onDatabase(setup: (database: Database) => void): void {
    this.#setups.push(setup);
    for (const database of this.#cached.values()) setup(database);
  }

  /** The handle of a database, made when there is none. @throws InvalidDatabaseNameError */
  get(name: string): Database {
    return this.find(name) ?? this.#add(name);
  }

  /** The handle that somebody has of a database. */
  find(name: string): Database | undefined {
    return this.#cached.get(name) ?? this.#released.get(name)?.deref();
  }

  /** Notes the name of a database that is configured. */
  claimName(name: string): void {
    this.#names.set(databaseKey(name), name);
  }

  /** @throws InvalidDatabaseNameError when another database has this name but for its case */
  assertNameIsFree(name: string): void {
    const other = this.#names.get(databaseKey(name));
    if (other === undefined || other === name) return;
    throw new InvalidDatabaseNameError(`differs only in case from "${other}", which MongoDB does not allow`);
  }

  /** Work begins on a database; one that was let go is taken in again. */
  touch(database: Database): void {
    if (this.#cached.get(database.name) !== database) this.#keep(database);
  }

  /** Its work has ended: of those without any it is the one used last. */
  freed(database: Database): void {
    if (!this.#shared.has(database)) return;
    if (database.leaseCount === 0) database.place.goToEndOf(this.#free);
    this.#trim(); // more than the bound were busy at once
  }

  /** Another pool serves a database from now on: its own. */
  separate(name: string, pool: DatabasePool): void {
    this.claimName(name);
    const database = this.find(name);
    if (!database) return;
    this.#shared.delete(database);
    database.place.leave();
    database.moveTo(pool);
  }

  /** Forgets a database; whoever kept its handle can still use it. */
  letGo(database: Database): void {
    const { name } = database;
    this.#cached.delete(name);
    this.#shared.delete(database);
    database.place.leave();
    if (!this.host.isSeparate(name)) this.#names.delete(databaseKey(name));
    database.forgetContents();
    this.#released.set(name, new WeakRef(database));
    this.#forgotten.register(database, name);
  }

  #add(name: string): Database {
    checkDatabaseName(name);
    this.assertNameIsFree(name);
    const database = new Database(name, this.host, this.host.poolOf(name));
    this.#keep(database);
    for (const setup of this.#setups) setup(database);
    return database;
  }

  #keep(database: Database): void {
    const { name } = database;
    this.#released.delete(name);
    this.claimName(name);
    this.#cached.set(name, database);
    if (this.host.isSeparate(name)) return;
    if (name !== this.pinned) this.#shared.add(database);
    this.#trim();
    if (name !== this.pinned) database.place.goToEndOf(this.#free);
  }

  /** Releases what is above the bound: of those without work the least recently used. */
  #trim(): void {
    const isOver = () => this.#shared.size + (this.#cached.has(this.pinned) ? 1 : 0) > this.max;
    for (let first; isOver() && (first = this.#free.next.item);) {
      if (first.leaseCount === 0) void this.host.release(first.name, 'evicted');
      else first.place.leave(); // it comes back when its work has ended
    }
  }
}
