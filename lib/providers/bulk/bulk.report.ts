import type { Writable } from 'node:stream';
import { BulkTaskError, BulkWriteError } from './bulk.errors.js';
import type { BulkCheckpoint, BulkFailure, BulkSummary, CollectionSummary } from './bulk.types.js';
import type { ProgressMeter } from './bulk.progress.js';

/** More are counted, as `skipped` of their collection, but not listed: each takes memory, and a file has any number. */
const MAX_FAILURES = 10_000;

/** What a task has done so far: it becomes the summary, whether the task ends well or not. */
export class BulkReport {
  private readonly collections = new Map<string, CollectionSummary>();
  private readonly failures: BulkFailure[] = [];

  constructor(
    private readonly task: string,
    readonly meter: ProgressMeter,
    private readonly onError: 'stop' | 'skip' = 'stop',
    private readonly rejects?: Writable,
    private readonly signal?: AbortSignal,
  ) {
    rejects?.on('error', ignore); // the write that caused it tells the task
  }

  /** To be called when the task has ended. */
  close(): void {
    // A stream tells its error after the write that had it: without a listener that would end the process.
    setImmediate(() => this.rejects?.off('error', ignore));
  }

  /** The line of a collection, new with its first use. */
  collection(name: string, type = 'collection'): CollectionSummary {
    let summary = this.collections.get(name);
    if (!summary)
      this.collections.set(name, (summary = { name, type, documents: 0, indexes: 0, skipped: 0, bytes: 0 }));
    return summary;
  }

  written(collection: string, documents: number, bytes: number): void {
    const summary = this.collection(collection);
    summary.documents += documents;
    summary.bytes += bytes;
    this.meter.add(collection, documents, bytes);
  }

  /**
   * Notes something that did not work.
   * @throws BulkWriteError unless such things are to be skipped
   */
  fail(failure: BulkFailure, cause?: Error): void {
    if (this.onError === 'stop') throw cause ?? new BulkWriteError(failure.reason, failure, failure.code);
    if (this.failures.length < MAX_FAILURES) this.failures.push(failure);
  }

  /** Notes a document that is not written; `document` makes its Extended JSON, where it can be read at all. */
  async skip(failure: Omit<BulkFailure, 'kind'>, cause?: Error, document?: () => string): Promise<void> {
    if (this.onError === 'stop' || !this.rejects) this.fail({ kind: 'document', ...failure }, cause);
    else await this.reject(failure, document);
    this.collection(failure.collection).skipped++;
  }

  private async reject(failure: Omit<BulkFailure, 'kind'>, document?: () => string): Promise<void> {
    const head = JSON.stringify(failure).slice(0, -1);
    const line = `${head}${document ? `,"document":${document()}` : ''}}\n`;
    const { rejects, signal } = this;
    await new Promise<void>((resolve, reject) => {
      const stop = () => reject(signal!.reason as Error);
      signal?.addEventListener('abort', stop, { once: true });
      rejects!.write(line, (error) => {
        signal?.removeEventListener('abort', stop);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  get summary(): BulkSummary {
    return {
      collections: [...this.collections.values()],
      failures: this.failures,
      durationMS: this.meter.elapsedMS,
    };
  }

  /** The error of a task that ends because of `cause`. */
  error(cause: unknown, checkpoint?: BulkCheckpoint): BulkTaskError {
    return cause instanceof BulkTaskError ? cause : new BulkTaskError(this.task, cause, this.summary, checkpoint);
  }
}

const ignore = (): void => undefined;
