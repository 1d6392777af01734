import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { DatabasePool } from './database.pool.js';
import { within } from './deadline.js';
import type { CloseTimes, CloseUrgency } from './pool.closing.js';
import { PolyMongoClosedError } from './pool.errors.js';
import { reserveOf, ShutdownDeadline } from './shutdown.deadline.js';
import { clock } from '../../polymongo.clock.js';

/** What a shutdown ends. */
export interface ShutdownHost {
  readonly events: PolyMongoEvents;
  pools(): Iterable<DatabasePool>;
  /** Lets work go on that a reconfiguration holds up. */
  resumeAll(): void;
  /** Lets every database go, when the pools are closed. */
  releaseAll(): Promise<void>;
}

/** The end of everything: once, in order, within one deadline. */
export class PoolsShutdown implements CloseTimes {
  readonly #onClosed: (() => void)[] = [];
  #deadline: ShutdownDeadline | undefined;
  #streamsTookMS = 0;
  #closing: Promise<void> | undefined;
  #forceClose = () => {};

  constructor(
    readonly shutdownTimeoutMS: number,
    readonly host: ShutdownHost,
  ) {}

  /** It has begun; nothing new starts. */
  get isShuttingDown(): boolean {
    return this.#deadline !== undefined;
  }

  get shutdownDeadline(): ShutdownDeadline | undefined {
    return this.#deadline;
  }

  /** How long disconnect hooks may take now. */
  get hookTimeoutMS(): number {
    return this.#deadline ? Math.max(0, this.#deadline.farewellBy - clock.now()) : this.shutdownTimeoutMS;
  }

  /** @throws PolyMongoClosedError when it has begun */
  assertOpen(): void {
    if (this.isShuttingDown) throw new PolyMongoClosedError();
  }

  /** Has `listener` called when everything is closed. */
  onClosed(listener: () => void): void {
    this.#onClosed.push(listener);
  }

  /** Ends everything; by force at once, also one that is under way. */
  begin(isForced: boolean): Promise<void> {
    if (isForced) this.#forceClose();
    return (this.#closing ??= this.#closeEverything(isForced));
  }

  /** Has the change streams of these databases end. All of them is the first phase of a shutdown, and part of its time. */
  async completeStreams(dbs: readonly string[] | 'all'): Promise<void> {
    const since = clock.now();
    const timeoutMS = this.shutdownTimeoutMS - reserveOf(this.shutdownTimeoutMS) - this.#streamsTookMS;
    await within(Math.max(0, timeoutMS), this.host.events.emitAndWait('streams', { dbs, action: 'complete' }));
    if (dbs === 'all') this.#streamsTookMS += clock.now() - since;
  }

  async #closeEverything(isForced: boolean): Promise<void> {
    this.#deadline = new ShutdownDeadline(this.shutdownTimeoutMS, this.#streamsTookMS);
    let urgency: CloseUrgency = isForced ? 'now' : 'deadline';
    const forced = new Promise<void>((resolve) => {
      this.#forceClose = () => {
        urgency = 'now';
        resolve();
        for (const pool of this.host.pools()) void pool.close('forced', urgency);
      };
    });
    this.host.resumeAll();
    const streams = this.completeStreams('all');
    if (!isForced) await Promise.race([streams, forced]);
    await Promise.all([...this.host.pools()].map((pool) => pool.close('shutdown', urgency)));
    await this.host.releaseAll();
    for (const listener of this.#onClosed) listener();
  }
}
