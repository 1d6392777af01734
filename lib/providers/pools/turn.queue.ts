import { Place } from '../databases/recency.ring.js';
import type { PoolShare } from './pool.share.js';
import { clock } from '../../polymongo.clock.js';

/** A call that waits for its turn. */
export class TurnWaiter {
  readonly place = new Place<TurnWaiter>(this);
  readonly since = clock.now();
  /** Takes it out of its queue. */
  leave = () => {};

  constructor(
    readonly share: PoolShare,
    readonly grant: () => void,
    readonly refuse: (error: Error) => void,
  ) {}
}

/** The calls of one database that wait, the oldest first. */
class TurnLine {
  readonly place = new Place<TurnLine>(this);
  readonly waiters = new Place<TurnWaiter>();
  /** How many more are served before it is the next one's turn. */
  credit: number;

  constructor(readonly share: PoolShare) {
    this.credit = share.terms.weight;
  }

  get isEmpty(): boolean {
    return this.waiters.next.item === undefined;
  }
}

/**
 * Calls that wait, by database: those are served in turn, each as often in a row as its weight says. Every step costs the
 * same, however many wait.
 */
export class TurnQueue {
  readonly #lines = new Map<PoolShare, TurnLine>();
  /** The lines that may be served, the next one first; those whose database has used up its share stand aside. */
  readonly #ready = new Place<TurnLine>();

  /** @param isBounded by `maxInFlight` */
  constructor(readonly isBounded: boolean) {}

  add(waiter: TurnWaiter): void {
    const { share } = waiter;
    let line = this.#lines.get(share);
    if (!line) {
      this.#lines.set(share, (line = new TurnLine(share)));
      line.place.goToEndOf(this.#ready);
    }
    waiter.place.goToEndOf(line.waiters);
    waiter.leave = () => this.#remove(line, waiter);
  }

  /** The call that is to be served next, which then leaves. */
  next(): TurnWaiter | undefined {
    for (let line; (line = this.#ready.next.item);) {
      if (this.isBounded && line.share.isUsedUp) {
        line.place.leave(); // until one of its commands has ended
        continue;
      }
      if (--line.credit === 0) {
        line.credit = line.share.terms.weight;
        line.place.goToEndOf(this.#ready);
      }
      return line.waiters.next.item;
    }
    return undefined;
  }

  /** A command of this database has ended. */
  ended(share: PoolShare): void {
    const line = this.#lines.get(share);
    if (line && line.place.next === line.place) line.place.goToEndOf(this.#ready);
  }

  /** All that wait. */
  *waiters(): Iterable<TurnWaiter> {
    for (const { waiters } of this.#lines.values())
      for (let { next } = waiters; next.item; { next } = next) yield next.item;
  }

  #remove(line: TurnLine, waiter: TurnWaiter): void {
    waiter.place.leave();
    if (!line.isEmpty) return;
    line.place.leave();
    this.#lines.delete(line.share);
  }
}
