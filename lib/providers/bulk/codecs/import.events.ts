/** Documents of one collection as they come out of a file. Its arrays are only there until the next event is asked for. */
export interface DocumentBatch {
  /** Their BSON, one after the other. */
  readonly bytes: Buffer;
  /** Where each begins in the file, counted from 0 and after unpacking; as many as there are documents. */
  readonly byteOffsets: Float64Array;
  /** In which line each begins, from 1; of files of one collection. */
  readonly lines?: Float64Array;
  /** The offsets are not those of the file. */
  readonly isPicked?: boolean;
  /** The number of the first within its collection in the file; 1 is the collection's first. */
  readonly firstNumber: number;
}

/**
 * What the readers of both formats tell. A collection's events come in the order begin, properties and documents in
 * any order, end; in an archive those of several collections are interleaved.
 */
export type ImportEvent =
  | { readonly kind: 'property'; readonly name: string; readonly value: Buffer }
  | { readonly kind: 'collectionBegin'; readonly database?: string; readonly collection: string }
  | {
      readonly kind: 'collectionProperty';
      readonly database?: string;
      readonly collection: string;
      /** `type`, `options`, `indexes`, or a key of another tool. */
      readonly name: string;
      /** The BSON document `{ "": value }`. */
      readonly value: Buffer;
    }
  | {
      readonly kind: 'documents';
      readonly database?: string;
      readonly collection: string;
      /** Of a time series in an archive: under which name its documents are, that of its buckets or its own. */
      readonly namespace?: string;
      readonly batch: DocumentBatch;
    }
  | {
      readonly kind: 'rejected';
      readonly database?: string;
      readonly collection: string;
      readonly documentNumber: number;
      readonly byteOffset?: number;
      readonly line?: number;
      readonly error: Error;
    }
  | {
      /** The documents that were given are not those that were written. */
      readonly kind: 'damaged';
      readonly database?: string;
      readonly collection: string;
      readonly error: Error;
    }
  | { readonly kind: 'collectionEnd'; readonly database?: string; readonly collection: string };

/** How far a batch of documents may grow: what one insert command takes. */
export interface BatchLimits {
  /** Default 1,000. */
  readonly maxBatchDocuments: number;
  /** Bytes of BSON; default 16 MiB. A single larger document never is. */
  readonly maxBatchBytes: number;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = { maxBatchDocuments: 1000, maxBatchBytes: 16 * 1024 * 1024 };
