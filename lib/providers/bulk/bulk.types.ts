import type { Writable, Readable } from 'node:stream';
import type { mongo } from 'mongoose';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';

/** Which collections a task takes, and what it does to them. Names are those of the source. */
export interface BulkSelection {
  /** Only these collections. */
  include?: readonly string[];
  /** Not these collections. */
  exclude?: readonly string[];
  /** New names, by old name. */
  rename?: Readonly<Record<string, string>>;
  /**
   * Changes each document, or drops it by returning null or undefined. Documents have the driver's BSON types
   * (`promoteValues: false`), so that what is not touched stays as it is. Slower: documents are decoded for it.
   */
  transform?: (
    document: mongo.Document,
    collection: string,
  ) => mongo.Document | null | undefined | Promise<mongo.Document | null | undefined>;
}

/** What every bulk task takes. */
export interface BulkOptions extends BulkSelection, BulkTaskOptions {}

/** How a task is followed and ended. */
export interface BulkTaskOptions {
  /** Ends the task at the next batch, and an export that nobody reads at once, with a BulkTaskError whose `cause` is the signal's reason. */
  signal?: AbortSignal;
  /** @internal Called before each batch is written; what it throws ends the task. */
  guard?: () => void;
  /** Called at most every 100 ms, and once at the end. Nobody waits for what it returns; where it throws or rejects, `onDbError` is told. */
  onProgress?: (progress: BulkProgress) => unknown;
}

/** What tasks that read a database take. */
export interface BulkReadOptions extends BulkOptions {
  /** Only the documents that match, by collection. */
  query?: Readonly<Record<string, mongo.Filter<mongo.Document>>>;
  /** Read everything as it was at one moment. Replica sets only; the server keeps it for 300 s unless told otherwise. */
  snapshot?: boolean;
}

/** Options of `copyDatabase`. */
export interface CopyOptions extends BulkReadOptions {
  /** `skip` goes on after a document or an index that the target refuses, and lists it in the summary. Default `stop`. */
  onError?: 'stop' | 'skip';
  /** Read and count, write nothing. */
  dryRun?: boolean;
  /** The pools of another wrapper, on which the target is. Default: those of the source. */
  targetPools?: PolyMongoPools;
  /** Collections copied at a time. Default 4. */
  concurrency?: number;
  /** Copy documents also where the collection's validator would refuse them, as those that are older than it. Default false. */
  bypassDocumentValidation?: boolean;
}

/** Options of `exportStream`. */
export interface ExportStreamOptions extends BulkReadOptions {
  /** `json` (default) is the format of `export()`, `archive` that of `mongodump --archive`. */
  format?: 'json' | 'archive';
  /** Default false. */
  gzip?: boolean;
}

/** Options of `import` and `importStream`. */
export interface ImportOptions extends BulkOptions, AnyImportOptions {
  /** By default the first bytes tell, also whether it is gzipped. */
  format?: 'json' | 'archive';
  /** Which database of an archive of several. Needless where it holds one. */
  sourceDatabase?: string;
}

/** What all imports take. */
export interface AnyImportOptions {
  /**
   * `skip` goes on after a document or an index that cannot be read or that the server refuses, and lists it in the
   * summary (or writes it to `rejects`). Default `stop`.
   */
  onError?: 'stop' | 'skip';
  /** Takes the skipped documents, one JSON a line: { collection, documentNumber, byteOffset, line, reason, document }. */
  rejects?: Writable;
  /** Read and check, write nothing. */
  dryRun?: boolean;
  /**
   * Goes on with an import of the same file that did not finish, without duplicates: 'start' reads it all again and
   * leaves out the documents that are there, a checkpoint (of a progress or of the error) leaves out reading them.
   */
  resumeFrom?: 'start' | BulkCheckpoint;
  /**
   * Drops each collection of the file before it is written, with its indexes; those that are not in the file stay. Not with
   * `resumeFrom`. Default false.
   */
  drop?: boolean;
  /** Import documents also where the collection's validator would refuse them, as those that are older than it. Default false. */
  bypassDocumentValidation?: boolean;
  /** Bytes of the whole stream, for progress. */
  totalBytes?: number;
}

