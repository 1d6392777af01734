import type { BulkFormatError, FilePosition } from '../bulk.errors.js';
import type { ImportEvent } from './import.events.js';
import { type ReaderOptions, StepwiseReader } from './stepwise.reader.js';

const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface CollectionReaderOptions extends ReaderOptions {
  /** Whose documents they are. */
  readonly collection: string;
  /** Whether lines and bytes are those of the file. Default true. */
  readonly tellsPlaces?: boolean;
}

/** Reads a file of documents of one collection, and knows in which line each begins. */
export abstract class CollectionFileReader extends StepwiseReader {
  protected readonly collection: string;
  private readonly tellsPlaces: boolean;
  private readonly byteOffsets: Float64Array;
  private readonly lines: Float64Array;
  /** Documents of the batch that is being read. */
  protected pending = 0;
  protected documentNumber = 0;
  /** That of where the window begins. */
  private line = 1;
  /** Where the document begins that is being read. */
  private documentStart = 0;

  constructor(options: CollectionReaderOptions) {
    super(options);
    this.collection = options.collection;
    this.tellsPlaces = options.tellsPlaces ?? true;
    this.byteOffsets = new Float64Array(this.limits.maxBatchDocuments);
    this.lines = new Float64Array(this.limits.maxBatchDocuments);
  }

  /** The position in the window up to which all has been read. */
  protected abstract readonly position: number;
  /** The BSON of the documents since it was taken last. */
  protected abstract takeBatch(): Buffer;

  /** Of a file that has just begun: where its text does, after what an editor may have put before it. */
  protected afterMark(): number {
    const { bytes, start } = this.window;
    return bytes.subarray(start, start + 3).equals(BYTE_ORDER_MARK) ? start + 3 : start;
  }

  protected settle(): void {
    this.line += this.newlinesBefore(this.position);
    this.window.start = this.position;
  }

  private newlinesBefore(position: number): number {
    const { bytes, start } = this.window;
    const text = bytes.subarray(start, position);
    let count = 0;
    for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) count++;
    return count;
  }

  /** To be called before a document is read that begins at `position`. */
  protected beginDocument(position: number): void {
    this.documentStart = position;
  }

  /** The document that was begun has been read. Its batch, where that is full. */
  protected endDocument(batchBytes: number): readonly ImportEvent[] {
    const { pending, limits, window } = this;
    this.byteOffsets[pending] = window.base + this.documentStart;
    this.lines[pending] = this.line + this.newlinesBefore(this.documentStart);
    this.pending++;
    this.documentNumber++;
    this.settle();
    const isFull = this.pending >= limits.maxBatchDocuments || batchBytes >= limits.maxBatchBytes;
    return isFull ? this.flush() : [];
  }

  /** What was read until a document that cannot be read, and that one. */
  protected reject(error: BulkFormatError): readonly ImportEvent[] {
    const events = this.flush();
    const documentNumber = ++this.documentNumber;
    const byteOffset = this.window.base + this.documentStart;
    const line = this.line + this.newlinesBefore(this.documentStart);
    const at = this.tellsPlaces ? { byteOffset, line } : {};
    return [...events, { kind: 'rejected', collection: this.collection, documentNumber, ...at, error }];
  }

  protected flush(): readonly ImportEvent[] {
    const { pending, collection } = this;
    if (pending === 0) return [];
    this.pending = 0;
    const batch = {
      bytes: this.takeBatch(),
      byteOffsets: this.byteOffsets.subarray(0, pending),
      ...(this.tellsPlaces ? { lines: this.lines.subarray(0, pending) } : { isPicked: true }),
      firstNumber: this.documentNumber - pending + 1,
    };
    return [{ kind: 'documents', collection, batch }];
  }

  protected place(byteOffset: number): FilePosition {
    const { collection } = this;
    const at = { byteOffset, line: this.line + this.newlinesBefore(byteOffset - this.window.base) };
    return { collection, documentNumber: this.documentNumber + 1, ...(this.tellsPlaces && at) };
  }
}
