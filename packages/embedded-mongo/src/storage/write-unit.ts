import type { UpdateDescription } from '../query/update/description.js';
import type { Clock, Tick } from './clock.js';
import type { Collection } from './collection.js';
import type { History } from './history.js';
import type { StaleKey } from './index.catalog.js';
import type { Oplog, OplogEntry, PendingChange, TransactionOwner } from './oplog.js';
import type { ReadView, Touched, Writer } from './read-view.js';
import { deleteChange, insertChange, updateChange } from './record-change.js';
import { type RecordId, type Slot, type Version, versionsOf } from './record-store.js';
import type { Snapshot, Snapshots } from './snapshot.js';
import { WriteConflict } from './write-conflict.js';
import { uninterrupted } from '../bson/work.js';

/** Hears of what may bring the end of a document's life nearer. */
interface ExpiryWatch {
  noteWrite(collection: Collection, bytes: Uint8Array): void;
  noteIndexes(collection: Collection): void;
}

/** What a unit needs of its storage. */
export interface Engine {
  readonly clock: Clock;
  readonly oplog: Oplog;
  readonly history: History;
  readonly snapshots: Snapshots;
  readonly ttl: ExpiryWatch;
}

interface RecordWrite {
  readonly collection: Collection;
  readonly id: RecordId;
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array | undefined;
  readonly stale: readonly StaleKey[] | undefined;
}

/**
 * Every write goes through one of these; it ends with `commit()` or `abort()`.
 * Outside transactions it lives within one synchronous piece of work and reads the latest data;
 * a multi-document transaction keeps it open, reads from its snapshot, and sees its own writes.
 * A write that throws leaves the unit as it was before that write, so the caller may go on.
 */
export class WriteUnit implements ReadView, Writer {
  readonly tick: Tick;
  readonly unit: WriteUnit = this;
  /** Resolves when the unit has committed or aborted. */
  readonly ended: Promise<void>;
  private state: 'open' | 'committed' | 'aborted' = 'open';
  private readonly journal: (RecordWrite | (() => void))[] = [];
  private readonly commitHooks: (() => void)[] = [];
  private readonly changes: PendingChange[] = [];
  private readonly used = new Set<Touched>();
  private end!: () => void;
  private committedAt: Tick = 0;

