import type { BulkFormatError } from '../bulk.errors.js';
import type { ImportEvent } from './import.events.js';
import { CollectionFileReader, type CollectionReaderOptions } from './collection-file.reader.js';
import { INCOMPLETE } from './json-cursor.js';
import { JsonStructureReader } from './json-structure.reader.js';

const [NEWLINE, COMMA, OPEN_ARRAY, CLOSE_ARRAY] = [10, 44, 91, 93] as const;

type Place = 'start' | 'lines' | 'array' | 'end';

export interface DocumentListOptions extends CollectionReaderOptions {
  /** `jsonl` or `json` (an array) refuse the other one; by default the first character tells. */
  readonly format?: 'jsonl' | 'json';
}

/**
 * Reads documents in Extended JSON, canonical or relaxed: one after the other, as JSON Lines have them (a document may
 * have several lines), or in an array.
 */
export class DocumentListReader extends CollectionFileReader {
  private readonly json = new JsonStructureReader({ initialSize: 1 << 18 });
  private inside: Place = 'start';
  private isFirst = true;
  /** Why the document cannot be read that comes next. */
  private rejected: BulkFormatError | undefined;

  constructor(private readonly options: DocumentListOptions) {
    super(options);
  }

  protected get position(): number {
    return this.json.position;
  }

  protected takeBatch(): Buffer {
    return this.json.take();
  }

  protected enterWindow(): void {
    const { bytes, start, end } = this.window;
    this.json.moveTo(bytes, start, end);
  }

  protected step(): readonly ImportEvent[] {
    switch (this.inside) {
      case 'start':
        return this.begin();
      case 'lines':
      case 'array':
        return this.rejected ? this.skip(this.rejected) : this.inDocuments();
      case 'end':
        this.json.next(); // INCOMPLETE, unless something other than white space follows
        return this.json.refuse('text follows the end of the array');
    }
  }

  private begin(): [] {
    const { bytes, start, end } = this.window;
    if (end - start < 3 && !this.isFinishing) throw INCOMPLETE;
    this.json.moveTo(bytes, this.afterMark(), end);
    const isArray = this.json.next() === OPEN_ARRAY;
    const { format } = this.options;
    if (format === 'json' && !isArray) this.json.refuse('an array of documents begins with [');
    if (format === 'jsonl' && isArray) this.json.refuse('JSON Lines are documents, one a line, not an array');
    if (isArray) this.json.accept(OPEN_ARRAY);
    this.inside = isArray ? 'array' : 'lines';
    return [];
  }

  private inDocuments(): readonly ImportEvent[] {
    const { json } = this;
    for (;;) {
      if (this.inside === 'array') {
        if (json.accept(CLOSE_ARRAY)) {
          this.inside = 'end';
          return this.flush();
        }
        if (!this.isFirst) json.require(COMMA, 'expected , or ]');
      }
      let start = json.position;
      try {
        json.next();
        start = json.position;
        this.beginDocument(start);
        json.document();
      } catch (error) {
        if (this.onError === 'stop' || error === INCOMPLETE) throw error;
        this.rejected = this.located(error);
        json.moveTo(this.window.bytes, start, this.window.end);
        return this.flush();
      }
      this.isFirst = false;
      const full = this.endDocument(json.length);
      if (full.length > 0) return full;
    }
  }

  /** Goes on behind a document that cannot be read. */
  private skip(error: BulkFormatError): readonly ImportEvent[] {
    const { bytes, start, end } = this.window;
    if (this.inside === 'array') this.json.skipValue();
    else {
      const newline = bytes.indexOf(NEWLINE, start);
      if ((newline < 0 || newline >= end) && !this.isFinishing) throw INCOMPLETE;
      this.json.moveTo(bytes, newline < 0 || newline >= end ? end : newline, end);
    }
    this.isFirst = false;
    this.rejected = undefined;
    this.beginDocument(start);
    return this.reject(error);
  }

  protected end(): readonly ImportEvent[] {
    const { bytes, start, end } = this.window;
    const rest = bytes.toString('latin1', this.inside === 'start' ? this.afterMark() : start, end);
    if (rest.trim() === '' && this.inside !== 'array') return this.flush();
    const error = this.failure('the file is cut off: it ends inside a document or an array', end);
    if (this.inside !== 'lines' || this.onError === 'stop') throw error;
    this.beginDocument(start + rest.length - rest.trimStart().length);
    return this.reject(error);
  }
}
