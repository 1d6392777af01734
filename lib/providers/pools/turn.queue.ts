import { Place } from '../databases/recency.ring.js';
import type { PoolShare } from './pool.share.js';
import { clock } from '../../polymongo.clock.js';

/** So many commands of transactions are served before one other call of their database is. */
const BEGUN_IN_A_ROW = 3;

/** A call that waits for its turn. */
export class TurnWaiter {
  readonly place = new Place<TurnWaiter>(this);
  readonly since = clock.now();
  isServed = false;
  /** Takes it out of its queue. */
  leave = () => {};

  constructor(
    readonly share: PoolShare,
    /** It goes on with a transaction: others of its database may wait for that's locks. */
    readonly isOfTransaction: boolean,
    readonly grant: () => void,
    readonly refuse: (error: Error) => void,
  ) {}
}

/** The calls of one database that wait, the oldest first. */
class TurnLine {
  readonly place = new Place<TurnLine>(this);
  readonly #begun = new Place<TurnWaiter>();
  readonly #calls = new Place<TurnWaiter>();
  #begunInARow = 0;
  /** How many more are served before it is the next one's turn. */
  credit: number;

  constructor(readonly share: PoolShare) {
    this.credit = share.terms.weight;
  }

  /** It has nobody who may be served now. */
  get isAside(): boolean {
    return this.place.next === this.place;
  }

  get isEmpty(): boolean {
    return this.#begun.next.item === undefined && this.#calls.next.item === undefined;
  }

  add(waiter: TurnWaiter): void {
    waiter.place.goToEndOf(waiter.isOfTransaction ? this.#begun : this.#calls);
  }

  /** The next one; what goes on with a transaction first, and whatever the database has used up. */
  next(): TurnWaiter | undefined {
    const begun = this.#begun.next.item;
    const call = this.share.isUsedUp ? undefined : this.#calls.next.item;
    if (!begun || (call && this.#begunInARow >= BEGUN_IN_A_ROW)) {
      this.#begunInARow = 0;
      return call;
    }
    this.#begunInARow++;
    return begun;
  }

  *waiters(): Iterable<TurnWaiter> {
    for (const waiters of [this.#begun, this.#calls])
      for (let { next } = waiters; next.item; { next } = next) yield next.item;
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

  add(waiter: TurnWaiter): void {
    const { share } = waiter;
    let line = this.#lines.get(share);
    if (!line) {
      this.#lines.set(share, (line = new TurnLine(share)));
      line.place.goToEndOf(this.#ready);
    }
    line.add(waiter);
    if (line.isAside) line.place.goToEndOf(this.#ready); // it may be one that `maxInFlight` does not bound
    waiter.leave = () => this.#remove(line, waiter);
  }

  /** The call that is to be served next, which then leaves. */
  next(): TurnWaiter | undefined {
    for (let line; (line = this.#ready.next.item);) {
      const waiter = line.next();
      if (!waiter) {
        line.place.leave(); // until one of its commands has ended
        continue;
      }
      if (--line.credit === 0) {
        line.credit = line.share.terms.weight;
        line.place.goToEndOf(this.#ready);
      }
      return waiter;
    }
    return undefined;
  }

  /** A command of this database has ended. */
  ended(share: PoolShare): void {
    const line = this.#lines.get(share);
    if (line?.isAside) line.place.goToEndOf(this.#ready);
  }

  /** All that wait. */
  *waiters(): Iterable<TurnWaiter> {
    for (const line of this.#lines.values()) yield* line.waiters();
  }

  #remove(line: TurnLine, waiter: TurnWaiter): void {
    waiter.place.leave();
    if (!line.isEmpty) return;
    line.place.leave();
    this.#lines.delete(line.share);
  }
}
