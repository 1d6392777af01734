import type { ReplyDoc } from '../reply.js';

/** What one statement of a retryable write did, so that its retry is answered and not done again. */
export interface StatementResult {
  readonly n: number;
  readonly nModified?: number;
  /** The `_id` an upsert made, as a document `{ _id }`. */
  readonly upserted?: ReplyDoc;
  /** The whole reply of a findAndModify. */
  readonly reply?: ReplyDoc;
}

/** The statements done under the session's latest retryable write (driver specification "Retryable Writes"). */
export class RetryableWrites {
  private readonly executed = new Map<number, StatementResult>();

  clear(): void {
    this.executed.clear();
  }

  find(stmtId: number): StatementResult | undefined {
    return this.executed.get(stmtId);
  }

  record(stmtId: number, result: StatementResult): void {
    if (stmtId >= 0) this.executed.set(stmtId, result);
  }
}
