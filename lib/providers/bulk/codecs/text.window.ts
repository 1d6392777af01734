/** So few steps that the rooms before the last one, garbage until somebody collects it, are a fifth of it together. */
const GROWTH = 6;

/** The part of a text that has arrived and has not been read: chunks go in at its end, reads move its start. */
export class TextWindow {
  /** The text from `start` to `end`, and a 0 after it, which readers of JSON stop at. */
  bytes = Buffer.alloc(256 * 1024);
  start = 0;
  end = 0;
  /** The offset in the whole text of `bytes[0]`. */
  base = 0;

  /** @param limit up to where it makes room in advance */
  constructor(private readonly limit: number) {}

  get length(): number {
    return this.end - this.start;
  }

  append(chunk: Uint8Array): void {
    if (this.end + chunk.length + 1 > this.bytes.length) this.makeRoom(chunk.length + 1);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
    this.bytes[this.end] = 0;
  }

  private makeRoom(wanted: number): void {
    const needed = this.length + wanted;
    const size = Math.max(needed, Math.min(needed * GROWTH, this.limit));
    const isCrowded = needed > this.bytes.length / 2 && size > this.bytes.length;
    const room = isCrowded ? Buffer.allocUnsafeSlow(size) : this.bytes;
    this.bytes.copy(room, 0, this.start, this.end);
    this.bytes = room;
    this.base += this.start;
    this.end -= this.start;
    this.start = 0;
  }
}