/** How far an import is: this many documents of each collection, counted in the file, are surely dealt with. */
export interface BulkCheckpoint {
  /** By collection, as the file names it. */
  readonly documents: Readonly<Record<string, number>>;
}

/** A task at one moment. Totals and rates that are not known are missing. */
export interface BulkProgress {
  /** What is running. */
  readonly task: 'copy' | 'export' | 'import';
  /** The database that is read, or imported to. */
  readonly database: string;
  /** Where a copy goes. */
  readonly target?: string;
  /** The collection that was worked on last, after `rename`. */
  readonly collection?: string;
  /**
   * Documents written so far; of an export or a `dryRun`, read. Those that were there already, or were refused, are not
   * among them.
   */
  readonly documents: number;
  /** How many there are to be, by the server's estimate, with a `query` by its count; unknown of an import. */
  readonly totalDocuments?: number;
  /** Bytes of BSON; of an import the bytes of the file that have been read. */
  readonly bytes: number;
  /** What `bytes` will come to, where the server says it; of an import `totalBytes` of its options. */
  readonly totalBytes?: number;
  /** Since the task began. */
  readonly documentsPerSecond: number;
  /** Since the task began. */
  readonly bytesPerSecond: number;
  /** Since the task began, in ms. */
  readonly elapsedMS: number;
  /** The last progress of a task; there is none after an error. */
  readonly isDone: boolean;
  /** Of an import: where it goes on when it is given as `resumeFrom`. */
  readonly checkpoint?: BulkCheckpoint;
}

/** What a task did to one collection. */
export interface CollectionSummary {
  /** The collection, after `rename`. */
  readonly name: string;
  /** `collection`, `view` or `timeseries`. */
  readonly type: string;
  /** Written by this task. */
  documents: number;
  /** There when it ended, of those the source has. */
  indexes: number;
  /** Not written: they were there already, or were refused (see the failures). */
  skipped: number;
  /** Bytes of BSON written. */
  bytes: number;
}

/** Something that did not work and was passed over. */
export interface BulkFailure {
  /** What it was that did not work. */
  readonly kind: 'document' | 'index' | 'collection' | 'view';
  /** The collection that it is in, or is, after `rename`. */
  readonly collection: string;
  /** 1 is the first of the collection in the file, or in the order of reading. */
  readonly documentNumber?: number;
  /** Where a document begins in the file, from 0, after unpacking; of an import only. */
  readonly byteOffset?: number;
  /** In which line it begins, from 1; of `importCollection` only. */
  readonly line?: number;
  /** The index's name. */
  readonly index?: string;
  /** The server's error code, where it was the server that refused. */
  readonly code?: number;
  /** What the server or the reader says. */
  readonly reason: string;
}

/** What a task did. */
export interface BulkSummary {
  /** Those that the task came to, in its order. */
  readonly collections: CollectionSummary[];
  /** The first 10,000. */
  readonly failures: BulkFailure[];
  /** In ms, from the beginning of the task. */
  durationMS: number;
}

/** What `export()` gives: documents and indexes are canonical Extended JSON, ready for `JSON.stringify`. */
export interface ExportData {
  /** The name that the database had. */
  database: string;
  /** ISO 8601. */
  exportDate: string;
  /** By name. */
  collections: Record<string, ExportedCollection>;
}

/** One collection of an {@link ExportData}. */
export interface ExportedCollection {
  /**
   * Canonical Extended JSON. A field that this cannot say, such as a user's own `{ $oid: 'no id' }`, is `{
   * $polymongoBson }`, its BSON in base64; imports undo it.
   */
  documents: mongo.Document[];
  /** As `listIndexes` gives them, that of `_id` included. */
  indexes: mongo.Document[];
  /** `collection`, `view` or `timeseries`. */
  type?: string;
  /** As `listCollections` gives them. */
  options?: mongo.Document;
}

/** The bytes of an export; `summary` settles when they have all been read, or with the error that ended it. */
export type ExportStream = Readable & { readonly summary: Promise<BulkSummary> };
