import { CommandError } from '../errors.js';

const MAX_TIMER_MS = 0x7fffffff;

const timeLimitExceeded = (): CommandError => new CommandError('MaxTimeMSExpired', 'operation exceeded time limit');

/** What may end a running operation early: maxTimeMS, killOp, a killed session, a lost client, a stopping server. */
export class Interrupt {
  private reason: CommandError | undefined;
  private deadline = Infinity;
  private readonly onKill = new Set<(reason: CommandError) => void>();

  setMaxTime(maxTimeMS: number): void {
    if (maxTimeMS > 0) this.deadline = performance.now() + maxTimeMS;
  }

  /** How long it may still take; Infinity without a limit. */
  get leftMS(): number {
    return this.deadline - performance.now();
  }

  expireNow(): void {
    this.deadline = -Infinity;
  }

  kill(reason: CommandError): void {
    if (this.reason) return;
    this.reason = reason;
    for (const notify of [...this.onKill]) notify(reason);
  }

  /** @throws CommandError once killed or past the deadline */
  check(): void {
    if (this.reason) throw this.reason;
    if (this.deadline !== Infinity && performance.now() > this.deadline) throw timeLimitExceeded();
  }

  /**
   * Waits for what `start` begins, for so long at most; its signal is aborted when the wait is over.
   * @returns whether it came; false after `timeoutMS`
   * @throws CommandError when the operation is interrupted first
   */
  async wait(start: (signal: AbortSignal) => Promise<unknown>, timeoutMS = Infinity): Promise<boolean> {
    this.check();
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let notify: ((reason: CommandError) => void) | undefined;
    try {
      return await new Promise<boolean>((resolve, reject) => {
        this.onKill.add((notify = reject));
        const leftMS = this.deadline - performance.now();
        if (Math.min(timeoutMS, leftMS) !== Infinity) {
          const onTimeout = (): void => (timeoutMS <= leftMS ? resolve(false) : reject(timeLimitExceeded()));
          timer = setTimeout(onTimeout, Math.min(Math.max(0, timeoutMS), Math.max(0, leftMS), MAX_TIMER_MS));
        }
        start(abort.signal).then(() => resolve(true), reject);
      });
    } finally {
      clearTimeout(timer);
      if (notify) this.onKill.delete(notify);
      abort.abort();
    }
  }

  /** @throws CommandError when interrupted before the time is over */
  async sleep(ms: number): Promise<void> {
    await this.wait(() => new Promise(() => {}), ms);
  }
}

/** What runs, and may be ended early. */
export interface Interruptible {
  readonly interrupt: Interrupt;
}
