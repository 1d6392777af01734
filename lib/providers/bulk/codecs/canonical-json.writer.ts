import { readInt32 } from './bson-types.js';
import { endOfDocument } from './bson-validation.js';
import { CanonicalValuesWriter, UNCARRIABLE } from './canonical-values.writer.js';
import { ESCAPE_KEY } from './extended-json.keys.js';
import { FieldNamesCheck, OpenDocument } from './field-names.check.js';

const [COMMA, COLON, ZERO, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [44, 58, 48, 123, 125, 91, 93] as const;

/**
 * Writes BSON documents as canonical Extended JSON v2 text (MongoDB manual, "MongoDB Extended JSON (v2)"), bytes to
 * bytes, without making JavaScript objects. Lossless for every BSON document: see `ESCAPE_KEY` for those that
 * canonical Extended JSON cannot carry.
 */
export class CanonicalJsonWriter extends CanonicalValuesWriter {
  private readonly names: FieldNamesCheck;

  /**
   * @param options.escapeReserved write documents with a key that Extended JSON reserves in escaped form (default);
   *   false writes them as they are, which is what mongodump does in collection metadata
   */
  constructor(options: { initialSize?: number; escapeReserved?: boolean } = {}) {
    super(options.initialSize);
    this.names = new FieldNamesCheck(options.escapeReserved ?? true);
  }

  /**
   * Appends the BSON document that begins at `start`.
   * @returns the position after it
   * @throws InvalidBsonError where the bytes are not BSON; nothing of the document is written then
   */
  writeDocument(source: Uint8Array, start = 0): number {
    this.source = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    endOfDocument(this.source, start, this.source.length); // what is below goes by its lengths
    this.names.depth = 0;
    this.reserve(0);
    return this.documentOrEscape(start);
  }

  protected documentOrEscape(start: number): number {
    const from = this.at;
    const end = this.document(start);
    if (end !== UNCARRIABLE) return end;
    this.at = from;
    const escapedEnd = start + readInt32(this.source, start);
    this.ascii(`{"${ESCAPE_KEY}":"`);
    this.base64(start, escapedEnd);
    this.ascii('"}');
    return escapedEnd;
  }

  private document(start: number): number {
    const source = this.source;
    const base = this.names.depth;
    const open = new OpenDocument(base);
    this.out[this.at++] = OPEN;
    let p = start + 4;
    for (let isFirst = true; ; isFirst = false) {
      const type = source[p++]!;
      if (type === 0) break;
      const nameStart = p;
      let hash = 0;
      for (let c = source[p]!; c !== 0; c = source[++p]!) hash = (Math.imul(hash, 31) + c) | 0;
      if (!this.names.accept(source, nameStart, p, hash, open)) return this.uncarriable(base);
      if (!isFirst) this.out[this.at++] = COMMA;
      if (!this.quoted(nameStart, p)) return this.uncarriable(base);
      this.out[this.at++] = COLON;
      p = this.value(type, p + 1);
      if (p === UNCARRIABLE) return this.uncarriable(base);
    }
    this.names.depth = base;
    this.out[this.at++] = CLOSE;
    return p;
  }

  private uncarriable(base: number): number {
    this.names.depth = base;
    return UNCARRIABLE;
  }

  protected array(start: number): number {
    const source = this.source;
    this.out[this.at++] = OPEN_ARRAY;
    let p = start + 4;
    for (let index = 0; ; index++) {
      const type = source[p++]!;
      if (type === 0) break;
      p = this.afterIndex(p, index);
      if (p === UNCARRIABLE) return UNCARRIABLE;
      this.reserve(0);
      if (index > 0) this.out[this.at++] = COMMA;
      p = this.value(type, p);
      if (p === UNCARRIABLE) return UNCARRIABLE;
    }
    this.out[this.at++] = CLOSE_ARRAY;
    return p;
  }

  /** The position after the key of array element `index`, which has to be just that number. */
  private afterIndex(p: number, index: number): number {
    const source = this.source;
    if (index < 10) return source[p] === ZERO + index && source[p + 1] === 0 ? p + 2 : UNCARRIABLE;
    let value = 0;
    const first = source[p]!;
    for (let c = source[p]!; c !== 0; c = source[++p]!) {
      if (c < ZERO || c > ZERO + 9) return UNCARRIABLE;
      value = value * 10 + (c - ZERO);
    }
    return value === index && first !== ZERO ? p + 1 : UNCARRIABLE;
  }
}

/** One document as canonical Extended JSON. @throws InvalidBsonError */
export function canonicalJsonOf(
  document: Uint8Array,
  options: ConstructorParameters<typeof CanonicalJsonWriter>[0] = {},
): string {
  const writer = new CanonicalJsonWriter({ initialSize: 4096, ...options });
  writer.writeDocument(document);
  return writer.take().toString();
}
