import { CommandError } from '../errors.js';
import { Catalog } from './catalog.js';
import { Clock, type Tick } from './clock.js';
import { History } from './history.js';
import { Oplog, type OplogLimits, type TransactionOwner } from './oplog.js';
import { type Snapshot, Snapshots } from './snapshot.js';
import { TtlMonitor } from './ttl.monitor.js';
import { WriteConflict } from './write-conflict.js';
import { WriteUnit } from './write-unit.js';

export interface StorageOptions {
  readonly oplog?: OplogLimits;
}

/**
 * All data of one embedded server, in memory.
 *
 * @example
 * // one statement, waiting for transactions that are in the way
 * await storage.write((unit) => {
 *   const coll = storage.catalog.collectionForWrite(unit, { db: 'shop', coll: 'orders' });
 *   unit.insert(coll, bytes);
 * }, { signal });
 *
 * // reading: LATEST, a snapshot, or the unit of a transaction
 * const coll = storage.catalog.collection(ns, LATEST);
 * for (const { bytes } of coll.scan(LATEST)) …
 *
 * // a multi-document transaction
 * const unit = storage.beginTransaction({ lsid, txnNumber });
 * unit.insert(coll, bytes);   // throws WriteConflict at once: then unit.abort()
 * unit.commit();
 */
export class Storage {
  readonly clock = new Clock();
  readonly catalog = new Catalog();
  readonly snapshots = new Snapshots(this.clock);
  readonly oplog: Oplog;
  private readonly history = new History(this.snapshots);
  private readonly closing = new AbortController();
  private readonly ttl = new TtlMonitor(async (work) => {
    await this.write(work, { signal: this.closing.signal }).catch((error: unknown) => {
      if (!this.closing.signal.aborted) throw error;
    });
  });
  private readonly engine;

  constructor(options: StorageOptions = {}) {
    this.oplog = new Oplog(options.oplog);
    const { clock, oplog, history, snapshots, ttl } = this;
    this.engine = { clock, oplog, history, snapshots, ttl };
  }

  /** Stops the expiry of documents; the data goes with the last reference. Idempotent. */
  close(): void {
    this.closing.abort(new CommandError('InterruptedAtShutdown', 'The embedded server is shutting down.'));
    this.ttl.close();
  }

  /** A unit for one synchronous piece of work outside transactions. Prefer `write`. */
  beginWrite(): WriteUnit {
    return new WriteUnit(this.engine);
  }

  /**
   * The unit of a multi-document transaction, reading at a snapshot of now (or of `at`). It stays open until its
   * `commit()` or `abort()`; its writes throw WriteConflict at once.
   * @throws CommandError SnapshotTooOld (239)
   */
  beginTransaction(owner?: TransactionOwner, at?: Tick): WriteUnit {
    return new WriteUnit(this.engine, this.snapshots.take(at), owner);
  }

  /** Opens a point-in-time view; whoever takes it releases it. @throws CommandError SnapshotTooOld (239) */
  snapshot(at?: Tick): Snapshot {
    return this.snapshots.take(at);
  }

  /**
   * Runs `work` in a unit of its own and commits it; aborts when it throws. When an open transaction is in the way
   * (an uncommitted record, or DDL on a collection it uses) it waits for that one's end and runs `work` again:
   * so `work` must be synchronous, have no side effects but through the unit, and let WriteConflict pass.
   *
   * @throws the signal's reason when it is aborted while waiting
   */
  async write<T>(work: (unit: WriteUnit) => T, options: { signal?: AbortSignal } = {}): Promise<T> {
    const { signal } = options;
    for (;;) {
      const unit = this.beginWrite();
      try {
        const result = work(unit);
        unit.commit();
        return result;
      } catch (error) {
        unit.abort();
        if (!(error instanceof WriteConflict) || !error.blockedBy) throw error;
        await endOf(error.blockedBy, signal);
      }
    }
  }
}

/** Waits for a transaction's end or for the signal. */
function endOf(ended: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return ended;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    void ended.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
