import { ConnectionBudgetError } from './pool.errors.js';
import { clock } from '../../polymongo.clock.js';

interface Waiter {
  size: number;
  grant: () => void;
}

/** How many sockets all pools together may have. A pool reserves its `maxConnections` before it connects. First come, first served. */
export class ConnectionBudget {
  readonly #waiters: Waiter[] = [];
  #used = 0;
  #wanted = 0;

  /** @param makeRoom called when a reservation has to wait, so that somebody closes as many pools as it takes */
  constructor(
    readonly max: number,
    readonly makeRoom: () => void,
  ) {}

  get used(): number {
    return this.#used;
  }

  /** Somebody waits for sockets. */
  get isContended(): boolean {
    return this.#waiters.length > 0;
  }

  /** How many sockets would have to come free for everybody who waits. */
  get missing(): number {
    return this.isContended ? this.#used + this.#wanted - this.max : 0;
  }

  /** Reserves `size` sockets if nobody has to wait for it; says whether it has. */
  tryReserve(size: number): boolean {
    if (this.isContended || this.#used + size > this.max) return false;
    this.#used += size;
    return true;
  }

  /** Resolves when `size` sockets are reserved. @throws ConnectionBudgetError after `timeoutMS`; the reason of an aborted `signal` */
  async reserve(dbName: string, size: number, timeoutMS: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.tryReserve(size)) return;
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clock.clear(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        size,
        grant: () => {
          end();
          resolve();
        },
      };
      const giveUp = (reason: unknown) => {
        end();
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#wanted -= size;
        reject(reason);
        this.#grant();
      };
      const onAbort = () => giveUp(signal?.reason);
      const timer = clock.setTimeout(
        () => giveUp(new ConnectionBudgetError(dbName, this.max, this.#used, timeoutMS)),
        timeoutMS,
      );
      signal?.addEventListener('abort', onAbort);
      this.#waiters.push(waiter);
      this.#wanted += size;
      this.makeRoom();
    });
  }

  release(size: number): void {
    this.#used -= size;
    this.#grant();
  }

  #grant(): void {
    for (let next = this.#waiters[0]; next && this.#used + next.size <= this.max; next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#wanted -= next.size;
      this.#used += next.size;
      next.grant();
    }
    if (this.isContended) this.makeRoom();
  }
}
