import { MAX_MESSAGE_LENGTH } from '../commands/handshake/limits.js';
import { MalformedFrameError } from './wire.errors.js';

export const HEADER_LENGTH = 16;

/** Cuts the byte stream of one connection into whole messages. */
export class FrameReader {
  private chunks: Buffer[] = [];
  private bufferedLength = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bufferedLength += chunk.length;
  }

  /**
   * The next whole message, or undefined until more bytes come.
   * @throws MalformedFrameError for a length no message can have
   */
  next(): Buffer | undefined {
    if (this.bufferedLength < HEADER_LENGTH) return undefined;
    const length = this.peekLength();
    if (length < HEADER_LENGTH || length > MAX_MESSAGE_LENGTH) {
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
