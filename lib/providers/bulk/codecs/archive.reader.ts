import { BulkFormatError } from '../bulk.errors.js';
import {
  ARCHIVE_MAGIC,
  type ArchiveHeader,
  dataCollectionOf,
  decodeHeader,
  decodeMetadata,
  decodeNamespaceHeader,
} from './archive.format.js';
import { arrayOf, documentOf, stringElement } from './bson-elements.js';
import { BsonType, MAX_DOCUMENT_BYTES, MIN_DOCUMENT_BYTES, readInt32 } from './bson-types.js';
import { endOfDocument } from './bson-validation.js';
import { DocumentTooLargeError, InvalidBsonError } from './codec.errors.js';
import { Crc64 } from './crc64.js';
import { type BatchLimits, DEFAULT_BATCH_LIMITS, type ImportEvent } from './import.events.js';
import { TextWindow } from './text.window.js';

const TERMINATOR_VALUE = -1;
/** A server's own overhead on top of a user's 16 MiB; the official tools allow the same. */
const MAX_BSON_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;
/** A header holds a few names and numbers. */
const MAX_HEADER_BYTES = 64 * 1024;

type Place = 'magic' | 'header' | 'metadata' | 'blocks' | 'documents' | 'endOfBlock';

export interface ArchiveReaderOptions extends Partial<BatchLimits> {
  /** `skip` tells a document that is no BSON (`rejected`) or a wrong checksum (`damaged`) and goes on; default `stop`. */
  readonly onError?: 'stop' | 'skip';
}

/** A collection of the archive. */
interface Entry {
  readonly database: string;
  readonly collection: string;
  readonly checksum: Crc64;
  documents: number;
  isEnded: boolean;
}

/**
 * Reads mongodump's archive format. Documents are neither decoded nor copied one by one. Chunks go in with `push()`,
 * which gives what they complete; `finish()` checks that nothing is missing. All collections begin, with their
 * properties, before the first documents; documents of several may be interleaved.
 */
export class ArchiveReader {
  header: ArchiveHeader | undefined;
  private readonly window = new TextWindow(2 * MAX_BSON_BYTES);
  private readonly limits: BatchLimits;
  private readonly entries = new Map<string, Entry>();
  private place: Place = 'magic';
  private entry: Entry | undefined;
  /** Under which name the documents of the block are. */
  private namespace = '';
  private isFinishing = false;
  private readonly onError: 'stop' | 'skip';
  private readonly byteOffsets: Float64Array;
  /** Documents of the batch that is being read, and their bytes. */
  private pending = 0;
  private pendingBytes = 0;

  constructor(options: ArchiveReaderOptions = {}) {
    this.limits = { ...DEFAULT_BATCH_LIMITS, ...options };
    this.onError = options.onError ?? 'stop';
    this.byteOffsets = new Float64Array(this.limits.maxBatchDocuments);
  }

  /** @throws BulkFormatError */
  *push(chunk: Uint8Array): Generator<ImportEvent, void> {
    this.window.append(chunk);
    for (let events = this.step(); events; events = this.step()) yield* events;
  }

  /** To be called when the file has ended. @throws BulkFormatError where it should go on */
  *finish(): Generator<ImportEvent, void> {
    this.isFinishing = true;
    for (let events = this.step(); events; events = this.step()) yield* events;
    if (this.place !== 'blocks' || this.window.length > 0)
      throw this.failure('the archive is cut off', this.window.end);
    const open = [...this.entries.values()].find(({ isEnded }) => !isEnded);
    if (open) {
      this.entry = open;
      throw this.failure('the archive is cut off: the collection has no end', this.window.end);
    }
  }

