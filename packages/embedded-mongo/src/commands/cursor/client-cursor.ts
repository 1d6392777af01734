import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import type { Interrupt } from '../interrupt.js';
import type { Operation } from '../operation.js';

/** Who opened a cursor: only the same session and transaction may read on. */
export interface CursorOrigin {
  readonly session: string | undefined;
  /** The user who opened it. */
  readonly owner: string;
  readonly transaction: bigint | undefined;
  /** Its Stable API parameters, which every getMore has to repeat. */
  readonly api: string;
}

/** Where a cursor's documents come from, one by one, still BSON. */
export interface DocumentSource {
  /** The next document, or undefined when there is none (for a tailable source: none yet). */
  next(): Uint8Array | undefined;
  /** For a tailable source that awaits data: waits for more, or for so long. */
  awaitData?(interrupt: Interrupt, timeoutMS: number): Promise<void>;
  /** Whether the end may be followed by more documents. */
  readonly isTailable?: boolean;
  /** A tailable source that will give no more, as after an invalidate. */
  readonly isExhausted?: boolean;
  /** Fields beside the batch, such as a change stream's postBatchResumeToken. */
  readonly batchFields?: () => Record<string, Value>;
  close?(): void;
}

export interface Batch {
  readonly documents: Uint8Array[];
  readonly isLast: boolean;
}

/** Room left for the reply around the batch. */
const MAX_BATCH_BYTES = MAX_BSON_SIZE;
const DOCUMENT_OVERHEAD = 8;

/** An open cursor: what is still to be given, and to whom. */
export class ClientCursor {
  id = 0n;
  lastUseMS = Date.now();
  /** Ends the getMore that reads it. */
  reader: Interrupt | undefined;
  isClosed = false;
  returnedCount = 0;
  /** What its `maxTimeMS` leaves for the batches to come; waiting between them costs nothing. */
  leftMS = Infinity;
  private peeked: Uint8Array | undefined;

  constructor(
    readonly ns: string,
    readonly source: DocumentSource,
    readonly origin: CursorOrigin,
    /** The operation whose environment the source still uses. */
    readonly opener: Operation,
    readonly options: {
      readonly isAwaitData?: boolean;
      readonly noTimeout?: boolean;
      readonly isChangeStream?: boolean;
      /** Documents a find's `limit` still allows. */
      readonly isSingleBatch?: boolean;
    },
  ) {}

  /** In use by a getMore. */
  get isPinned(): boolean {
    return this.reader !== undefined;
  }

  get hasNoTimeout(): boolean {
    return this.options.noTimeout === true;
  }

  /** Takes up to so many documents, and no more than fit in one reply. */
  take(batchSize: number): Batch {
    const documents: Uint8Array[] = [];
    let bytes = 0;
    while (documents.length < batchSize) {
      const document = this.peeked ?? this.source.next();
      this.peeked = undefined;
      if (!document) return { documents, isLast: !this.source.isTailable || this.source.isExhausted === true };
      bytes += document.length + DOCUMENT_OVERHEAD;
      if (bytes > MAX_BATCH_BYTES && documents.length > 0) {
        this.peeked = document;
        break;
      }
      documents.push(document);
      this.returnedCount++;
    }
    return { documents, isLast: this.source.isTailable === true && this.source.isExhausted === true };
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.reader?.kill(new CommandError('CursorKilled', 'operation was interrupted because its cursor was killed'));
    this.source.close?.();
  }
}
