const NOTHING: readonly Uint8Array[] = [];

/** Joins small chunks: each costs a round through all that reads them. */
class ChunkJoiner {
  private room: Buffer | undefined;
  private length = 0;

  constructor(
    private readonly minBytes: number,
    private readonly onRead?: (bytes: number) => void,
  ) {}

  /** @returns the chunks that are ready. A stream that was given an encoding gives strings. */
  add(chunk: Uint8Array | string): readonly Uint8Array[] {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.onRead?.(bytes.length);
    if (bytes.length >= this.minBytes) return [...this.take(), bytes];
    const ready = this.length + bytes.length > this.minBytes ? this.take() : NOTHING;
    this.room ??= Buffer.allocUnsafeSlow(this.minBytes);
    this.room.set(bytes, this.length);
    this.length += bytes.length;
    return ready;
  }

  /** What is left. */
  take(): readonly Uint8Array[] {
    const { room, length } = this;
    if (!room || length === 0) return NOTHING;
    this.room = undefined;
    this.length = 0;
    return [room.subarray(0, length)];
  }
}

/** The chunks of a source, small ones joined. */
export async function* joinChunks(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  minBytes: number,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const joiner = new ChunkJoiner(minBytes, onRead);
  if (Symbol.asyncIterator in source) {
    for await (const chunk of source) for (const ready of joiner.add(chunk)) yield ready;
  } else {
    for (const chunk of source) for (const ready of joiner.add(chunk)) yield ready;
  }
  for (const rest of joiner.take()) yield rest;
}
