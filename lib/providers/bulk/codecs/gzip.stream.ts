import { createGunzip, createGzip } from 'node:zlib';
import { PassThrough, type Readable, pipeline } from 'node:stream';

/** The first two bytes of gzipped data (RFC 1952). */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** Level 1 gives up a tenth of the ratio for three times the speed. */
const FAST = 1;
const UNPACKED_CHUNK = 64 * 1024;

/** The bytes of a source, unpacked if they are gzipped, which their first two bytes tell. */
export async function* unpack(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, rest } = await peek(source, GZIP_MAGIC.length);
  const whole = concat(head, rest);
  if (head.length < 2 || !head.subarray(0, 2).equals(GZIP_MAGIC)) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip({ chunkSize: UNPACKED_CHUNK });
  pipeline(whole, gunzip, () => undefined); // an error destroys gunzip, and the iteration below throws it
  yield* gunzip as AsyncIterable<Uint8Array>;
}

/** A readable stream of the chunks, gzipped if asked for. An error of theirs is the stream's. */
export function pack(chunks: AsyncIterable<Uint8Array>, gzip: boolean): Readable {
  const out = gzip ? createGzip({ level: FAST }) : new PassThrough();
  pipeline(chunks, out, () => undefined);
  return out;
}

/** The first `bytes` bytes of a source (fewer if it is shorter), and what follows the chunks they came in. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<{ head: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head, rest: { [Symbol.asyncIterator]: () => iterator } };
}

export async function* concat(head: Buffer, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}
