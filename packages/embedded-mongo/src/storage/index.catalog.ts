import { randomUUID } from 'node:crypto';
import { UUID } from 'bson';
import type { Collation } from '../bson/collation.js';
import { decodeDoc } from '../bson/decode.js';
import { equalValues } from '../bson/compare.js';
import { type Doc, int32, isDoc, typeName, type Value } from '../bson/value.js';
import { CommandError, inContext } from '../errors.js';
import { isThere } from './index.conflicts.js';
import { type IndexSpecOptions, parseIndexSpec } from './index.spec.js';
import { checkUnique } from './index.uniqueness.js';
import { KeySet, without } from './key-set.js';
import { type Namespace, nsString } from './namespace.js';
import type { PendingChange } from './oplog.js';
import type { ReadView, Writer } from './read-view.js';
import { type RecordId, type RecordStore, versionsOf } from './record-store.js';
import { StoredIndex } from './stored-index.js';
import { valueText } from './value-text.js';
import { uninterrupted } from '../bson/work.js';

/** An index key that only superseded states of a record have. */
export interface StaleKey {
  readonly index: StoredIndex;
  readonly key: unknown;
}

/** The collection whose indexes they are. */
interface IndexedCollection {
  readonly ns: Namespace;
  readonly uuid: Uint8Array;
  readonly collation: Collation | undefined;
  readonly records: RecordStore;
}

/** The unit of writes that changes them. */
interface IndexWriter<C> extends ReadView, Writer {
  log(change: PendingChange): void;
  noteIndexes(collection: C): void;
  onAbort(undo: () => void): void;
}

type Bytes = Uint8Array | undefined;

const MAX_INDEXES = 64;
const ID_SPEC: Doc = new Map([['key', new Map([['_id', int32(1)]])]]);
const NO_KEYS: readonly unknown[] = [];

/** How the errors of an index build begin; the build has a UUID of its own. */
const buildFailure = ({ ns, uuid }: IndexedCollection): string =>
  `Index build failed: ${randomUUID()}: Collection ${nsString(ns)} ( ${new UUID(uuid).toString()} )`;

/** Decodes at most once, and only when asked. */
function lazily(bytes: Uint8Array): () => Doc {
  let doc: Doc | undefined;
  return () => (doc ??= decodeDoc(bytes));
}

/**
 * The indexes of a collection. Trees hold the keys of every state of a record that is still kept, so that snapshots
 * find theirs; a reader that meets a record with several states asks `hasKey` whether the key is its own.
 */
export class IndexCatalog<C extends IndexedCollection> {
  private readonly indexes = new Map<string, StoredIndex>();

  constructor(private readonly collection: C) {}

  get size(): number {
    return this.indexes.size;
  }

  /** In order of creation, the `_id` index first. */
  list(): StoredIndex[] {
    return [...this.indexes.values()];
  }

  get(name: string): StoredIndex | undefined {
    return this.indexes.get(name);
  }

  /** The `_id` index; only time series collections have none. */
  get id(): StoredIndex | undefined {
    return this.indexes.get('_id_');
  }

  /** Whether some index ends documents' lives. */
  get hasExpiry(): boolean {
    return this.list().some(({ spec }) => spec.expireAfterSeconds !== undefined);
  }

  /** Makes the index on `_id` that a new collection has. */
  createIdIndex(): void {
    this.indexes.set('_id_', new StoredIndex(parseIndexSpec(ID_SPEC, this.collection.collation)));
  }

  /** The indexes of exactly this key pattern. */
  byKey(key: Doc): StoredIndex[] {
    return this.list().filter(({ spec }) => equalValues(spec.key, key) && spec.key.size === key.size);
  }

  /** Whether all these indexes are there, so that there is nothing to create. @throws CommandError as `create` does */
  hasAll(specs: readonly Doc[], options: IndexSpecOptions = {}): boolean {
    const existing = this.list().map(({ spec }) => spec);
    return specs.every((given) => isThere(parseIndexSpec(given, this.collection.collation, options), existing));
  }

  /**
   * Creates the indexes that are not there yet.
   * @returns the specs of those created
   * @throws IndexOptionsConflict (85), IndexKeySpecsConflict (86), CannotCreateIndex (67), DuplicateKey (11000), …
   */
  create(unit: IndexWriter<C>, specs: readonly Doc[], options: IndexSpecOptions = {}): Doc[] {
    const { collection } = this;
    const created: Doc[] = [];
    for (const given of specs) {
      const spec = parseIndexSpec(given, collection.collation, options);
      if (
        isThere(
          spec,
          this.list().map((index) => index.spec),
        )
      )
        continue;
      if (this.size >= MAX_INDEXES) {
        throw new CommandError(
          'CannotCreateIndex',
          `add index fails, too many indexes for ${nsString(collection.ns)} key:${valueText(spec.key)}`,
        );
      }
      const other = spec.kind === 'text' && this.list().find((index) => index.spec.kind === 'text');
      if (other) {
        throw new CommandError(
          'CannotCreateIndex',
          `only one text index per collection allowed, found existing text index "${other.spec.name}"`,
        );
      }
      try {
        this.build(unit, new StoredIndex(spec));
      } catch (error) {
        throw inContext(error, buildFailure(collection));
      }
      created.push(spec.doc);
    }
    const { ns, uuid } = collection;
    if (created.length > 0) unit.log({ op: 'createIndexes', ns, uuid, indexes: created });
    unit.noteIndexes(collection);
    return created;
  }

