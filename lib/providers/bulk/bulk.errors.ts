import { PolyMongoError } from '../../polymongo.errors.js';

/** Where in a file something is wrong. What is not known, or not reached yet, is missing. */
export interface FilePosition {
  readonly collection?: string;
  /** 1 is the first document of the collection in the file. */
  readonly documentNumber?: number;
  /** Counted from 0 in the file, in a gzipped one after unpacking. */
  readonly byteOffset?: number;
}

/** A file to import is damaged, cut off, or not what it should be. */
export class BulkFormatError extends PolyMongoError implements FilePosition {
  readonly collection?: string;
  readonly documentNumber?: number;
  readonly byteOffset?: number;

  constructor(
    readonly reason: string,
    position: FilePosition,
    cause?: unknown,
  ) {
    super(`Cannot import: ${reason} (${placeOf(position)}).`, { cause });
    Object.assign(this, position);
  }
}

function placeOf({ collection, documentNumber, byteOffset }: FilePosition): string {
  const parts = [];
  if (collection !== undefined) parts.push(`collection "${collection}"`);
  if (documentNumber !== undefined) parts.push(`document ${documentNumber}`);
  parts.push(byteOffset === undefined ? 'unknown place' : `byte ${byteOffset}`);
  return parts.join(', ');
}
