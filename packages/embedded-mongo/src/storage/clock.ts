import { Timestamp } from 'bson';

/**
 * A cluster time as one number, `seconds * 2^20 + increment`, so that versions compare with `<`.
 * `timestampOf` and `tickOf` convert to and from the BSON Timestamp that goes over the wire.
 */
export type Tick = number;

const INCREMENTS = 2 ** 20;

let latest = { tick: 0, timestamp: new Timestamp(0n) };

/** The one of the last tick is kept: every command shows the newest several times. */
export function timestampOf(tick: Tick): Timestamp {
  if (latest.tick !== tick) {
    latest = { tick, timestamp: new Timestamp({ t: Math.floor(tick / INCREMENTS), i: tick % INCREMENTS }) };
  }
  return latest.timestamp;
}

/** Increments past 2^20 - 1, which this server never gives, are taken as that. */
export const tickOf = (timestamp: Timestamp): Tick =>
  timestamp.getHighBitsUnsigned() * INCREMENTS + Math.min(timestamp.getLowBitsUnsigned(), INCREMENTS - 1);

/** The source of cluster time: it only grows, whatever the wall clock does. */
export class Clock {
  /** Earlier than any time given. */
  readonly first: Tick = Math.floor(Date.now() / 1000) * INCREMENTS + 1;
  private last: Tick = this.first;

  /** The newest time given or learnt. */
  get now(): Tick {
    return this.last;
  }

  /** A new time, later than every one before. */
  next(): Tick {
    const wall = Math.floor(Date.now() / 1000) * INCREMENTS + 1;
    this.last = Math.max(wall, this.last + 1);
    return this.last;
  }

  /** Learns a later cluster time from a client's `$clusterTime`. */
  advanceTo(tick: Tick): void {
    if (tick > this.last) this.last = tick;
  }
}