  /** Reads one thing; undefined where it has not wholly arrived. */
  private step(): readonly ImportEvent[] | undefined {
    switch (this.place) {
      case 'magic':
        return this.magic();
      case 'header':
        return this.block((bytes) => {
          this.header = decodeHeader(bytes);
          this.place = 'metadata';
          return [];
        });
      case 'metadata':
        return this.block((bytes) => this.metadata(bytes), MAX_BSON_BYTES);
      case 'blocks':
        return this.block((bytes) => this.namespaceHeader(bytes));
      case 'endOfBlock':
        return this.block(() => {
          throw this.failure('documents after the end of the collection', this.window.start);
        });
      case 'documents':
        return this.documents();
    }
  }

  private magic(): [] | undefined {
    const { bytes, start, length } = this.window;
    const seen = bytes.subarray(start, start + Math.min(4, length));
    if (!seen.equals(ARCHIVE_MAGIC.subarray(0, seen.length)))
      throw this.failure('it is not a mongodump archive', start);
    if (length < 4) return undefined;
    this.window.start += 4;
    this.place = 'header';
    return [];
  }

  /** The length of the BSON document at `at`, TERMINATOR_VALUE, or undefined where it has not wholly arrived. */
  private lengthAt(at: number, limit: number): number | undefined {
    const { bytes, end } = this.window;
    if (at + 4 > end) return undefined;
    const length = readInt32(bytes, at);
    if (length === TERMINATOR_VALUE) return length;
    if (length < MIN_DOCUMENT_BYTES || length > limit) {
      throw this.failure(`${length} is neither the length of a BSON document nor the end of a block`, at);
    }
    return at + length > end ? undefined : length;
  }

  private block(
    read: (bytes: Buffer) => readonly ImportEvent[],
    limit = MAX_HEADER_BYTES,
  ): readonly ImportEvent[] | undefined {
    const { bytes, start } = this.window;
    const length = this.lengthAt(start, limit);
    if (length === undefined) return undefined;
    if (length === TERMINATOR_VALUE) {
      if (this.place !== 'metadata' && this.place !== 'endOfBlock') {
        throw this.failure('the end of a block without its beginning', start);
      }
      this.place = 'blocks';
      this.window.start += 4;
      return [];
    }
    let events: readonly ImportEvent[];
    try {
      endOfDocument(bytes, start, start + length);
      events = read(Buffer.from(bytes.subarray(start, start + length)));
    } catch (error) {
      if (error instanceof BulkFormatError) throw error;
      throw this.failure(`a damaged entry: ${(error as Error).message}`, start, error);
    }
    this.window.start += length;
    return events;
  }

  private metadata(bytes: Buffer): readonly ImportEvent[] {
    const definition = decodeMetadata(bytes);
    const { database, name: collection, type, options, indexes } = definition;
    const entry = { database, collection, checksum: new Crc64(), documents: 0, isEnded: false };
    // A time series' documents are its buckets' since 8.3 under its own name, before that under their collection's.
    for (const name of new Set([collection, dataCollectionOf(definition)])) {
      const namespace = `${database}.${name}`;
      if (this.entries.has(namespace)) throw this.failure(`${namespace} is there twice`, this.window.start);
      this.entries.set(namespace, entry);
    }
    const property = (name: string, bsonType: number, value: Uint8Array): ImportEvent => ({
      ...{ kind: 'collectionProperty', database, collection, name },
      value: documentOf([{ name: '', type: bsonType, value: Buffer.from(value) }]),
    });
    return [
      { kind: 'collectionBegin', database, collection },
      property('type', BsonType.String, stringElement('', type).value),
      property('options', BsonType.Document, options),
      property('indexes', BsonType.Array, arrayOf(indexes)),
    ];
  }

