import type { DatabasePool } from '../pools/database.pool.js';
import { type Timer, clock } from '../../polymongo.clock.js';

/** How many databases of one pool get collections and indexes at the same time; createIndexes is heavy on the server. */
const MAX_CONCURRENT = 4;

/**
 * Lets a few builds run at a time, the others in their order. Nobody waits behind what does not end: when none has
 * ended for `patienceMS`, those that run count no longer, and all that wait go ahead.
 */
export class IndexQueue {
  readonly #waiting: (() => void)[] = [];
  #running = new Set<symbol>();
  #patience: Timer | undefined;

  constructor(readonly patienceMS: number) {}

  async run<T>(build: () => Promise<T>): Promise<T> {
    const place = Symbol('place');
    if (this.#running.size < MAX_CONCURRENT) this.#running.add(place);
    else await this.#turn(place);
    try {
      return await build();
    } finally {
      this.#leave(place);
    }
  }

  #turn(place: symbol): Promise<void> {
    if (!this.#patience) this.#waitAnew();
    return new Promise((resolve) =>
      this.#waiting.push(() => {
        this.#running.add(place);
        resolve();
      }),
    );
  }

  #leave(place: symbol): void {
    this.#running.delete(place);
    if (this.#running.size < MAX_CONCURRENT) this.#waiting.shift()?.();
    if (this.#waiting.length === 0) this.#stopWaiting();
    else if (this.#patience) this.#waitAnew();
  }

  #goAhead(): void {
    this.#stopWaiting();
    this.#running = new Set();
    for (const go of this.#waiting.splice(0)) go();
  }

  #waitAnew(): void {
    clock.clear(this.#patience);
    this.#patience = clock.setTimeout(() => this.#goAhead(), this.patienceMS).unref();
  }

  #stopWaiting(): void {
    clock.clear(this.#patience);
    this.#patience = undefined;
  }
}

/** A queue for each pool, so that one sick cluster holds up nobody else. */
export class IndexQueues {
  readonly #queues = new WeakMap<DatabasePool, IndexQueue>();

  of(pool: DatabasePool): IndexQueue {
    let queue = this.#queues.get(pool);
    if (!queue) this.#queues.set(pool, (queue = new IndexQueue(pool.config.waitQueueTimeoutMS)));
    return queue;
  }
}
