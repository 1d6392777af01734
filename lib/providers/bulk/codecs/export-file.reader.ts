import { BulkFormatError } from '../bulk.errors.js';
import { DocumentTooLargeError, InvalidJsonError } from './codec.errors.js';
import { type BatchLimits, DEFAULT_BATCH_LIMITS, type ImportEvent } from './import.events.js';
import { INCOMPLETE } from './json-cursor.js';
import { JsonStructureReader } from './json-structure.reader.js';
import { TextWindow } from './text.window.js';

const [COMMA, NEWLINE, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [44, 10, 123, 125, 91, 93] as const;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const FIRST_LINE_LIMIT = 64 * 1024;
/** Text held for one value that has not ended yet: eight bytes for each of 16 MB of BSON. */
const MAX_PENDING_TEXT = 128 * 1024 * 1024;
/** What comes at a time beside it. */
const MAX_CHUNK = 1024 * 1024 + 1;
const EAGER_RETRY = 64 * 1024;

/** What the reader is inside of. */
type Place = 'start' | 'file' | 'collections' | 'collection' | 'documents' | 'end';

export interface ExportFileReaderOptions extends Partial<BatchLimits> {
  /** `skip` tells a document that cannot be read as a `rejected` event and goes on; default `stop`. */
  readonly onError?: 'stop' | 'skip';
}

/**
 * Reads an export file in any layout: pretty-printed, keys in another order, indexes before documents. Chunks go in
 * with `push()`, which gives what they complete; `finish()` checks that nothing is missing.
 *
 * Each document goes straight from text to BSON, in every layout. Where a chunk ends inside a value, that value is
 * read again when more has come, so nothing but one value's text and one batch is held.
 */
export class ExportFileReader {
  private readonly json = new JsonStructureReader({ initialSize: 1 << 20 });
  private readonly window = new TextWindow(MAX_PENDING_TEXT + MAX_CHUNK);
  private readonly limits: BatchLimits;
  private readonly onError: 'stop' | 'skip';
  private retryLength = 0;

  private place: Place = 'start';
  private isFirst = true;
  private isLineLayout = false;
  private isFinishing = false;
  private hasCollections = false;
  private collection: string | undefined;
  private readonly collections = new Set<string>();
  private documentNumber = 0;
  private readonly byteOffsets: Float64Array;
  /** Documents of the batch that is being read. */
  private pending = 0;
  private rejected: { readonly error: BulkFormatError; readonly byteOffset: number } | undefined;

  constructor(options: ExportFileReaderOptions = {}) {
    this.limits = { ...DEFAULT_BATCH_LIMITS, ...options };
    this.onError = options.onError ?? 'stop';
    this.byteOffsets = new Float64Array(this.limits.maxBatchDocuments);
  }

  /** @throws BulkFormatError */
  *push(chunk: Uint8Array): Generator<ImportEvent, void> {
    this.window.append(chunk);
    if (this.window.length < this.retryLength) return;
    yield* this.steps();
    const { length, start } = this.window;
    if (length > MAX_PENDING_TEXT) throw this.failure(`a value has more than ${MAX_PENDING_TEXT} bytes of text`, start);
    this.retryLength = length > EAGER_RETRY ? Math.min(Math.ceil(length * 1.5), MAX_PENDING_TEXT + 1) : 0;
  }

  /** To be called when the file has ended. @throws BulkFormatError where it should go on */
  *finish(): Generator<ImportEvent, void> {
    this.isFinishing = true;
    yield* this.steps();
    if (this.place !== 'end') throw this.failure('the file is cut off: it ends before its JSON does', this.window.end);
  }

  private *steps(): Generator<ImportEvent, void> {
    for (;;) {
      const { bytes, start, end } = this.window;
      this.json.moveTo(bytes, start, end);
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

  /** What has been read is not needed again. */
  private settle(): void {
    this.window.start = this.json.position;
  }

  /** Reads one thing. Changes nothing before it is sure not to be INCOMPLETE. */
  private step(): readonly ImportEvent[] {
    switch (this.place) {
      case 'start':
        return this.begin();
      case 'file':
        return this.inFile();
      case 'collections':
        return this.inCollections();
      case 'collection':
        return this.inCollection();
      case 'documents':
        return this.rejected ? this.skipRejected(this.rejected) : this.inDocuments();
      case 'end':
        this.json.next(); // INCOMPLETE, unless something other than white space follows
        return this.json.refuse('text follows the end of the JSON');
    }
  }

  private enter(place: Place, isFirst = true): void {
    this.place = place;
    this.isFirst = isFirst;
  }

  private begin(): [] {
    const { bytes, start, end } = this.window;
    const newline = bytes.subarray(start, end).indexOf(NEWLINE);
    if (newline < 0 && end - start < FIRST_LINE_LIMIT && !this.isFinishing) throw INCOMPLETE;
    const hasMark = bytes.subarray(start, start + 3).equals(BYTE_ORDER_MARK);
    this.json.moveTo(bytes, hasMark ? start + 3 : start, end);
    this.json.require(OPEN, 'an export file is one JSON object: { database, exportDate, collections }');
    const firstLine = newline < FIRST_LINE_LIMIT ? bytes.toString('utf8', start, start + newline) : '';
    this.isLineLayout = /^\{"database":.*"collections":\{$/.test(firstLine);
    this.enter('file');
    return [];
  }

  /** The next key of the object the reader is in, or undefined where it ends. */
  private nextKey(): string | undefined {
    if (this.json.accept(CLOSE)) return undefined;
    if (!this.isFirst) this.json.require(COMMA, 'expected , or }');
    return this.json.key();
  }

  private inFile(): readonly ImportEvent[] {
    const name = this.nextKey();
    if (name === undefined) {
      if (!this.hasCollections) this.json.refuse('the file has no "collections": it is not an export file');
      this.enter('end');
      return [];
    }
    if (name !== 'collections') {
      const value = this.json.anyValue();
      this.isFirst = false;
      return [{ kind: 'property', name, value }];
    }
    this.json.require(OPEN, '"collections" must be an object with the collections by their names');
    if (this.hasCollections) this.json.refuse('"collections" is there twice');
    this.hasCollections = true;
    this.enter('collections');
    return [];
  }

  private inCollections(): readonly ImportEvent[] {
    const name = this.nextKey();
    if (name === undefined) {
      this.enter('file', false);
      return [];
    }
    this.json.next();
    this.collection = name;
    this.json.require(OPEN, 'a collection must be an object { documents, indexes }');
    if (this.collections.has(name)) this.json.refuse(`the collection "${name}" is there twice`);
    this.collections.add(name);
    this.documentNumber = 0;
    this.enter('collection');
    return [{ kind: 'collectionBegin', collection: name }];
  }

  private inCollection(): readonly ImportEvent[] {
    const collection = this.collection!;
    const name = this.nextKey();
    if (name === undefined) {
      this.collection = undefined;
      this.enter('collections', false);
      return [{ kind: 'collectionEnd', collection }];
    }
    if (name === 'documents') {
      this.json.require(OPEN_ARRAY, '"documents" must be an array');
      this.enter('documents');
      return [];
    }
    const value = this.json.anyValue();
    this.isFirst = false;
    return [{ kind: 'collectionProperty', collection, name, value }];
  }

  private inDocuments(): readonly ImportEvent[] {
    const { json, limits, byteOffsets } = this;
    for (;;) {
      if (json.accept(CLOSE_ARRAY)) {
        this.enter('collection', false);
        return this.flush();
      }
      if (!this.isFirst) json.require(COMMA, 'expected , or ]');
      json.next();
      const byteOffset = this.window.base + json.position;
      try {
        json.document();
      } catch (error) {
        if (this.onError === 'stop' || error === INCOMPLETE) throw error;
        this.rejected = { error: this.located(error), byteOffset };
        json.moveTo(this.window.bytes, byteOffset - this.window.base, this.window.end);
        return this.flush();
      }
      this.isFirst = false;
      this.documentNumber++;
      byteOffsets[this.pending++] = byteOffset;
      this.settle();
      if (this.pending >= limits.maxBatchDocuments || json.length >= limits.maxBatchBytes) return this.flush();
    }
  }

  /** Goes on behind a document that cannot be read. */
  private skipRejected({ error, byteOffset }: NonNullable<ExportFileReader['rejected']>): readonly ImportEvent[] {
    const { bytes, base, end } = this.window;
    this.json.moveTo(bytes, byteOffset - base, end);
    if (this.isLineLayout) this.json.skipLine();
    else this.json.skipObject();
    // A damaged line may have lost its comma as well.
    this.isFirst = this.isLineLayout && this.json.next() === OPEN;
    this.rejected = undefined;
    const documentNumber = ++this.documentNumber;
    return [{ kind: 'rejected', collection: this.collection!, documentNumber, byteOffset, error }];
  }

  private flush(): readonly ImportEvent[] {
    const { pending } = this;
    if (pending === 0) return [];
    this.pending = 0;
    const byteOffsets = this.byteOffsets.subarray(0, pending);
    const firstNumber = this.documentNumber - pending + 1;
    const batch = { bytes: this.json.take(), byteOffsets, firstNumber };
    return [{ kind: 'documents', collection: this.collection!, batch }];
  }

  private located(error: unknown): BulkFormatError {
    if (error instanceof InvalidJsonError) return this.failure(error.reason, error.position, error);
    if (error instanceof DocumentTooLargeError) {
      return this.failure(`the document has more than ${error.limit} bytes of BSON`, error.position, error);
    }
    throw error;
  }

  private failure(reason: string, position: number, cause?: unknown): BulkFormatError {
    return new BulkFormatError(
      reason,
      {
        ...(this.collection !== undefined && { collection: this.collection }),
        ...(this.place === 'documents' && { documentNumber: this.documentNumber + 1 }),
        byteOffset: this.window.base + position,
      },
      cause,
    );
  }
}
