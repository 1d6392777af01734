import { randomUUID } from 'node:crypto';
import { UUID } from 'bson';
import { decodeDoc } from '../bson/decode.js';
import { equalValues } from '../bson/compare.js';
import { type Doc, int32, isDoc, type Value } from '../bson/value.js';
import { CommandError, inContext } from '../errors.js';
import type { Collection } from './collection.js';
import { hasSameOptions, type IndexSpec, isSameSignature, parseIndexSpec } from './index.spec.js';
import { nsString } from './namespace.js';
import { type RecordId, type Slot, versionsOf } from './record-store.js';
import { StoredIndex } from './stored-index.js';
import { valueText } from './value-text.js';
import { WriteConflict } from './write-conflict.js';
import type { WriteUnit } from './write-unit.js';

/** An index key that only superseded states of a record have. */
export interface StaleKey {
  readonly index: StoredIndex;
  readonly key: unknown;
}

type Bytes = Uint8Array | undefined;

const MAX_INDEXES = 64;
const ID_SPEC: Doc = new Map([['key', new Map([['_id', int32(1)]])]]);
const NO_KEYS: readonly unknown[] = [];

/** How the errors of an index build begin; the build has a UUID of its own. */
const buildFailure = ({ ns, uuid }: Collection): string =>
  `Index build failed: ${randomUUID()}: Collection ${nsString(ns)} ( ${new UUID(uuid).toString()} )`;

/** Keys of one index: by identity where they are strings, by comparison where they are collated. */
class KeySet {
  private readonly strings = new Set<unknown>();
  private readonly others: unknown[] = [];

  constructor(private readonly index: StoredIndex) {}

  add(keys: readonly unknown[]): void {
    for (const key of keys) {
      if (typeof key === 'string') this.strings.add(key);
      else if (!this.has(key)) this.others.push(key);
    }
  }

  has(key: unknown): boolean {
    return this.strings.has(key) || this.index.includes(this.others, key);
  }
}

/** Decodes at most once, and only when asked. */
function lazily(bytes: Uint8Array): () => Doc {
  let doc: Doc | undefined;
  return () => (doc ??= decodeDoc(bytes));
}

/** The keys that are not among the others. */
function without(index: StoredIndex, keys: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  if (keys.length === 0 || others.length === 0) return keys;
  const set = new KeySet(index);
  set.add(others);
  return keys.filter((key) => !set.has(key));
}

/**
 * The indexes of a collection. Trees hold the keys of every state of a record that is still kept, so that snapshots
 * find theirs; a reader that meets a record with several states asks `hasKey` whether the key is its own.
 */
export class IndexCatalog {
  private readonly indexes = new Map<string, StoredIndex>();

  constructor(private readonly collection: Collection) {}

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

