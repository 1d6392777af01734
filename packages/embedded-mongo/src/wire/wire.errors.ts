/** A frame that breaks the wire protocol. Its connection is closed; no other is touched. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError';
}
