import { randomBytes } from 'node:crypto';
import type { Doc } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { Collection, View } from './collection.js';
import { checkNamespace, type Namespace, nsString } from './namespace.js';
import type { ReadView } from './read-view.js';
import { WriteConflict } from './write-conflict.js';
import type { WriteUnit } from './write-unit.js';

export type CatalogEntry = Collection | View;

const uuid4 = (): Uint8Array => {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return new Uint8Array(bytes);
};

/** Databases, their collections and views. Changes go through a unit: an abort takes them back. */
export class Catalog {
  private readonly databases = new Map<string, Map<string, CatalogEntry>>();

  /** Names of the databases that hold anything, sorted. */
  get dbNames(): string[] {
    return [...this.databases.keys()].sort();
  }

  /** The collections and views of a database that `view` sees, in order of creation. */
  list(db: string, view: ReadView): CatalogEntry[] {
    return [...(this.databases.get(db)?.values() ?? [])].filter((entry) => isSeen(entry, view));
  }

  /** The collection or view of that name; a transaction that looks one up holds off DDL on it. */
  find(ns: Namespace, view: ReadView): CatalogEntry | undefined {
    const entry = this.databases.get(ns.db)?.get(ns.coll);
    if (!entry || !isSeen(entry, view)) return undefined;
    if (entry.kind === 'collection') view.unit?.touch(entry);
    return entry;
  }

  /** The collection of that name, undefined when there is none. @throws CommandNotSupportedOnView for a view */
  collection(ns: Namespace, view: ReadView): Collection | undefined {
    const entry = this.find(ns, view);
    if (entry?.kind === 'view') {
      throw new CommandError('CommandNotSupportedOnView', `Namespace ${nsString(ns)} is a view, not a collection`);
    }
    return entry;
  }

  byUuid(db: string, uuid: Uint8Array): Collection | undefined {
    for (const entry of this.databases.get(db)?.values() ?? [])
      if (entry.kind === 'collection' && Buffer.compare(entry.uuid, uuid) === 0) return entry;
    return undefined;
  }

  /**
   * Creates a collection, or a view when `options` has `viewOn`.
   * @throws NamespaceExists (48), DatabaseDifferCase (13297), InvalidNamespace; WriteConflict
   */
  create(unit: WriteUnit, ns: Namespace, options: Doc = new Map()): CatalogEntry {
    checkNamespace(ns);
    this.checkCase(ns.db);
    const existing = this.databases.get(ns.db)?.get(ns.coll);
    if (existing?.creator && existing.creator !== unit) throw new WriteConflict(existing.creator.ended);
    if (existing) {
      const what = existing.kind === 'view' ? 'a view' : 'Collection';
      throw new CommandError(
        'NamespaceExists',
        `${what} already exists. NS: ${nsString(ns)}`.replace(/^a view/, 'A view'),
      );
    }
    const entry = options.has('viewOn') ? new View(ns, options) : new Collection(ns, uuid4(), options);
    if (entry.kind === 'collection' && !options.has('timeseries')) entry.indexes.createIdIndex();
    entry.creator = unit;
    this.put(entry);
    unit.onAbort(() => this.take(entry));
    unit.onCommit(() => (entry.creator = undefined));
    unit.log({ op: 'create', ns, options, ...(entry.kind === 'collection' && { uuid: entry.uuid }) });
    return entry;
  }

  /** The collection of that name, created with default options when there is none, as a first insert does. */
  collectionForWrite(unit: WriteUnit, ns: Namespace): Collection {
    return this.collection(ns, unit) ?? (this.create(unit, ns) as Collection);
  }

  /** Drops a collection or view. @throws NamespaceNotFound (26); WriteConflict while transactions use it */
  drop(unit: WriteUnit, ns: Namespace): CatalogEntry {
    const entry = this.find(ns, unit);
    if (!entry) throw new CommandError('NamespaceNotFound', 'ns not found');
    this.checkUnused(unit, entry);
    this.take(entry);
    unit.onAbort(() => this.put(entry));
    if (entry.kind === 'collection') unit.onCommit(() => (entry.isDropped = true));
    unit.log({ op: 'drop', ns, ...(entry.kind === 'collection' && { uuid: entry.uuid }) });
    return entry;
  }

  /** Drops all of a database; without complaint when there is none. */
  dropDatabase(unit: WriteUnit, db: string): void {
    const entries = this.list(db, unit);
    for (const entry of entries) this.drop(unit, entry.ns);
    if (entries.length > 0) unit.log({ op: 'dropDatabase', ns: { db, coll: '' } });
  }

  /**
   * Renames a collection, across databases too (it keeps its records and indexes; the uuid changes then).
   * @throws NamespaceNotFound (26), NamespaceExists (48), IllegalOperation (20); WriteConflict
   */
  rename(unit: WriteUnit, from: Namespace, to: Namespace, options: { dropTarget?: boolean } = {}): void {
    const source = this.find(from, unit);
    if (!source) throw new CommandError('NamespaceNotFound', `Source collection ${nsString(from)} does not exist`);
    if (source.kind === 'view') {
      throw new CommandError('CommandNotSupportedOnView', `cannot rename view: ${nsString(from)}`);
    }
    checkNamespace(to);
    if (nsString(from) === nsString(to)) {
      throw new CommandError('IllegalOperation', "Can't rename a collection to itself");
    }
    this.checkCase(to.db);
    this.checkUnused(unit, source);
    const target = this.find(to, unit);
    if (target?.kind === 'view') {
      throw new CommandError('NamespaceExists', `a view already exists with that name: ${nsString(to)}`);
    }
    if (target && !options.dropTarget) throw new CommandError('NamespaceExists', 'target namespace exists');
    if (target) {
      this.checkUnused(unit, target);
      this.take(target);
      unit.onAbort(() => this.put(target));
      unit.onCommit(() => (target.isDropped = true));
    }
    const { uuid } = source;
    this.take(source);
    source.ns = to;
    if (from.db !== to.db) source.uuid = uuid4();
    this.put(source);
    unit.onAbort(() => {
      this.take(source);
      source.ns = from;
      source.uuid = uuid;
      this.put(source);
    });
    unit.log({ op: 'rename', ns: from, uuid, to, ...(target && { dropTarget: target.uuid }) });
  }

  /** DDL waits for the open transactions that use the collection. */
  checkUnused(unit: WriteUnit, entry: CatalogEntry): void {
    if (entry.creator && entry.creator !== unit) throw new WriteConflict(entry.creator.ended);
    if (entry.kind === 'view') return;
    for (const transaction of entry.transactions) if (transaction !== unit) throw new WriteConflict(transaction.ended);
  }

  private checkCase(db: string): void {
    if (this.databases.has(db)) return;
    const folded = db.toLowerCase();
    for (const other of this.databases.keys()) {
      if (other.toLowerCase() !== folded) continue;
      throw new CommandError(
        'DatabaseDifferCase',
        `db already exists with different case already have: [${other}] trying to create [${db}]`,
      );
    }
  }

  private put(entry: CatalogEntry): void {
    const { db, coll } = entry.ns;
    let entries = this.databases.get(db);
    if (!entries) this.databases.set(db, (entries = new Map()));
    entries.set(coll, entry);
  }

  private take(entry: CatalogEntry): void {
    const { db, coll } = entry.ns;
    const entries = this.databases.get(db);
    entries?.delete(coll);
    if (entries?.size === 0) this.databases.delete(db);
  }
}

const isSeen = (entry: CatalogEntry, view: ReadView): boolean => !entry.creator || entry.creator === view.unit;
