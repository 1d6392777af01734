import { PAUSE, type Pause } from '../../bson/pause.js';
import type { Doc, Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { GenericArguments } from '../generic-arguments.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import type { Interrupt, Interruptible } from '../interrupt.js';

/** Who opened a cursor: only the same session and transaction may read on. */
export interface CursorOrigin {
  readonly session: string | undefined;
  /** The user who opened it. */
  readonly owner: string;
  readonly transaction: bigint | undefined;
  /** Its Stable API parameters, which every getMore has to repeat. */
  readonly api: string;
}

/** The operation that opened a cursor. */
export interface CursorOpener {
  readonly now: Date;
  readonly generic: GenericArguments;
  readonly args: Doc;
  /** The getMore that reads it now. */
  successor: Interruptible | undefined;
}

/** Where a cursor's documents come from, one by one, still BSON. */
export interface DocumentSource {
  /** The next document, or undefined when there is none (for a tailable source: none yet). PAUSE: to be asked again. */
  next(): Uint8Array | Pause | undefined;
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
  /** The batch that is being taken. */
  private documents: Uint8Array[] = [];
  private bytes = 0;

  constructor(
    readonly ns: string,
    readonly source: DocumentSource,
    readonly origin: CursorOrigin,
    /** The operation whose environment the source still uses. */
    readonly opener: CursorOpener,
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

  /**
   * Takes up to so many documents, and no more than fit in one reply.
   * @returns undefined where it pauses: the next call goes on with the same batch
   */
  take(batchSize: number): Batch | undefined {
    const { documents } = this;
    while (documents.length < batchSize) {
      const document = this.peeked ?? this.source.next();
      this.peeked = undefined;
      if (document === PAUSE) return undefined;
      if (!document) return this.batch(!this.source.isTailable || this.source.isExhausted === true);
      this.bytes += document.length + DOCUMENT_OVERHEAD;
      if (this.bytes > MAX_BATCH_BYTES && documents.length > 0) {
        this.peeked = document;
        break;
      }
      documents.push(document);
      this.returnedCount++;
    }
    return this.batch(this.source.isTailable === true && this.source.isExhausted === true);
  }

  private batch(isLast: boolean): Batch {
    const { documents } = this;
    this.documents = [];
    this.bytes = 0;
    return { documents, isLast };
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.reader?.kill(new CommandError('CursorKilled', 'operation was interrupted because its cursor was killed'));
    this.source.close?.();
  }
}
