import type { FilePosition } from '../bulk.errors.js';
import { BulkFormatError } from '../bulk.errors.js';
import { DocumentTooLargeError, InvalidJsonError } from './codec.errors.js';
import { type BatchLimits, DEFAULT_BATCH_LIMITS, type ImportEvent } from './import.events.js';
import { INCOMPLETE } from './json-cursor.js';
import { TextWindow } from './text.window.js';

/** Text held for one value that has not ended yet: eight bytes for each of 16 MB of BSON. */
const MAX_PENDING_TEXT = 128 * 1024 * 1024;
/** What comes at a time beside it. */
const MAX_CHUNK = 1024 * 1024 + 1;
const EAGER_RETRY = 64 * 1024;

export interface ReaderOptions extends Partial<BatchLimits> {
  /** `skip` tells a document that cannot be read as a `rejected` event and goes on; default `stop`. */
  readonly onError?: 'stop' | 'skip';
}

/**
 * Reads a text that comes in chunks: they go in with `push()`, which gives what they complete; `finish()` checks that
 * nothing is missing. Where a chunk ends inside a value, that value is read again when more has come, so nothing but one
 * value's text and one batch is held.
 */
export abstract class StepwiseReader {
  protected readonly window = new TextWindow(MAX_PENDING_TEXT + MAX_CHUNK);
  protected readonly limits: BatchLimits;
  protected readonly onError: 'stop' | 'skip';
  protected isFinishing = false;
  /** What a value's text may come to. */
  protected readonly maxPendingText: number = MAX_PENDING_TEXT;
  private retryLength = 0;

  constructor(options: ReaderOptions = {}) {
    this.limits = { ...DEFAULT_BATCH_LIMITS, ...options };
    this.onError = options.onError ?? 'stop';
  }

  /** @throws BulkFormatError */
  *push(chunk: Uint8Array): Generator<ImportEvent, void> {
    this.window.append(chunk);
    if (this.window.length < this.retryLength) return;
    yield* this.steps();
    const { length, start } = this.window;
    const limit = this.maxPendingText;
    if (length > limit) throw this.failure(`a value has more than ${limit} bytes of text`, start);
    this.retryLength = length > EAGER_RETRY ? Math.min(Math.ceil(length * 1.5), limit + 1) : 0;
  }

  /** To be called when the text has ended. @throws BulkFormatError where it should go on */
  *finish(): Generator<ImportEvent, void> {
    this.isFinishing = true;
    yield* this.steps();
    yield* this.end();
  }

  private *steps(): Generator<ImportEvent, void> {
    for (;;) {
      this.enterWindow();
      let events: readonly ImportEvent[];
      try {
        events = this.step();
      } catch (error) {
        if (error === INCOMPLETE) return;
        throw this.located(error);
      }
      this.settle();
      yield* events;
    }
  }

  /** Goes to where the window begins. */
  protected abstract enterWindow(): void;
  /** Reads one thing. Changes nothing before it is sure not to be INCOMPLETE. */
  protected abstract step(): readonly ImportEvent[];
  /** What has been read is not needed again. */
  protected abstract settle(): void;
  /** What is left to tell. @throws BulkFormatError where the text should go on */
  protected abstract end(): readonly ImportEvent[];
  /** Where something is. */
  protected abstract place(byteOffset: number): FilePosition;

  protected located(error: unknown): BulkFormatError {
    if (error instanceof InvalidJsonError) return this.failure(error.reason, error.position, error);
    if (error instanceof DocumentTooLargeError) {
      return this.failure(`the document has more than ${error.limit} bytes of BSON`, error.position, error);
    }
    throw error;
  }

  protected failure(reason: string, position: number, cause?: unknown): BulkFormatError {
    return new BulkFormatError(reason, this.place(this.window.base + position), cause);
  }
}
