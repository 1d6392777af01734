import { isInBackground } from './background.work.js';
import { PoolQueueTimeoutError } from './pool.errors.js';
import { settling } from './pool.lease.js';
import type { PoolShare } from './pool.share.js';
import type { SocketLoad } from './pool.statistics.js';
import { TurnQueue, TurnWaiter } from './turn.queue.js';
import { type Timer, clock } from '../../polymongo.clock.js';

/**
 * What a command is to the work that it belongs to. `call`: it begins there. `next`: it goes on with a cursor, so nobody
 * refuses it. `transaction`: it goes on with a transaction, whose locks others of its database may wait for, so it goes before
 * most of them.
 */
export type CommandStep = 'call' | 'next' | 'transaction';

/** What turns need of their pool. */
export interface TurnsHost {
  readonly name: string;
  /** How many sockets to a server there can be; 0 is without bound. */
  readonly maxSockets: number;
  readonly waitQueueTimeoutMS: number;
  readonly load: SocketLoad;
  /** A call that has waited so long has its turn. */
  onTaken(waitedMS: number): void;
  /** Somebody waits, or no longer. */
  onChange(): void;
}

/** Of so many turns one is for what waits behind requests, or it would wait for ever. */
const BACKGROUND_EVERY = 16;

/**
 * Hands out the sockets of a pool once there is none left: to each database that waits in turn. Until then a command costs
 * one comparison. A turn is held while one command is on its way and never while code of the application runs, so work
 * inside of other work does not wait for itself.
 */
export class PoolTurns {
  readonly #requests = new TurnQueue();
  readonly #background = new TurnQueue();
  readonly #max: number;
  #inFlight = 0;
  #waiting = 0;
  #served = 0;
  #isLooking = false;

  constructor(readonly host: TurnsHost) {
    this.#max = host.maxSockets || Infinity;
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Commands that are on their way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Runs a command in its database's turn.
   * @param signal has it leave the queue
   * @throws PoolQueueTimeoutError; the refusal of the database's terms; the signal's reason
   */
  during<T>(share: PoolShare, step: CommandStep, command: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const mustWait = this.#inFlight >= this.#max || this.#waiting > 0 || share.isUsedUp;
    if (mustWait) return this.#wait(share, step, signal).then(() => this.#run(share, command));
    this.#begin(share);
    return this.#run(share, command);
  }

  /** The sockets of the pool have changed. */
  look(): void {
    if (this.#waiting === 0 || this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.#serveWhatIsFree();
    });
  }

  /** Refuses all that wait: the pool is closed. */
  refuseAll(errorOf: () => Error): void {
    for (const queue of [this.#requests, this.#background])
      for (const waiter of [...queue.waiters()]) waiter.refuse(errorOf());
  }

  #run<T>(share: PoolShare, command: () => Promise<T>): Promise<T> {
    return settling(command, () => {
      this.#inFlight--;
      share.inFlight--;
      if (this.#waiting > 0) this.#serveNext(share);
    });
  }

  #begin(share: PoolShare): void {
    this.#inFlight++;
    share.inFlight++;
  }

  async #wait(share: PoolShare, step: CommandStep, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      let timer: Timer | undefined;
      const end = () => {
        clock.clear(timer);
        signal?.removeEventListener('abort', giveUp);
        waiter.leave();
        share.waiting--;
        this.#waiting--;
        share.waitedMS += clock.now() - waiter.since;
        if (share.waitedMS > 0) share.noteHeldUp();
      };
      const grant = () => {
        waiter.isServed = true;
        end();
        this.host.onTaken(clock.now() - waiter.since);
        this.#begin(share);
        resolve();
      };
      const leave = (error: Error) => {
        end();
        reject(error);
        this.host.onChange();
      };
      const refuse = (error: Error) => {
        share.refused++;
        share.noteHeldUp();
        leave(error);
      };
      const giveUp = () => leave(signal!.reason as Error);
      const waiter = new TurnWaiter(share, step === 'transaction', grant, refuse);
      const { name, maxSockets, waitQueueTimeoutMS } = this.host;
      if (waitQueueTimeoutMS > 0) {
        const timeOut = () =>
          refuse(new PoolQueueTimeoutError(name, { waitedMS: waitQueueTimeoutMS, maxSockets, waiting: this.#waiting }));
        timer = clock.setTimeout(timeOut, waitQueueTimeoutMS);
      }
      signal?.addEventListener('abort', giveUp);
      share.waiting++;
      this.#waiting++;
      this.#queueFor(step).add(waiter);
      this.#serve(() => this.#hasRoom);
      const isOneTooMany = step === 'call' && share.waiting > share.terms.maxWaiting;
      if (isOneTooMany && !waiter.isServed) refuse(share.terms.refusal(share.waiting - 1));
      if (this.#waiting > 0) this.host.onChange();
      this.look();
    });
  }

  #queueFor(step: CommandStep): TurnQueue {
    return step !== 'transaction' && isInBackground() ? this.#background : this.#requests;
  }

  /** A command of this database has ended. */
  #serveNext(share: PoolShare): void {
    this.#requests.ended(share);
    this.#background.ended(share);
    this.#serve(() => this.#hasRoom);
    this.look();
  }

  /**
   * There is a socket for one more of the commands that have begun. Half of the sockets are theirs, whoever takes sockets
   * besides: change streams, above all.
   */
  get #hasRoom(): boolean {
    if (this.#inFlight >= this.#max) return false;
    return this.#inFlight < this.#max / 2 || this.host.load.taken < this.#max;
  }

  /**
   * Serves by what the driver says alone: what has begun by now has a socket, is in the driver's queue, or needs no socket,
   * since it waits for a server to come.
   */
  #serveWhatIsFree(): void {
    const { taken, awaited, servers } = this.host.load;
    // Nobody knows which server a call will go to. While no call waits in the driver's queue, there is one with a free socket.
    const isOneMore = awaited === 0 && taken < this.#max * servers;
    const free = Math.max(this.#max - taken, isOneMore ? 1 : 0);
    const served = this.#served;
    this.#serve(() => this.#served < served + free);
    if (this.#served > served) this.look();
  }

  #serve(hasRoom: () => boolean): void {
    while (this.#waiting > 0 && hasRoom()) {
      const next = this.#next();
      if (!next) return; // all of them have used up their share
      this.#served++;
      next.grant();
    }
  }

  #next(): TurnWaiter | undefined {
    const isBackgroundsTurn = this.#served % BACKGROUND_EVERY === BACKGROUND_EVERY - 1;
    return (
      (isBackgroundsTurn ? this.#background.next() : undefined) ?? this.#requests.next() ?? this.#background.next()
    );
  }
}
