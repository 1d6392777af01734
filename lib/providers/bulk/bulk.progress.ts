import type { BulkCheckpoint, BulkProgress } from './bulk.types.js';

const INTERVAL_MS = 100;

/** Counts what a task has done and tells it, not too often. */
export class ProgressMeter {
  private readonly startedMS = performance.now();
  private toldMS = 0;
  private documents = 0;
  private bytes = 0;
  private collection: string | undefined;
  private totalDocuments: number | undefined;
  private totalBytes: number | undefined;
  checkpoint: (() => BulkCheckpoint) | undefined;
  /** Of the file, which are told instead of those of the documents. */
  bytesRead: number | undefined;

  constructor(
    private readonly subject: Pick<BulkProgress, 'task' | 'database' | 'target'>,
    private readonly listeners: readonly (((progress: BulkProgress) => void) | undefined)[],
  ) {}

  get elapsedMS(): number {
    return performance.now() - this.startedMS;
  }

  /** What there will be in all, as far as that is known. */
  expect({ documents, bytes }: { documents?: number | undefined; bytes?: number | undefined }): void {
    this.totalDocuments = documents;
    this.totalBytes = bytes;
  }

  add(collection: string, documents: number, bytes: number): void {
    this.documents += documents;
    this.bytes += bytes;
    this.collection = collection;
    const now = performance.now();
    if (now - this.toldMS < INTERVAL_MS) return;
    this.toldMS = now;
    this.tell(false);
  }

  done(): void {
    this.tell(true);
  }

  private tell(isDone: boolean): void {
    const { documents, collection, totalDocuments, totalBytes, elapsedMS } = this;
    const bytes = this.bytesRead ?? this.bytes;
    const seconds = Math.max(elapsedMS, 1) / 1000;
    const progress: BulkProgress = {
      ...this.subject,
      ...(collection !== undefined && { collection }),
      documents,
      ...(totalDocuments !== undefined && { totalDocuments }),
      bytes,
      ...(totalBytes !== undefined && { totalBytes }),
      documentsPerSecond: documents / seconds,
      bytesPerSecond: bytes / seconds,
      elapsedMS,
      isDone,
      ...(this.checkpoint && { checkpoint: this.checkpoint() }),
    };
    for (const listener of this.listeners) listener?.(progress);
  }
}
