import { PolyMongoError } from '../../polymongo.errors.js';
import type { BulkCheckpoint, BulkSummary } from './bulk.types.js';

/** Where in a file something is wrong. What is not known, or not reached yet, is missing. */
export interface FilePosition {
  /** The collection as the file names it; with `rename` its old name. */
  readonly collection?: string;
  /** 1 is the first document of the collection in the file. */
  readonly documentNumber?: number;
  /** Counted from 0 in the file, in a gzipped one after unpacking. */
  readonly byteOffset?: number;
  /** Of a file of one collection: the line in which the document begins, or the text is wrong; 1 is the first. */
  readonly line?: number;
}

/** A file to import is damaged, cut off, or not what it should be. */
export class BulkFormatError extends PolyMongoError implements FilePosition {
  /** The collection being read, if there was one. */
  readonly collection?: string;
  /** The document being read; 1 is the first of its collection in the file. */
  readonly documentNumber?: number;
  /** Where in the file, from 0; in a gzipped one after unpacking. */
  readonly byteOffset?: number;
  /** In which line of a file of one collection, from 1. */
  readonly line?: number;

  constructor(
    /** What is wrong with the file, without where, as in `it is cut off`. */
    readonly reason: string,
    position: FilePosition,
    cause?: unknown,
  ) {
    super(`Cannot import: ${reason}${placeOf(position)}.`, { cause });
    Object.assign(this, position);
  }
}

/** Something could not be written: a document, an index, a collection. */
export class BulkWriteError extends PolyMongoError implements FilePosition {
  /** The collection that was to be written to, after `rename`. */
  readonly collection: string;
  /**
   * The document that was not written; 1 is the first of its collection. Undefined of an index, a view or a collection.
   */
  readonly documentNumber?: number;
  /** Where the document begins in the file, from 0, after unpacking. Undefined of a copy. */
  readonly byteOffset?: number;
  /** In which line of a file of one collection it begins, from 1. */
  readonly line?: number;

  constructor(
    /** What the server or the driver says, without where. */
    readonly reason: string,
    position: FilePosition & { readonly collection: string },
    /** The server's error code. */
    readonly code?: number,
    cause?: unknown,
  ) {
    super(`Cannot write: ${reason.replace(/\.$/, '')}${placeOf(position)}.`, { cause });
    this.collection = position.collection;
    Object.assign(this, position);
  }
}

/** The error of a document that could not be written because of `cause`, the driver's error or another. */
export function writeErrorOf(cause: unknown, position: FilePosition & { readonly collection: string }): BulkWriteError {
  const { message, code } = (cause ?? {}) as { message?: string; code?: unknown };
  return new BulkWriteError(message ?? String(cause), position, typeof code === 'number' ? code : undefined, cause);
}

/** The server stopped giving documents. `documentNumber` is that of the first it did not give. */
export class BulkReadError extends PolyMongoError implements FilePosition {
  constructor(
    /** The collection that was read. */
    readonly collection: string,
    /** The first document that was not read; 1 is the first of its collection. */
    readonly documentNumber: number,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot read: ${reason.replace(/\.$/, '')}${placeOf({ collection, documentNumber })}.`, { cause });
  }
}

/**
 * A bulk task did not finish. `summary` says what is in and what is not, `cause` why; an import goes on from
 * `checkpoint` with `resumeFrom`.
 */
export class BulkTaskError extends PolyMongoError implements FilePosition {
  /** That of `cause`, where it names one. */
  readonly collection?: string;
  /** That of `cause`, where it names one; 1 is the first of its collection. */
  readonly documentNumber?: number;
  /** That of `cause`, where it names one; from 0, after unpacking. */
  readonly byteOffset?: number;
  /** That of `cause`, where it names one; from 1. */
  readonly line?: number;

  constructor(
    /** What was running, as in `Exporting acme`. */
    readonly task: string,
    cause: unknown,
    /** What was done until then. */
    readonly summary: BulkSummary,
    /** Of an import: where it goes on when it is given as `resumeFrom`. */
    readonly checkpoint?: BulkCheckpoint,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${task} stopped after ${writtenIn(summary)}: ${reason}`, { cause });
    const { collection, documentNumber, byteOffset, line } = (cause ?? {}) as FilePosition;
    Object.assign(this, { collection, documentNumber, byteOffset, line });
  }
}

/** A bulk task was given something that makes no sense: a system database, a copy onto itself. */
export class BulkArgumentError extends PolyMongoError {}

const MAX_NAMED = 5;

function writtenIn({ collections }: BulkSummary): string {
  const written = collections.filter(({ documents }) => documents > 0);
  const documents = written.reduce((sum, collection) => sum + collection.documents, 0);
  const names = written.slice(0, MAX_NAMED).map(({ name }) => JSON.stringify(name));
  if (written.length > MAX_NAMED) names.push('…');
  return `${documents} document${documents === 1 ? '' : 's'}${names.length > 0 ? ` in ${names.join(', ')}` : ''}`;
}

function placeOf({ collection, documentNumber, byteOffset, line }: FilePosition): string {
  const parts = [];
  if (collection !== undefined) parts.push(`collection "${collection}"`);
  if (documentNumber !== undefined) parts.push(`document ${documentNumber}`);
  if (line !== undefined) parts.push(`line ${line}`);
  if (byteOffset !== undefined) parts.push(`byte ${byteOffset}`);
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}
