import { splitDocuments } from './raw-document.js';

/** Documents to insert, their `_id` first: one in each piece, or several that lie one after the other. */
export class RawBatch {
  readonly bytes: number;
  #documents: readonly Buffer[] | undefined;

  constructor(
    readonly pieces: readonly Buffer[],
    /** How many documents they are. */
    readonly length = pieces.length,
  ) {
    this.bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Each by itself. */
  get documents(): readonly Buffer[] {
    return (this.#documents ??= this.pieces.length === this.length ? this.pieces : this.pieces.flatMap(splitDocuments));
  }

  /** The batch in parts of at most so many bytes, or of one document. */
  *parts(maxBytes: number): Generator<RawBatch> {
    if (this.bytes <= maxBytes) return yield this;
    let [part, bytes]: [Buffer[], number] = [[], 0];
    for (const document of this.documents) {
      if (part.length > 0 && bytes + document.length > maxBytes) {
        yield new RawBatch(part);
        [part, bytes] = [[], 0];
      }
      part.push(document);
      bytes += document.length;
    }
    yield new RawBatch(part);
  }
}
