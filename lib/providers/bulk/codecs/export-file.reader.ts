import type { BulkFormatError, FilePosition } from '../bulk.errors.js';
import type { ImportEvent } from './import.events.js';
import { INCOMPLETE } from './json-cursor.js';
import { JsonStructureReader } from './json-structure.reader.js';
import { type ReaderOptions, StepwiseReader } from './stepwise.reader.js';

const [COMMA, NEWLINE, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [44, 10, 123, 125, 91, 93] as const;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const FIRST_LINE_LIMIT = 64 * 1024;

/** What the reader is inside of. */
type Place = 'start' | 'file' | 'collections' | 'collection' | 'documents' | 'end';

/**
 * Reads an export file in any layout: pretty-printed, keys in another order, indexes before documents. Each document goes
 * straight from text to BSON, in every layout.
 */
export class ExportFileReader extends StepwiseReader {
  private readonly json = new JsonStructureReader({ initialSize: 1 << 20 });

  private inside: Place = 'start';
  private isFirst = true;
  private isLineLayout = false;
  private hasCollections = false;
  private collection: string | undefined;
  private readonly collections = new Set<string>();
  private documentNumber = 0;
  private readonly byteOffsets: Float64Array;
  /** Documents of the batch that is being read. */
  private pending = 0;
  private rejected: { readonly error: BulkFormatError; readonly byteOffset: number } | undefined;

  constructor(options: ReaderOptions = {}) {
    super(options);
    this.byteOffsets = new Float64Array(this.limits.maxBatchDocuments);
  }

  protected enterWindow(): void {
    const { bytes, start, end } = this.window;
    this.json.moveTo(bytes, start, end);
  }

  protected end(): [] {
    if (this.inside === 'end') return [];
    throw this.failure('the file is cut off: it ends before its JSON does', this.window.end);
  }

  protected settle(): void {
    this.window.start = this.json.position;
  }

  protected step(): readonly ImportEvent[] {
    switch (this.inside) {
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
    this.inside = place;
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
    else this.json.skipValue();
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

  protected place(byteOffset: number): FilePosition {
    return {
      ...(this.collection !== undefined && { collection: this.collection }),
      ...(this.inside === 'documents' && { documentNumber: this.documentNumber + 1 }),
      byteOffset,
    };
  }
}
