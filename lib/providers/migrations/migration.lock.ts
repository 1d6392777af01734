import { randomUUID } from 'node:crypto';
import { MigrationBusyError, MigrationTakenOverError } from './migration.errors.js';
import type { Holder, MigrationState, MigrationStore } from './migration.store.js';
import { type Timer, clock, delay } from '../../polymongo.clock.js';

const POLL_MS = 100;

/** How the lock of a tenant is taken. */
export interface LockOptions {
  /** For how long a process that is not heard of keeps it, in ms. */
  readonly lockMS: number;
  /** How long to wait for another process, in ms. */
  readonly waitMS: number;
  readonly signal: AbortSignal;
}

/**
 * The lock of one tenant's migrations, held by this process. It keeps others away while this one is heard of; that two
 * never write is not its doing, but that of the epoch which every write asserts.
 */
export class MigrationLock {
  readonly #store: MigrationStore;
  readonly #holder: Holder;
  readonly #lost = new AbortController();
  readonly #timer: Timer;
  #heardAtMS = clock.monotonic();

  private constructor(
    store: MigrationStore,
    holder: Holder,
    /** As it was when the lock was taken. */
    readonly state: MigrationState,
    readonly lockMS: number,
  ) {
    this.#store = store;
    this.#holder = holder;
    this.#timer = clock.setInterval(() => void this.#beat(), lockMS / 3); // under the lease that the run has
    this.#timer.unref();
    void this.#beat();
  }

  /** Waits for the lock. @throws MigrationBusyError; the signal's reason */
  static async take(store: MigrationStore, { lockMS, waitMS, signal }: LockOptions): Promise<MigrationLock> {
    const owner = randomUUID();
    const startedAtMS = clock.monotonic();
    for (;;) {
      signal.throwIfAborted();
      const seen = await store.read();
      if (!seen) {
        await store.create();
        continue;
      }
      const isHeld = seen.isOwned && (await store.isAlive(seen.epoch));
      const state = isHeld ? undefined : await store.take(seen, owner, lockMS);
      if (state) return new MigrationLock(store, { epoch: state.epoch, owner }, state, lockMS);
      const waitedMS = Math.round(clock.monotonic() - startedAtMS);
      if (waitedMS >= waitMS) throw new MigrationBusyError(store.tenantId, waitedMS);
      await delay(POLL_MS);
    }
  }

  get epoch(): number {
    return this.#holder.epoch;
  }

  /** Aborted when another process has taken over, or may have. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Writes into the tenant's state. @throws MigrationTakenOverError */
  readonly write = (...args: Tail<Parameters<MigrationStore['write']>>): Promise<void> =>
    this.#store.write(this.#holder, ...args);

  /** Gives it back. Where that fails it ends by itself. */
  async release(): Promise<void> {
    clock.clear(this.#timer);
    await this.write({ $set: { owner: null } }).catch(() => {});
  }

  async #beat(): Promise<void> {
    const startedAtMS = clock.monotonic();
    try {
      await this.#store.beat(this.#holder, this.lockMS);
      this.#heardAtMS = startedAtMS;
    } catch (error) {
      const isLate = clock.monotonic() - this.#heardAtMS > this.lockMS;
      if (error instanceof MigrationTakenOverError || isLate) {
        this.#lost.abort(new MigrationTakenOverError(this.#store.tenantId));
      } // else the next one may succeed
    }
  }
}

type Tail<T extends unknown[]> = T extends [unknown, ...infer R] ? R : never;
