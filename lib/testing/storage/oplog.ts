import type { Doc } from '../bson/value.js';
import type { UpdateDescription } from '../query/update.js';
import { CommandError } from '../errors.js';
import type { Tick } from './clock.js';
import type { Namespace } from './namespace.js';

interface EntryBase {
  /** The commit's cluster time. All entries of one transaction share it; `txnOpIndex` orders them. */
  readonly ts: Tick;
  /** 0 outside transactions, else the place of the change in its transaction. */
  readonly txnOpIndex: number;
  readonly wallTime: Date;
  readonly ns: Namespace;
  /** 16 bytes; absent for changes of a whole database and of views. */
  readonly uuid?: Uint8Array;
  /** Who wrote: given for transactions and retryable writes. */
  readonly lsid?: Doc;
  readonly txnNumber?: bigint;
  /** Whether this entry is part of a multi-document transaction: only then change events show lsid and txnNumber. */
  readonly isTransaction: boolean;
}

/** One committed change, with all that a change event of it can show. Bytes are raw BSON. */
export type OplogEntry = EntryBase &
  (
    | { readonly op: 'insert'; readonly after: Uint8Array }
    | {
        readonly op: 'update';
        readonly before: Uint8Array;
        readonly after: Uint8Array;
        /** What was modified; absent for a replacement of the whole document. */
        readonly description: UpdateDescription | undefined;
        /** Whether the collection kept pre- and post-images when it was written. */
        readonly hasPreImage: boolean;
      }
    | { readonly op: 'delete'; readonly before: Uint8Array; readonly hasPreImage: boolean }
    | { readonly op: 'create'; readonly options: Doc }
    | { readonly op: 'drop' }
    | { readonly op: 'rename'; readonly to: Namespace; readonly dropTarget?: Uint8Array }
    | { readonly op: 'dropDatabase' }
    | { readonly op: 'createIndexes' | 'dropIndexes'; readonly indexes: readonly Doc[] }
    | { readonly op: 'modify'; readonly changes: Doc; readonly before: Doc }
  );

/** A change before its commit gives it a time. */
export type PendingChange = OplogEntry extends infer E
  ? E extends OplogEntry
    ? Omit<E, 'ts' | 'txnOpIndex' | 'wallTime' | 'lsid' | 'txnNumber' | 'isTransaction'>
    : never
  : never;

export interface OplogLimits {
  /** Entries kept at most; default 100,000. */
  readonly maxEntries?: number;
  /** Bytes of documents kept at most; default 64 MiB. A document that is still stored is shared, not copied. */
  readonly maxBytes?: number;
}

interface Waiter {
  readonly isWanted: (entry: OplogEntry) => boolean;
  readonly wake: () => void;
}

const bytesOf = (entry: OplogEntry): number =>
  ('after' in entry ? entry.after.length : 0) +
  (entry.op === 'update' || entry.op === 'delete' ? entry.before.length : 0);

/** The log of committed changes, oldest first, bounded by `OplogLimits`; change streams read it. */
export class Oplog {
  private entries: OplogEntry[] = [];
  private head = 0;
  /** How many entries are no longer in the array. */
  private dropped = 0;
  private bytes = 0;
  private droppedUpTo: Tick = 0;
  private readonly waiters = new Set<Waiter>();
  private readonly maxEntries: number;
  private readonly maxBytes: number;

  constructor(limits: OplogLimits = {}) {
    this.maxEntries = limits.maxEntries ?? 100_000;
    this.maxBytes = limits.maxBytes ?? 64 * 1024 * 1024;
  }

  get length(): number {
    return this.entries.length - this.head;
  }

  /** Whether everything after `ts` is still in the log. */
  covers(ts: Tick): boolean {
    return ts >= this.droppedUpTo;
  }

  /** Called by a commit with its entries, in order. */
  append(entries: readonly OplogEntry[]): void {
    for (const entry of entries) {
      this.entries.push(entry);
      this.bytes += bytesOf(entry);
    }
    this.trim();
    for (const waiter of this.waiters) if (entries.some(waiter.isWanted)) waiter.wake();
  }

  /**
   * The entries after the position (`ts`, `txnOpIndex`), or from `ts` on when `inclusive`.
   * Entries committed while the iteration runs are included; it ends at the newest.
   *
   * @throws CommandError ChangeStreamHistoryLost (286) when the position is older than the log
   */
  *after(ts: Tick, txnOpIndex = Infinity, inclusive = false): Generator<OplogEntry> {
    if (!this.covers(inclusive ? ts - 1 : ts)) throw this.historyLost();
    for (let place = this.dropped + this.seek(ts); place < this.dropped + this.entries.length; place++) {
      if (place < this.dropped + this.head) throw this.historyLost();
      const entry = this.entries[place - this.dropped]!;
      if (entry.ts > ts || inclusive || entry.txnOpIndex > txnOpIndex) yield entry;
    }
  }

  /**
   * Resolves when an entry newer than `ts` that `isWanted` is in the log, at once if there is one already.
   * Nothing polls: commits wake it.
   *
   * @throws the signal's reason when it is aborted before
   */
  waitForNewer(ts: Tick, signal: AbortSignal, isWanted: (entry: OplogEntry) => boolean = () => true): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      for (let at = this.seek(ts + 1); at < this.entries.length; at++)
        if (isWanted(this.entries[at]!)) return resolve();
      const leave = (): void => {
        this.waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => (leave(), reject(signal.reason as Error));
      const waiter: Waiter = { isWanted, wake: () => (leave(), resolve()) };
      this.waiters.add(waiter);
      signal.addEventListener('abort', onAbort);
    });
  }

  private historyLost(): CommandError {
    return new CommandError(
      'ChangeStreamHistoryLost',
      'Resume of change stream was not possible, as the resume point may no longer be in the oplog.',
      {},
      ['NonResumableChangeStreamError'],
    );
  }

  /** The first place whose entry is not older than `ts`. */
  private seek(ts: Tick): number {
    let low = this.head;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.ts < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private trim(): void {
    while (this.length > this.maxEntries || (this.bytes > this.maxBytes && this.length > 1)) {
      const oldest = this.entries[this.head]!;
      this.bytes -= bytesOf(oldest);
      this.droppedUpTo = oldest.ts;
      this.entries[this.head++] = undefined as unknown as OplogEntry;
    }
    if (this.head > 1024 && this.head > this.entries.length / 2) {
      this.entries = this.entries.slice(this.head);
      this.dropped += this.head;
      this.head = 0;
    }
  }
}