  private namespaceHeader(bytes: Buffer): readonly ImportEvent[] {
    const header = decodeNamespaceHeader(bytes);
    if (!header) throw this.failure('documents without a namespace header before them', this.window.start);
    const namespace = `${header.database}.${header.collection}`;
    const entry = this.entries.get(namespace);
    if (!entry) throw this.failure(`${namespace} is not among the collections of the archive`, this.window.start);
    this.entry = entry;
    if (entry.isEnded) throw this.failure('documents after the end of the collection', this.window.start);
    if (!header.isEnd) {
      this.namespace = header.collection;
      this.place = 'documents';
      return [];
    }
    const { database, collection } = entry;
    const events: ImportEvent[] = [{ kind: 'collectionEnd', database, collection }];
    if (header.crc !== entry.checksum.value) {
      const error = this.failure('its documents were damaged: the checksum differs', this.window.start);
      if (this.onError === 'stop') throw error;
      events.unshift({ kind: 'damaged', database, collection, error });
    }
    entry.isEnded = true;
    this.place = 'endOfBlock';
    this.entry = undefined;
    return events;
  }

  /** A batch of documents, when it is full or the block ends; those before a damaged one too. */
  private documents(): readonly ImportEvent[] | undefined {
    const { limits, window } = this;
    while (this.pending < limits.maxBatchDocuments) {
      const at = window.start + this.pendingBytes;
      let length: number | undefined;
      try {
        length = this.lengthAt(at, MAX_BSON_BYTES);
        if (length === undefined && !(this.isFinishing && this.pending > 0)) return undefined;
        if (length === undefined) break;
        if (length === TERMINATOR_VALUE) return this.endOfDocuments();
        endOfDocument(window.bytes, at, at + length);
        if (length > MAX_DOCUMENT_BYTES) throw new DocumentTooLargeError(MAX_DOCUMENT_BYTES, at);
      } catch (error) {
        if (this.pending > 0) break; // it is met again when those before it have been given
        return this.damaged(error, at, length);
      }
      if (this.pending > 0 && this.pendingBytes + length > limits.maxBatchBytes) break;
      this.byteOffsets[this.pending++] = window.base + at;
      this.pendingBytes += length;
    }
    return this.flush();
  }

  private endOfDocuments(): readonly ImportEvent[] {
    const events = this.flush();
    this.place = 'blocks';
    this.window.start += 4;
    return events;
  }

  private flush(): readonly ImportEvent[] {
    const { pending, window, namespace } = this;
    const { database, collection, checksum } = this.entry!;
    const firstNumber = this.entry!.documents + 1;
    const bytes = window.bytes.subarray(window.start, (window.start += this.pendingBytes));
    this.pending = this.pendingBytes = 0;
    this.entry!.documents += pending;
    if (pending === 0) return [];
    checksum.update(bytes);
    const byteOffsets = this.byteOffsets.subarray(0, pending);
    return [{ kind: 'documents', database, collection, namespace, batch: { bytes, byteOffsets, firstNumber } }];
  }

  /** A document that is no BSON: with its length believable, what follows it can be read. */
  private damaged(cause: unknown, at: number, length: number | undefined): readonly ImportEvent[] {
    if (length === undefined) throw cause;
    const { database, collection, checksum, documents } = this.entry!;
    const error =
      cause instanceof InvalidBsonError
        ? this.failure(`a damaged document: ${cause.reason}`, cause.position, cause)
        : this.failure(`the document has more than ${MAX_DOCUMENT_BYTES} bytes of BSON`, at, cause);
    if (this.onError === 'stop') throw error;
    const byteOffset = this.window.base + at;
    checksum.update(this.window.bytes.subarray(at, at + length));
    this.entry!.documents++;
    this.window.start += length;
    return [{ kind: 'rejected', database, collection, documentNumber: documents + 1, byteOffset, error }];
  }

  private failure(reason: string, position: number, cause?: unknown): BulkFormatError {
    const { entry, place } = this;
    return new BulkFormatError(
      reason,
      {
        ...(entry && { collection: entry.collection }),
        ...(entry && place === 'documents' && { documentNumber: entry.documents + 1 }),
        byteOffset: this.window.base + position,
      },
      cause,
    );
  }
}
