import type { Tick } from './clock.js';
import type { Collection } from './collection.js';
import type { StaleKey } from './index.catalog.js';
import { type RecordId, type Version, versionsOf } from './record-store.js';
import type { Snapshots } from './snapshot.js';

/** A committed write whose record still carries older states or the time of its insert. */
export interface Superseded {
  readonly collection: Collection;
  readonly id: RecordId;
  readonly tick: Tick;
  /** Index keys that only the older states have. */
  readonly stale: readonly StaleKey[] | undefined;
  /** Size of the state this write superseded. */
  readonly bytes: number;
}

/** How much history is kept for reads at a past cluster time, beyond what open snapshots need. */
const KEPT_WRITES = 5_000;
const KEPT_BYTES = 8 * 1024 * 1024;
const KEPT_MS = 300_000;

/**
 * The recent writes, oldest first. What no snapshot needs is pruned as new writes come, down to a small window
 * (5,000 writes, 8 MiB, 300 s) in which `atClusterTime` reads work without a snapshot having been open.
 */
export class History {
  private queue: Superseded[] = [];
  private head = 0;
  private bytes = 0;

  constructor(private readonly snapshots: Snapshots) {}

  push(write: Superseded): void {
    this.queue.push(write);
    this.bytes += write.bytes;
  }

  prune(now: Tick): void {
    if (this.queue.length - this.head === 0) return;
    const outdated = now - (KEPT_MS / 1000) * 2 ** 20;
    const needed = this.snapshots.oldestNeeded;
    let pruned: Tick = 0;
    while (this.head < this.queue.length) {
      const write = this.queue[this.head]!;
      const isWindow =
        this.queue.length - this.head <= KEPT_WRITES && this.bytes <= KEPT_BYTES && write.tick >= outdated;
      // The writes of one commit go together: a record it wrote twice is settled with the first.
      if ((isWindow && write.tick !== pruned) || write.tick > needed) break;
      pruned = write.tick;
      this.queue[this.head++] = undefined as unknown as Superseded;
      this.bytes -= write.bytes;
      this.snapshots.oldestReadable = Math.max(this.snapshots.oldestReadable, write.tick);
      settle(write);
    }
    if (this.head > 1024 && this.head > this.queue.length / 2) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }
}

/** Cuts off what is older than the write; a record without older states becomes its bytes alone. */
function settle({ collection, id, tick, stale }: Superseded): void {
  if (collection.isDropped) return;
  const slot = collection.records.get(id);
  if (slot && !(slot instanceof Uint8Array)) {
    let version: Version | undefined = slot;
    while (version && (version.unit || version.tick > tick)) version = version.older;
    if (version) version.older = undefined;
    if (version === slot) {
      if (version.bytes) collection.records.set(id, version.bytes);
      else collection.records.delete(id);
    }
  }
  if (stale) collection.indexes.removeKeys(id, stale, versionsOf(collection.records.get(id)));
}
