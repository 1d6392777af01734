import { MalformedFrameError } from './wire.errors.js';

export const HEADER_LENGTH = 16;

/** Cuts the byte stream of one connection into whole messages. */
export class FrameReader {
  private chunks: Buffer[] = [];
  /** Bytes that have come and are in no message that was given. */
  bufferedLength = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bufferedLength += chunk.length;
  }

  /** How long the message is that has begun to come; undefined until its header has. */
  get nextLength(): number | undefined {
    return this.bufferedLength < HEADER_LENGTH ? undefined : this.peekLength();
  }

  /**
   * The next whole message, or undefined until more bytes come.
   * @param maxLength how long it may be
   * @throws MalformedFrameError for a length that no message may have
   */
  next(maxLength: number): Buffer | undefined {
    const length = this.nextLength;
    if (length === undefined) return undefined;
    if (length < HEADER_LENGTH || length > maxLength) {
      throw new MalformedFrameError(`message length ${length} is out of range`);
    }
    if (this.bufferedLength < length) return undefined;
    const buffered = this.joined();
    this.bufferedLength -= length;
    this.chunks = this.bufferedLength > 0 ? [buffered.subarray(length)] : [];
    return buffered.subarray(0, length);
  }

  private peekLength(): number {
    const first = this.chunks[0]!;
    return (first.length >= 4 ? first : this.joined()).readInt32LE(0);
  }

  private joined(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.bufferedLength)];
    return this.chunks[0]!;
  }
}
