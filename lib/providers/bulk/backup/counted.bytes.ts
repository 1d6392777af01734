import { createHash } from 'node:crypto';

/** Counts bytes that pass, and takes their SHA-256. */
export class CountedBytes {
  bytes = 0;
  readonly #hash = createHash('sha256');

  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.bytes += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** Hexadecimal; to be asked once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