  /**
   * Drops indexes by name, names, key pattern, or all but `_id` by `*`.
   * @throws IndexNotFound (27), InvalidOptions (72) for the `_id` index, AmbiguousIndexKeyPattern (181)
   */
  drop(unit: IndexWriter<C>, which: Value): void {
    const dropped = this.select(which);
    for (const index of dropped) {
      if (index.spec.isId) throw new CommandError('InvalidOptions', 'cannot drop _id index');
    }
    for (const index of dropped) {
      const order = [...this.indexes];
      this.indexes.delete(index.spec.name);
      index.isDropped = true;
      unit.onAbort(() => {
        index.isDropped = false;
        this.restore(order);
      });
    }
    const { ns, uuid } = this.collection;
    if (dropped.length > 0) unit.log({ op: 'dropIndexes', ns, uuid, indexes: dropped.map(({ spec }) => spec.doc) });
  }

  /** Changes `hidden` or `expireAfterSeconds` of an index (collMod); the keys stay. */
  modify(unit: IndexWriter<C>, index: StoredIndex, options: Doc): void {
    const before = index.spec;
    index.spec = parseIndexSpec(new Map([...before.doc, ...options]), this.collection.collation);
    unit.onAbort(() => (index.spec = before));
    unit.noteIndexes(this.collection);
  }

  /** Brings the keys of a record to a new state. Leaves all as it was when it throws. @returns keys only older states have */
  change(id: RecordId, before: Bytes, after: Bytes, unit: IndexWriter<C>): readonly StaleKey[] | undefined {
    const oldDoc = before && lazily(before);
    const newDoc = after && lazily(after);
    let stale: StaleKey[] | undefined;
    const added: StaleKey[] = [];
    try {
      for (const index of this.indexes.values()) {
        if (index.spec.isId && before && after) continue; // an _id never changes
        const oldKeys = before ? index.keysOfBytes(before, oldDoc) : NO_KEYS;
        if (newDoc) index.check?.(newDoc());
        const newKeys = after ? index.keysOfBytes(after, newDoc) : NO_KEYS;
        for (const key of without(index, newKeys, oldKeys)) {
          if (index.spec.isUnique) checkUnique(this.collection, { index, key, id, doc: newDoc! }, unit);
          if (index.tree.insert(key, id)) added.push({ index, key });
        }
        for (const key of without(index, oldKeys, newKeys)) (stale ??= []).push({ index, key });
      }
    } catch (error) {
      uninterrupted(() => added.forEach(({ index, key }) => index.tree.delete(key, id)));
      throw error;
    }
    return stale;
  }

  /** Removes those keys of a state that was taken back that no kept state has. */
  forget(id: RecordId, state: Bytes, kept: readonly Bytes[]): void {
    if (!state) return;
    const keys = this.list().flatMap((index) => index.keysOfBytes(state).map((key) => ({ index, key })));
    this.removeKeys(id, keys, kept);
  }

  /** Removes keys that no kept state has. */
  removeKeys(id: RecordId, keys: readonly StaleKey[], kept: readonly Bytes[]): void {
    const keptKeys = new Map<StoredIndex, KeySet>();
    for (const { index, key } of keys) {
      let set = keptKeys.get(index);
      if (!set) {
        set = new KeySet(
          index,
          kept.flatMap((bytes) => (bytes ? index.keysOfBytes(bytes) : [])),
        );
        keptKeys.set(index, set);
      }
      if (!set.has(key)) index.tree.delete(key, id);
    }
  }

  private select(which: Value): StoredIndex[] {
    if (which === '*') return this.list().filter(({ spec }) => !spec.isId);
    if (Array.isArray(which)) {
      return which.flatMap((name) => {
        if (typeof name === 'string') return this.select(name);
        throw new CommandError(
          'TypeMismatch',
          `dropIndexes ${valueText(name)} (position not specified): expected string, found ${typeName(name)}`,
        );
      });
    }
    if (isDoc(which)) {
      const found = this.byKey(which);
      if (found.length === 0) {
        throw new CommandError('IndexNotFound', `can't find index with key: ${valueText(which)}`);
      }
      if (found.length > 1) {
        throw new CommandError(
          'AmbiguousIndexKeyPattern',
          `${found.length} indexes found for key: ${valueText(which)}, identify by name instead.`,
        );
      }
      return found;
    }
    const index = this.indexes.get(which as string);
    if (!index) throw new CommandError('IndexNotFound', `index not found with name [${String(which)}]`);
    return [index];
  }

  private build(unit: IndexWriter<C>, index: StoredIndex): void {
    const { records } = this.collection;
    for (const id of records.ids()) {
      const states = versionsOf(records.get(id));
      states.forEach((bytes, age) => {
        if (!bytes) return;
        const doc = lazily(bytes);
        if (age === 0) index.check?.(doc());
        for (const key of index.keysOfBytes(bytes, doc)) {
          if (index.spec.isUnique && age === 0) checkUnique(this.collection, { index, key, id, doc }, unit);
          index.tree.insert(key, id);
        }
      });
    }
    this.indexes.set(index.spec.name, index);
    unit.onAbort(() => this.indexes.delete(index.spec.name));
  }

  private restore(order: readonly [string, StoredIndex][]): void {
    this.indexes.clear();
    for (const [name, index] of order) this.indexes.set(name, index);
  }
}
