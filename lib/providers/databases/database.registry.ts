import mongoose from 'mongoose';
import type { Mongoose } from 'mongoose';
import { checkDatabaseName } from '../../polymongo.checks.js';
import { InvalidDatabaseNameError, PolyMongoError } from '../../polymongo.errors.js';
import { Database, type DatabaseHost } from './database.js';

/** What the registry needs of the pools whose databases it keeps. */
export interface DatabaseRegistryHost extends DatabaseHost {
  /** It has a pool of its own, so its handle is not what costs. */
  isSeparate(dbName: string): boolean;
  /** Runs what is to be run when a database is let go. */
  release(dbName: string, reason: string): Promise<void>;
}

/** One handle for each database that was asked for. Of the shared ones the least recently used are let go. */
export class DatabaseRegistry {
  readonly #cached = new Map<string, Database>();
  /** The databases that are cached or configured, by their name in lower case. */
  readonly #names = new Map<string, string>();
  /** Let go, but perhaps still kept by somebody: one database never has two handles. */
  readonly #released = new Map<string, WeakRef<Database>>();
  readonly #forgotten = new FinalizationRegistry<string>((name) => {
    if (!this.#released.get(name)?.deref()) this.#released.delete(name);
  });
  readonly #setups: ((database: Database) => void)[] = [];
  #uses = 0;
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
    this.#names.set(name.toLowerCase(), name);
  }

  /** @throws InvalidDatabaseNameError when another database has this name but for its case */
  assertNameIsFree(name: string): void {
    const other = this.#names.get(name.toLowerCase());
    if (other === undefined || other === name) return;
    throw new InvalidDatabaseNameError(`differs only in case from "${other}", which MongoDB does not allow`);
  }

  /** It is being used now; one that was let go is taken in again. */
  touch(database: Database): void {
    database.lastUse = ++this.#uses;
    database.lastAccessed = Date.now();
    if (!database.isCached) this.#keep(database);
  }

  /** Forgets a database; whoever kept its handle can still use it. */
  letGo(database: Database): void {
    const { name } = database;
    this.#cached.delete(name);
    if (!this.host.isSeparate(name)) this.#names.delete(name.toLowerCase());
    database.isCached = false;
    database.forgetContents();
    this.#released.set(name, new WeakRef(database));
    this.#forgotten.register(database, name);
  }

  /** Releases what is above the bound. Only shared databases without work. */
  trim(except?: Database): void {
    if (this.#cached.size <= this.max) return;
    const shared = [...this.#cached.values()].filter(({ name }) => !this.host.isSeparate(name));
    const free = shared
      .filter((database) => database !== except && database.name !== this.pinned && database.leaseCount === 0)
      .sort((a, b) => a.lastUse - b.lastUse);
    for (const { name } of free.slice(0, Math.max(0, shared.length - this.max)))
      void this.host.release(name, 'evicted');
  }

  #add(name: string): Database {
    checkDatabaseName(name);
    this.assertNameIsFree(name);
    const database = new Database(name, this.host, this.#base);
    this.#keep(database);
    for (const setup of this.#setups) setup(database);
    return database;
  }

  #keep(database: Database): void {
    const { name } = database;
    database.isCached = true;
    database.lastUse = ++this.#uses;
    this.#released.delete(name);
    this.claimName(name);
    this.#cached.set(name, database);
    this.trim(database);
  }
}
