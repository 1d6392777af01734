import { firstNotBefore } from '../bson/sorted.js';
import type { Doc } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Tick } from './clock.js';
import type { Namespace } from './namespace.js';

/** The session that a transaction belongs to, as change events name it. */
export interface TransactionOwner {
  readonly lsid: Doc;
  readonly txnNumber: bigint;
}

interface EntryBase {
  /** The commit's cluster time. All entries of one transaction share it; `txnOpIndex` orders them. */
  readonly ts: Tick;
  /** 0 outside transactions, else the place of the change in its transaction. */
  readonly txnOpIndex: number;
  /** Milliseconds since the epoch. */
  readonly wallTimeMS: number;
  readonly ns: Namespace;
  /** 16 bytes; absent for changes of a whole database and of views. */
  readonly uuid?: Uint8Array;
  /** Given for the changes of a multi-document transaction. */
  readonly owner?: TransactionOwner | undefined;
}

/** The state before a change, raw BSON; only of a collection that kept pre- and post-images when it was written. */
interface Imaged {
  readonly preImage?: Uint8Array | undefined;
}

/**
 * One committed change, with all that a change event of it can show and no more: documents are raw BSON, an update
 * is what it modified.
 */
export type OplogEntry = EntryBase &
  (
    | { readonly op: 'insert'; readonly after: Uint8Array }
    | ({ readonly op: 'replace'; readonly after: Uint8Array } & Imaged)
    | ({
        readonly op: 'update';
        /** The document's `_id`, as a document. */
        readonly documentKey: Uint8Array;
        /** What was modified, as `packDescription` writes it. */
        readonly description: Uint8Array;
        readonly postImage?: Uint8Array | undefined;
      } & Imaged)
    | ({ readonly op: 'delete'; readonly documentKey: Uint8Array } & Imaged)
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
    ? Omit<E, 'ts' | 'txnOpIndex' | 'wallTimeMS' | 'owner'>
    : never
  : never;

export interface OplogLimits {
  /** Entries kept at most; default 100,000. */
  readonly maxEntries?: number;
  /** Bytes kept at most; default 64 MiB. A document that is still stored counts too, though it is shared. */
  readonly maxBytes?: number;
}

interface Waiter {
  readonly isWanted: (entry: OplogEntry) => boolean;
  readonly wake: () => void;
}

/** What an entry takes besides its documents: about what Node needs for the object, its times and its arrays. */
const ENTRY_BYTES = 400;

function bytesOf(entry: OplogEntry): number {
  switch (entry.op) {
    case 'insert':
      return ENTRY_BYTES + entry.after.length;
    case 'replace':
      return ENTRY_BYTES + entry.after.length + (entry.preImage?.length ?? 0);
    case 'update': {
      const { documentKey, description, preImage, postImage } = entry;
      return ENTRY_BYTES + documentKey.length + description.length + (preImage?.length ?? 0) + (postImage?.length ?? 0);
    }
    case 'delete':
      return ENTRY_BYTES + entry.documentKey.length + (entry.preImage?.length ?? 0);
    default:
      return ENTRY_BYTES;
  }
}

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

  /** The entries that are there from `ts` on, those of one commit together; the newest first when `isReversed`. */
  *commits(ts: Tick, isReversed = false): Generator<OplogEntry[]> {
    const entries = this.entries.slice(this.seek(ts));
    if (isReversed) entries.reverse();
    for (let at = 0; at < entries.length;) {
      const start = at;
      while (at < entries.length && entries[at]!.ts === entries[start]!.ts) at++;
      const commit = entries.slice(start, at);
      yield isReversed ? commit.reverse() : commit;
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
    return firstNotBefore(this.head, this.entries.length, (place) => this.entries[place]!.ts < ts);
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
