import { CommandError } from '../../errors.js';
import type { WriteUnit } from '../../storage/write-unit.js';

type State = 'none' | 'retryableWrite' | 'inProgress' | 'committed' | 'aborted';

const MOVES: Readonly<Record<State, readonly State[]>> = {
  none: ['retryableWrite', 'inProgress'],
  retryableWrite: ['none'],
  inProgress: ['committed', 'aborted'],
  committed: ['none'],
  aborted: ['none'],
};

/** The session's latest transaction number and what became of it (driver specification "Transactions"). */
export class TransactionParticipant {
  /** When the latest transaction began. */
  startedAt = new Date();
  private activeTxnNumber = -1n;
  private state: State = 'none';
  private openUnit: WriteUnit | undefined;
  private expiry: NodeJS.Timeout | undefined;
  private readonly endListeners: (() => void)[] = [];

  get txnNumber(): bigint {
    return this.activeTxnNumber;
  }

  get isInProgress(): boolean {
    return this.state === 'inProgress';
  }

  get isCommitted(): boolean {
    return this.state === 'committed';
  }

  /** The write unit of the transaction in progress. */
  get unit(): WriteUnit | undefined {
    return this.openUnit;
  }

  /**
   * A new number starts a retryable write, the active one continues it.
   * @returns whether it is new
   * @throws CommandError TransactionTooOld (225)
   */
  beginRetryableWrite(txnNumber: bigint, session: string): boolean {
    this.checkAge(txnNumber, session, false);
    if (txnNumber === this.activeTxnNumber) {
      if (this.state === 'retryableWrite') return false;
      throw new CommandError(217, `Cannot continue retryable write ${txnNumber}: the number belongs to a transaction`);
    }
    this.renew(txnNumber);
    this.transition('retryableWrite');
    return true;
  }

  /** @throws CommandError for a number that is too old or taken */
  begin(txnNumber: bigint, session: string, open: () => WriteUnit, lifetimeMS: number): void {
    this.checkAge(txnNumber, session, true);
    if (txnNumber === this.activeTxnNumber) {
      throw new CommandError(
        'ConflictingOperationInProgress',
        'Only servers in a sharded cluster can start a new transaction at the active transaction number',
      );
    }
    this.renew(txnNumber);
    this.openUnit = open();
    this.startedAt = new Date();
    this.transition('inProgress');
    this.expiry = setTimeout(() => this.abortIfOpen(), lifetimeMS).unref();
  }

  /** @throws CommandError NoSuchTransaction (251) or TransactionTooOld (225) */
  continue(txnNumber: bigint, session: string): void {
    if (txnNumber < this.activeTxnNumber) this.checkAge(txnNumber, session, true);
    if (txnNumber !== this.activeTxnNumber || this.state === 'none' || this.state === 'retryableWrite') {
      throw new CommandError(
        'NoSuchTransaction',
        `Given transaction number ${txnNumber} does not match any in-progress transactions. ` +
          `The active transaction number is ${this.activeTxnNumber}`,
      );
    }
  }

  /** @throws CommandError unless the transaction is in progress */
  requireInProgress(): WriteUnit {
    if (this.openUnit) return this.openUnit;
    if (this.state === 'committed') {
      throw new CommandError(
        'TransactionCommitted',
        `Transaction with { txnNumber: ${this.activeTxnNumber} } has been committed.`,
      );
    }
    throw new CommandError(
      'NoSuchTransaction',
      `Transaction with { txnNumber: ${this.activeTxnNumber} } has been aborted.`,
    );
  }

  commit(): void {
    this.requireInProgress().commit();
    this.transition('committed');
    this.ended();
  }

  abortIfOpen(): void {
    if (!this.openUnit) return;
    this.openUnit.abort();
    this.transition('aborted');
    this.ended();
  }

  /** Called once when the transaction in progress commits or aborts. */
  onEnd(listener: () => void): void {
    this.endListeners.push(listener);
  }

  private ended(): void {
    clearTimeout(this.expiry);
    this.openUnit = undefined;
    for (const listener of this.endListeners.splice(0)) listener();
  }

  private renew(txnNumber: bigint): void {
    this.abortIfOpen();
    if (this.state !== 'none') this.transition('none');
    this.activeTxnNumber = txnNumber;
  }

  private transition(to: State): void {
    if (!MOVES[this.state].includes(to)) throw new Error(`a transaction cannot go from ${this.state} to ${to}`);
    this.state = to;
  }

  private checkAge(txnNumber: bigint, session: string, isTransaction: boolean): void {
    if (txnNumber >= this.activeTxnNumber) return;
    throw new CommandError(
      'TransactionTooOld',
      isTransaction
        ? `Cannot start transaction with { txnNumber: ${txnNumber} } on session ${session} because a newer transaction with txnNumber ${this.activeTxnNumber} has already started on this session.`
        : `Retryable write with txnNumber ${txnNumber} is prohibited on session ${session} because a newer retryable write with txnNumber ${this.activeTxnNumber} has already started on this session.`,
    );
  }
}
