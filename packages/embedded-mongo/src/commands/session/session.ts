import type { Doc } from '../../bson/value.js';
import type { CommandError } from '../../errors.js';
import type { Interruptible } from '../interrupt.js';
import { RetryableWrites } from './retryable-writes.js';
import { TransactionParticipant } from './transaction-participant.js';

/** One logical session: at most one of its operations runs at a time. */
export class Session {
  lastUseMS = Date.now();
  readonly transaction = new TransactionParticipant();
  readonly retryableWrites = new RetryableWrites();
  private holder: Interruptible | undefined;
  private readonly waiting: (() => void)[] = [];

  constructor(
    readonly key: string,
    readonly lsid: Doc,
    readonly owner: string,
  ) {}

  /** Whether one of its operations runs. */
  get isBusy(): boolean {
    return this.holder !== undefined;
  }

  /** Waits until the session's operation before this one has ended; takes no time when there is none. */
  checkOut(op: Interruptible): Promise<void> | undefined {
    this.lastUseMS = Date.now();
    if (!this.holder) {
      this.holder = op;
      return undefined;
    }
    return this.waitForTurn(op);
  }

  checkIn(op: Interruptible): void {
    if (this.holder !== op) return;
    this.holder = undefined;
    this.waiting.shift()?.();
  }

  /** Ends what it is doing: its operation and its transaction. */
  kill(reason: CommandError): void {
    this.holder?.interrupt.kill(reason);
    this.transaction.abortIfOpen();
  }

  private async waitForTurn(op: Interruptible): Promise<void> {
    while (this.holder) {
      await op.interrupt.wait(
        (signal) =>
          new Promise<void>((resolve) => {
            this.waiting.push(resolve);
            signal.addEventListener('abort', () => {
              const at = this.waiting.indexOf(resolve);
              if (at >= 0) this.waiting.splice(at, 1);
            });
          }),
      );
    }
    this.holder = op;
  }
}