  /**
   * Creates the indexes that are not there yet.
   * @returns the specs of those created
   * @throws IndexOptionsConflict (85), IndexKeySpecsConflict (86), CannotCreateIndex (67), DuplicateKey (11000), …
   */
  create(unit: WriteUnit, specs: readonly Doc[]): Doc[] {
    const { collection } = this;
    const created: Doc[] = [];
    for (const given of specs) {
      const spec = parseIndexSpec(given, collection.collation);
      if (this.isThere(spec)) continue;
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
  drop(unit: WriteUnit, which: Value): void {
    const dropped = this.select(which);
    for (const index of dropped) {
      if (index.spec.isId) throw new CommandError('InvalidOptions', 'cannot drop _id index');
    }
    for (const index of dropped) {
      const order = [...this.indexes];
      this.indexes.delete(index.spec.name);
      unit.onAbort(() => this.restore(order));
    }
    const { ns, uuid } = this.collection;
    if (dropped.length > 0) unit.log({ op: 'dropIndexes', ns, uuid, indexes: dropped.map(({ spec }) => spec.doc) });
  }

  /** Changes `hidden` or `expireAfterSeconds` of an index (collMod); the keys stay. */
  modify(unit: WriteUnit, index: StoredIndex, options: Doc): void {
    const before = index.spec;
    index.spec = parseIndexSpec(new Map([...before.doc, ...options]), this.collection.collation);
    unit.onAbort(() => (index.spec = before));
    unit.noteIndexes(this.collection);
  }

  /** Brings the keys of a record to a new state. Leaves all as it was when it throws. @returns keys only older states have */
  change(id: RecordId, before: Bytes, after: Bytes, unit: WriteUnit): readonly StaleKey[] | undefined {
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
          if (index.spec.isUnique) this.checkUnique(index, key, id, unit, newDoc!);
          if (index.tree.insert(key, id)) added.push({ index, key });
        }
        for (const key of without(index, oldKeys, newKeys)) (stale ??= []).push({ index, key });
      }
    } catch (error) {
      for (const { index, key } of added) index.tree.delete(key, id);
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
        set = new KeySet(index);
        for (const bytes of kept) if (bytes) set.add(index.keysOfBytes(bytes));
        keptKeys.set(index, set);
      }
      if (!set.has(key)) index.tree.delete(key, id);
    }
  }

  private select(which: Value): StoredIndex[] {
    if (which === '*') return this.list().filter(({ spec }) => !spec.isId);
    if (Array.isArray(which)) return which.flatMap((name) => this.select(name));
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

  /** @returns whether there is this very index already */
  private isThere(spec: IndexSpec): boolean {
    const sameName = this.indexes.get(spec.name)?.spec;
    if (sameName) {
      if (isSameSignature(sameName, spec)) {
        if (hasSameOptions(sameName, spec)) return true;
        throw this.conflict('IndexOptionsConflict', 'An equivalent index already exists with the same name but different options.', spec, sameName); // prettier-ignore
      }
      throw this.conflict(
        'IndexKeySpecsConflict',
        'An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation.',
        spec,
        sameName,
      );
    }
    const same = this.list().find((index) => isSameSignature(index.spec, spec))?.spec;
    if (!same) return false;
    if (same.isId) return true;
    if (hasSameOptions(same, spec)) {
      throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${same.name}`);
    }
    throw this.conflict(
      'IndexOptionsConflict',
      'An equivalent index already exists with a different name and options.',
      spec,
      same,
    );
  }

  private conflict(
    code: 'IndexOptionsConflict' | 'IndexKeySpecsConflict',
    what: string,
    requested: IndexSpec,
    existing: IndexSpec,
  ): CommandError {
    return new CommandError(
      code,
      `${what} Requested index: ${valueText(requested.doc)}, existing index: ${valueText(existing.doc)}`,
    );
  }

  private build(unit: WriteUnit, index: StoredIndex): void {
    const { records } = this.collection;
    for (const id of records.ids()) {
      const states = versionsOf(records.get(id));
      states.forEach((bytes, age) => {
        if (!bytes) return;
        const doc = lazily(bytes);
        if (age === 0) index.check?.(doc());
        for (const key of index.keysOfBytes(bytes, doc)) {
          if (index.spec.isUnique && age === 0) this.checkUnique(index, key, id, unit, doc);
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

  /** @throws DuplicateKey when a committed record has the key, WriteConflict when a concurrent writer touches it */
  private checkUnique(index: StoredIndex, key: unknown, id: RecordId, unit: WriteUnit, doc: () => Doc): void {
    const cursor = index.tree.range(key, undefined);
    while (cursor.next() && index.format.compare(cursor.key, key) === 0) {
      if (cursor.id === id) continue;
      const slot = this.collection.records.get(cursor.id);
      if (this.holds(index, key, slot, unit)) throw this.duplicate(index, key, doc());
    }
  }

  private holds(index: StoredIndex, key: unknown, slot: Slot | undefined, unit: WriteUnit): boolean {
    if (slot === undefined) return false;
    if (slot instanceof Uint8Array) return true;
    if (slot.unit && slot.unit !== unit) throw new WriteConflict(slot.unit.ended);
    const isHeld = slot.bytes !== undefined && (!slot.older || index.includes(index.keysOfBytes(slot.bytes), key));
    if (!slot.unit && slot.tick > unit.tick) {
      const seen = isHeld || slot.older !== undefined;
      if (seen) throw new WriteConflict();
    }
    return isHeld;
  }

  private duplicate(index: StoredIndex, key: unknown, doc: Doc): CommandError {
    const { spec } = index;
    const values = index
      .valuesOf(doc)
      .find((candidate) => index.format.compare(index.format.key(candidate), key) === 0)!;
    const keyValue: Doc = new Map(spec.fields.map((field, i) => [field, values[i]!]));
    const collation = spec.collation ? ` collation: ${valueText(spec.collation.spec)}` : '';
    return new CommandError(
      'DuplicateKey',
      `E11000 duplicate key error collection: ${nsString(this.collection.ns)} index: ${spec.name}${collation} dup key: ${valueText(keyValue)}`,
      { keyPattern: spec.key, keyValue },
    );
  }
}