  /**
   * @param snapshot given for a multi-document transaction; the unit releases it
   * @param owner whose transaction it is
   */
  constructor(
    private readonly engine: Engine,
    private readonly snapshot?: Snapshot,
    private readonly owner?: TransactionOwner,
  ) {
    this.tick = snapshot?.tick ?? Infinity;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  get isTransaction(): boolean {
    return this.snapshot !== undefined;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Cluster time of the commit; of the newest commit anywhere when this unit wrote nothing. 0 while open. */
  get commitTick(): Tick {
    return this.committedAt;
  }

  get hasWrites(): boolean {
    return this.changes.length > 0;
  }

  /** Notes that the transaction reads or writes a collection, so that DDL waits for it. */
  touch(used: Touched): void {
    if (!this.isTransaction || this.used.has(used)) return;
    this.used.add(used);
    used.transactions.add(this);
  }

  /**
   * Stores a document, whose `_id` must be there.
   * @throws CommandError DuplicateKey (11000) and others of the indexes; WriteConflict
   */
  insert(collection: Collection, bytes: Uint8Array): RecordId {
    this.touch(collection);
    const id = collection.records.nextId();
    this.write(collection, id, undefined, undefined, bytes);
    this.changes.push(insertChange(collection, bytes));
    return id;
  }

  /**
   * Replaces a record's bytes. `description` says what was modified (an `update` event); without it the user gave
   * a whole document (a `replace` event).
   * @returns false when this unit sees no such record any more
   */
  update(collection: Collection, id: RecordId, bytes: Uint8Array, description?: UpdateDescription): boolean {
    this.touch(collection);
    const slot = collection.records.get(id);
    const before = this.writable(slot);
    if (!before) return false;
    this.write(collection, id, slot, before, bytes);
    this.changes.push(updateChange(collection, before, bytes, description));
    return true;
  }

  /** Deletes a record. @returns false when this unit sees no such record any more */
  remove(collection: Collection, id: RecordId): boolean {
    this.touch(collection);
    const slot = collection.records.get(id);
    const before = this.writable(slot);
    if (!before) return false;
    this.write(collection, id, slot, before, undefined);
    this.changes.push(deleteChange(collection, before));
    return true;
  }

  /** Notes a change that is not a record's (DDL) for the oplog. */
  log(change: PendingChange): void {
    this.changes.push(change);
  }

  /** Notes that a collection's indexes or expiry changed. */
  noteIndexes(collection: Collection): void {
    this.onCommit(() => this.engine.ttl.noteIndexes(collection));
  }

  /** Registers what takes back a change made outside the records, in case the unit aborts. */
  onAbort(undo: () => void): void {
    this.journal.push(undo);
  }

  /** Registers what a commit does besides publishing records. */
  onCommit(publish: () => void): void {
    this.commitHooks.push(publish);
  }

  /**
   * Makes all writes visible at one cluster time and appends them to the oplog.
   * Outside transactions each change has an own, growing time in the oplog, as in MongoDB.
   */
  commit(): Tick {
    if (!this.isTransaction) this.trimCapped();
    return uninterrupted(() => this.publishAll());
  }

  private publishAll(): Tick {
    this.finish('committed');
    if (this.changes.length === 0) return (this.committedAt = this.engine.clock.now);
    const wallTimeMS = Date.now();
    const { isTransaction, owner } = this;
    let tick = isTransaction ? this.engine.clock.next() : 0;
    const entries = this.changes.map((change, i) => {
      if (!isTransaction) tick = this.engine.clock.next();
      return Object.assign(change, { ts: tick, wallTimeMS, txnOpIndex: isTransaction ? i : 0, owner }) as OplogEntry;
    });
    for (const write of this.journal) if (typeof write !== 'function') this.publish(write, tick);
    for (const publish of this.commitHooks) publish();
    this.engine.history.prune(tick);
    this.engine.oplog.append(entries);
    return (this.committedAt = tick);
  }

  /** Takes all writes back. Does nothing when the unit has ended. */
  abort(): void {
    if (!this.isOpen) return;
    this.finish('aborted');
    uninterrupted(() => {
      for (const entry of this.journal.reverse()) {
        if (typeof entry === 'function') entry();
        else this.revert(entry);
      }
    });
  }

  /** Makes room in capped collections: the oldest documents go, without an entry in the oplog (manual: Capped Collections). */
  private trimCapped(): void {
    const capped = new Map<Collection, { count: number; size: number }>();
    for (const write of this.journal) {
      if (typeof write === 'function' || !write.collection.isCapped) continue;
      const { collection, before, after } = write;
      const totals = capped.get(collection) ?? { count: collection.count, size: collection.dataSize };
      totals.count += (after ? 1 : 0) - (before ? 1 : 0);
      totals.size += (after?.length ?? 0) - (before?.length ?? 0);
      capped.set(collection, totals);
    }
    for (const [collection, { count, size }] of capped) {
      let over = { count: count - collection.maxCount, size: size - collection.maxSize };
      for (const { id, bytes } of collection.scan(this)) {
        if (over.count <= 0 && over.size <= 0) break;
        this.write(collection, id, collection.records.get(id), bytes, undefined);
        over = { count: over.count - 1, size: over.size - bytes.length };
      }
    }
  }

  private finish(state: 'committed' | 'aborted'): void {
    if (!this.isOpen) throw new Error(`This write unit is ${this.state} already`);
    this.state = state;
    this.snapshot?.release();
    for (const { transactions } of this.used) transactions.delete(this);
    this.end();
  }

  /** The bytes this unit may replace. @throws WriteConflict when another writer was first */
  private writable(slot: Slot | undefined): Uint8Array | undefined {
    if (slot === undefined || slot instanceof Uint8Array) return slot;
    if (slot.unit && slot.unit !== this) throw new WriteConflict(slot.unit.ended);
    if (!slot.unit && slot.tick > this.tick) throw new WriteConflict();
    return slot.bytes;
  }

  private write(
    collection: Collection,
    id: RecordId,
    slot: Slot | undefined,
    before: Uint8Array | undefined,
    after: Uint8Array | undefined,
  ): void {
    const stale = collection.indexes.change(id, before, after, this);
    const older: Version | undefined =
      slot instanceof Uint8Array ? { bytes: slot, tick: 0, unit: undefined, older: undefined } : slot;
    collection.records.set(id, { bytes: after, tick: Infinity, unit: this, older });
    this.journal.push({ collection, id, before, after, stale });
  }

  private publish({ collection, id, before, after, stale }: RecordWrite, tick: Tick): void {
    collection.count += (after ? 1 : 0) - (before ? 1 : 0);
    collection.dataSize += (after?.length ?? 0) - (before?.length ?? 0);
    collection.writeCount++;
    let version = collection.records.get(id) as Version | undefined;
    for (; version?.unit === this; version = version.older) {
      version.tick = tick;
      version.unit = undefined;
    }
    this.engine.history.push({ collection, id, tick, stale, bytes: before?.length ?? 0 });
    if (after && collection.canExpire) this.engine.ttl.noteWrite(collection, after);
  }

  private revert({ collection, id, after }: RecordWrite): void {
    const version = collection.records.get(id) as Version;
    if (version.older) collection.records.set(id, version.older);
    else collection.records.delete(id);
    collection.indexes.forget(id, after, versionsOf(collection.records.get(id)));
  }
}
