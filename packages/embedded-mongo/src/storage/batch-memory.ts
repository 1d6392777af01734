const PIECE_BYTES = 16 * 1024;

/**
 * Where the documents of one batch are stored: side by side in pieces of 16 KB, so that many share one allocation.
 * A piece lives as long as one of its documents, which is why it is small.
 */
export class BatchMemory {
  private piece = Buffer.alloc(0);
  private used = 0;

  /** @param expected how many bytes will be copied here: no piece is larger than what is still to come */
  constructor(private expected: number) {}

  /** A copy of these bytes. */
  copy(source: Uint8Array): Buffer {
    const { length } = source;
    if (this.used + length > this.piece.length) {
      this.piece = Buffer.allocUnsafeSlow(Math.max(length, Math.min(PIECE_BYTES, this.expected)));
      this.used = 0;
    }
    this.expected -= length;
    const at = this.used;
    this.used += length;
    this.piece.set(source, at);
    return this.piece.subarray(at, this.used);
  }
}
