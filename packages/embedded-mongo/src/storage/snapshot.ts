import { CommandError } from '../errors.js';
import type { Clock, Tick } from './clock.js';
import type { ReadView } from './read-view.js';

/** A point in time that stays readable until `release()`. */
export interface Snapshot extends ReadView {
  /** Idempotent. */
  release(): void;
}

/** mongod's minSnapshotHistoryWindowInSeconds, in ms. */
const RETAIN_MS = 300_000;

/** The points in time that somebody reads from, and so the history that has to be kept. */
export class Snapshots {
  private readonly open = new Set<Snapshot>();
  private readonly retained = new Map<Tick, number>();
  /** Reads before this time are no longer possible. */
  oldestReadable: Tick = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * Opens a snapshot of now, or of `at` (readConcern.atClusterTime).
   * @throws CommandError SnapshotTooOld (239) when the history of that time is gone
   */
  take(at: Tick = this.clock.now): Snapshot {
    if (at < this.oldestReadable) {
      throw new CommandError(
        'SnapshotTooOld',
        'Read timestamp is older than the oldest available timestamp: the history of that time is no longer kept.',
      );
    }
    const snapshot: Snapshot = { tick: at, release: () => void this.open.delete(snapshot) };
    this.open.add(snapshot);
    return snapshot;
  }

  get openCount(): number {
    return this.open.size;
  }

  /** Keeps `tick` readable for five minutes from now: for a snapshot session between two of its reads. */
  retain(tick: Tick): void {
    this.retained.set(tick, Date.now() + RETAIN_MS);
  }

  /** Nothing superseded at or before this time is needed by anybody. */
  get oldestNeeded(): Tick {
    let oldest = this.clock.now;
    for (const { tick } of this.open) if (tick < oldest) oldest = tick;
    for (const [tick, expires] of this.retained) {
      if (expires < Date.now()) this.retained.delete(tick);
      else if (tick < oldest) oldest = tick;
    }
    return oldest;
  }
}
