import { BulkFormatError } from '../bulk.errors.js';

/** How deep what is around the array may nest: the path to where the reader is, is kept. */
const MAX_DEPTH = 1000;
/** Of a key, which is held as a whole. */
const MAX_KEY_LENGTH = 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;

interface Token {
  readonly name: string;
  readonly value?: unknown;
}

/**
 * The text of the array at `path` (as in `data.items`; a number is a place in an array) inside any JSON. What is around
 * it is not held, and what follows it not read.
 * @throws BulkFormatError where there is none, or something else, or where the text until its end is no JSON
 */
export async function* pickedArray(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Buffer, void> {
  const { jsonParser, pick, stringer, gen, none } = await loadStreamJson();
  const picked = new PickedValue(path);
  const stages: unknown[] = [
    jsonParser({ packStrings: false, packNumbers: false }),
    bounded(),
    pick({ filter: path, maxDepth: MAX_DEPTH }),
    (token: Token) => (picked.accept(token) ? token : none),
    stringer(),
  ];
  const read = gen(...(stages as [])) as unknown as (text: unknown) => AsyncIterable<string>;
  try {
    for await (const text of textOf(chunks)) {
      let out = '';
      for await (const piece of read(text)) out += piece;
      if (out !== '') yield Buffer.from(out);
      if (picked.isComplete) return;
    }
    for await (const piece of read(none)) yield Buffer.from(piece);
  } catch (error) {
    throw error instanceof BulkFormatError ? error : new BulkFormatError(reasonOf(error), {}, error);
  }
  throw new BulkFormatError(`there is no ${JSON.stringify(path)} in it`, {});
}

const reasonOf = (error: unknown): string =>
  `what is until the end of the picked array is no JSON: ${(error as Error).message.replace(/^Parser /, 'it ').replace(/^it cannot parse input: /, '')}`;

/** The value at the path: all of it, if it is an array, and nothing after it. */
class PickedValue {
  isComplete = false;
  private depth = 0;

  constructor(private readonly path: string) {}

  /** Whether the token is of the first value at the path. @throws BulkFormatError where that is no array */
  accept({ name }: Token): boolean {
    if (this.isComplete) return false;
    if (this.depth === 0 && name !== 'startArray') {
      throw new BulkFormatError(`${JSON.stringify(this.path)} is no array`, {});
    }
    if (name === 'startArray' || name === 'startObject') this.depth++;
    if (name === 'endArray' || name === 'endObject') this.isComplete = --this.depth === 0;
    return true;
  }
}

/** Lets tokens through. @throws Error where they would have too much held */
function bounded(): (token: Token) => Token {
  let depth = 0;
  let keyLength = -1;
  return (token) => {
    const { name, value } = token;
    if (name === 'startArray' || name === 'startObject') {
      if (++depth > MAX_DEPTH) throw new Error(`it nests deeper than ${MAX_DEPTH} levels`);
    } else if (name === 'endArray' || name === 'endObject') depth--;
    else if (name === 'startKey') keyLength = 0;
    else if (name === 'endKey') keyLength = -1;
    else if (name === 'stringChunk' && keyLength >= 0) {
      keyLength += (value as string).length;
      if (keyLength > MAX_KEY_LENGTH) throw new Error(`a key has more than ${MAX_KEY_LENGTH} characters`);
    }
    return token;
  };
}

/** @throws BulkFormatError where the bytes are not UTF-8 */
async function* textOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      throw new BulkFormatError('text that is not UTF-8', {}, error);
    }
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) yield decode(chunk.subarray(at, at + BLOCK_BYTES));
  }
  yield decode();
}

/** Loaded only here: it is for nobody else, and for ESM only, which Jest in CommonJS cannot load. */
async function loadStreamJson() {
  const { jsonParser } = await import('stream-json/core/parser.js');
  const { pick } = await import('stream-json/core/filters/pick.js');
  const { stringer } = await import('stream-json/core/stringer.js');
  const { gen, none } = await import('stream-chain/core');
  return { jsonParser, pick, stringer, gen, none };
}
