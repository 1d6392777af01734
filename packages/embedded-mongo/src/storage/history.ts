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
const KEPT_WRITES = 1_000;
const KEPT_BYTES = 8 * 1024 * 1024;
const KEPT_MS = 300_000;
/** Writes that come together before the next pruning: one look at a record then serves many writes to it. */
const SLACK = 500;

/** The newest write of a record within one pruning, and all keys that its writes left behind. */
interface Pruned {
  tick: Tick;
  readonly stale: StaleKey[];
}

/**
 * The recent writes, oldest first. What no snapshot needs is pruned as new writes come, down to a small window
 * (1,000 writes, 8 MiB, 300 s) in which `atClusterTime` reads work without a snapshot having been open.
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
    const outdated = now - (KEPT_MS / 1000) * 2 ** 20;
    const isOver = this.length > KEPT_WRITES + SLACK || this.bytes > KEPT_BYTES * 1.5;
    if (!isOver && (this.length === 0 || this.queue[this.head]!.tick >= outdated)) return;
    const needed = this.snapshots.oldestNeeded;
    if (this.queue[this.head]!.tick > needed) return;
    const pruned = new Map<Collection, Map<RecordId, Pruned>>();
    let last: Tick = 0;
    while (this.length > 0) {
      const write = this.queue[this.head]!;
      const isWindow = this.length <= KEPT_WRITES && this.bytes <= KEPT_BYTES && write.tick >= outdated;
      // The writes of one commit go together: a record it wrote twice is settled with the first.
      if ((isWindow && write.tick !== last) || write.tick > needed) break;
      last = write.tick;
      this.queue[this.head++] = undefined as unknown as Superseded;
      this.bytes -= write.bytes;
      collect(pruned, write);
    }
    this.snapshots.oldestReadable = Math.max(this.snapshots.oldestReadable, last);
    for (const [collection, records] of pruned) {
      if (!collection.isDropped) for (const [id, each] of records) settle(collection, id, each);
    }
    if (this.head > this.queue.length / 2) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }

  private get length(): number {
    return this.queue.length - this.head;
  }
}

function collect(pruned: Map<Collection, Map<RecordId, Pruned>>, { collection, id, tick, stale }: Superseded): void {
  let records = pruned.get(collection);
  if (!records) pruned.set(collection, (records = new Map()));
  const known = records.get(id);
  if (!known) records.set(id, { tick, stale: stale ? [...stale] : [] });
  else {
    known.tick = tick;
    for (const key of stale ?? []) known.stale.push(key);
  }
}

/** Cuts off what is older than the write; a record without older states becomes its bytes alone. */
function settle(collection: Collection, id: RecordId, { tick, stale }: Pruned): void {
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
  if (stale.length > 0) collection.indexes.removeKeys(id, stale, versionsOf(collection.records.get(id)));
}
