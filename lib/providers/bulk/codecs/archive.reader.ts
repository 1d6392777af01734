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
import { Crc64 } from './crc64.js';
import { type BatchLimits, DEFAULT_BATCH_LIMITS, type ImportEvent } from './import.events.js';
import { TextWindow } from './text.window.js';

const TERMINATOR_VALUE = -1;
const DAMAGED = -2;
/** A server's own overhead on top of a user's 16 MiB; the official tools allow the same. */
const MAX_BSON_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;

type Place = 'magic' | 'header' | 'metadata' | 'blocks' | 'documents' | 'endOfBlock';

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
  private readonly window = new TextWindow();
  private readonly limits: BatchLimits;
  private readonly entries = new Map<string, Entry>();
  private place: Place = 'magic';
  private entry: Entry | undefined;
  private isFinishing = false;
  private readonly byteOffsets: Float64Array;

  constructor(limits: Partial<BatchLimits> = {}) {
    this.limits = { ...DEFAULT_BATCH_LIMITS, ...limits };
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
        return this.block((bytes) => this.metadata(bytes));
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

  /** The length of the BSON document at `at`, TERMINATOR_VALUE, or undefined where not even that has arrived. */
  private lengthAt(at: number): number | undefined {
    const { bytes, end } = this.window;
    if (at + 4 > end) return undefined;
    const length = readInt32(bytes, at);
    if (length !== TERMINATOR_VALUE && (length < MIN_DOCUMENT_BYTES || length > MAX_BSON_BYTES)) {
      throw this.failure(`${length} is neither the length of a BSON document nor the end of a block`, at);
    }
    return length;
  }

  /** The same for a document, which has wholly arrived. One that is damaged may be told instead of thrown. */
  private documentLength(at: number, isTold: boolean): number | undefined {
    try {
      const length = this.lengthAt(at);
      if (length === undefined || length === TERMINATOR_VALUE) return length;
      if (at + length > this.window.end) return undefined;
      if (this.window.bytes[at + length - 1] === 0) return length;
      throw this.failure('a BSON document does not end where its length says', at);
    } catch (error) {
      if (isTold) return DAMAGED;
      throw error;
    }
  }

  private block(read: (bytes: Buffer) => readonly ImportEvent[]): readonly ImportEvent[] | undefined {
    const { bytes, start, end } = this.window;
    const length = this.lengthAt(start);
    if (length === undefined) return undefined;
    if (length === TERMINATOR_VALUE) {
      if (this.place !== 'metadata' && this.place !== 'endOfBlock') {
        throw this.failure('the end of a block without its beginning', start);
      }
      this.place = 'blocks';
      this.window.start += 4;
      return [];
    }
    if (start + length > end) return undefined;
    let events: readonly ImportEvent[];
    try {
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
    for (const name of [collection, dataCollectionOf(definition)]) this.entries.set(`${database}.${name}`, entry);
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
      this.place = 'documents';
      return [];
    }
    if (header.crc !== entry.checksum.value) {
      throw this.failure('its documents were damaged: the checksum differs', this.window.start);
    }
    entry.isEnded = true;
    this.place = 'endOfBlock';
    this.entry = undefined;
    return [{ kind: 'collectionEnd', database: entry.database, collection: entry.collection }];
  }

  /** A batch of documents, when it is full or the block ends; those before a damaged one too. */
  private documents(): readonly ImportEvent[] | undefined {
    const { limits, window } = this;
    const { bytes, start, base } = window;
    const entry = this.entry!;
    let count = 0;
    let at = start;
    let isEnd = false;
    while (count < limits.maxBatchDocuments) {
      const length = this.documentLength(at, count > 0);
      if (length === undefined && !(this.isFinishing && count > 0)) return undefined;
      isEnd = length === TERMINATOR_VALUE;
      if (isEnd || length === undefined || length === DAMAGED) break;
      if (at > start && at - start + length > limits.maxBatchBytes) break;
      this.byteOffsets[count++] = base + at;
      at += length;
    }
    entry.documents += count;
    window.start = isEnd ? at + 4 : at;
    if (isEnd) this.place = 'blocks';
    if (count === 0) return [];
    const batch = {
      bytes: bytes.subarray(start, at),
      byteOffsets: this.byteOffsets.subarray(0, count),
      firstNumber: entry.documents - count + 1,
    };
    entry.checksum.update(batch.bytes);
    return [{ kind: 'documents', database: entry.database, collection: entry.collection, batch }];
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
