import { isUtf8 } from 'node:buffer';
import { MAX_DOCUMENT_BYTES } from './bson-types.js';
import { DocumentTooLargeError, InvalidJsonError } from './codec.errors.js';
import { CollectionFileReader, type CollectionReaderOptions } from './collection-file.reader.js';
import { columnsOf, type CsvColumns, InvalidColumnsError } from './csv.columns.js';
import { CsvRow } from './csv.rows.js';
import type { ImportEvent } from './import.events.js';
import { INCOMPLETE } from './json-cursor.js';

const NEWLINE = 10;

/** Reads plain CSV whose first row has the names of the fields, a document a row. */
export class CsvReader extends CollectionFileReader {
  /** A row of more text would be no document; quotes may double it. */
  protected override readonly maxPendingText = 2 * MAX_DOCUMENT_BYTES + 1024 * 1024;
  protected position = 0;
  private columns: CsvColumns | undefined;
  private documents: Buffer[] = [];
  private documentBytes = 0;

  constructor(options: CollectionReaderOptions) {
    super(options);
  }

  protected takeBatch(): Buffer {
    const batch = Buffer.concat(this.documents, this.documentBytes);
    this.documents = [];
    this.documentBytes = 0;
    return batch;
  }

  protected enterWindow(): void {
    this.position = this.window.start;
  }

  protected step(): readonly ImportEvent[] {
    if (!this.columns) return this.header();
    for (;;) {
      const start = this.position;
      if (start >= this.window.end) throw INCOMPLETE;
      try {
        const row = this.row(start);
        const full = row.isBlank ? [] : this.document(row, start);
        this.settle();
        if (full.length > 0) return full;
      } catch (error) {
        if (this.onError === 'stop' || error === INCOMPLETE) throw error;
        const next = this.position > start ? this.position : this.nextLine(start);
        this.beginDocument(start);
        const events = this.reject(this.located(error));
        this.position = next;
        return events;
      }
    }
  }

  private row(start: number): CsvRow {
    const { bytes, end } = this.window;
    const row = new CsvRow(bytes, start, end, this.isFinishing);
    this.position = row.position;
    return row;
  }

  private header(): [] {
    const { start, end } = this.window;
    if (end - start < 3 && !this.isFinishing) throw INCOMPLETE;
    if (start >= end) throw INCOMPLETE;
    const row = this.row(this.afterMark());
    if (row.isBlank) return [];
    try {
      this.columns = columnsOf(row.fields);
    } catch (error) {
      throw error instanceof InvalidColumnsError ? new InvalidJsonError(error.message, start) : error;
    }
    return [];
  }

  private document({ fields }: CsvRow, start: number): readonly ImportEvent[] {
    const { names } = this.columns!;
    if (fields.length > names.length) {
      throw new InvalidJsonError(`the row has ${fields.length} fields, the header ${names.length}`, start);
    }
    if (!isUtf8(this.window.bytes.subarray(start, this.position))) {
      throw new InvalidJsonError('text that is not UTF-8', start);
    }
    const document = this.columns!.document(fields);
    if (document.length > MAX_DOCUMENT_BYTES) throw new DocumentTooLargeError(MAX_DOCUMENT_BYTES, start);
    this.documents.push(document);
    this.documentBytes += document.length;
    this.beginDocument(start);
    return this.endDocument(this.documentBytes);
  }

  /** Where it goes on behind a row whose end cannot be known. */
  private nextLine(start: number): number {
    const { bytes, end } = this.window;
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline >= 0 && newline < end) return newline + 1;
    if (!this.isFinishing) throw INCOMPLETE;
    return end;
  }

  protected end(): readonly ImportEvent[] {
    if (this.columns) return this.flush();
    throw this.failure('the file is empty: the first row of CSV has the names of the fields', this.window.end);
  }
}
