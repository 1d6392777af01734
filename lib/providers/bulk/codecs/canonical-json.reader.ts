import { isUtf8 } from 'node:buffer';
import { BsonType, MAX_DOCUMENT_BYTES, MAX_NESTING } from './bson-types.js';
import { DocumentTooLargeError, InvalidJsonError } from './codec.errors.js';
import { ExtendedJsonValues, NOT_A_WRAPPER } from './extended-json.values.js';
import { INCOMPLETE } from './json-cursor.js';

const [QUOTE, COMMA, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY, DOLLAR] = [34, 44, 123, 125, 91, 93, 36] as const;
const [TRUE, FALSE, NULL, ZERO] = [116, 102, 110, 48] as const;

export interface CanonicalJsonReaderOptions {
  /** Bytes of the first output buffer; it grows. Default 64 KiB. */
  initialSize?: number;
  /** Bytes of BSON a document may have. Default 16 MiB, the server's own limit. */
  maxDocumentBytes?: number;
}

/**
 * Reads Extended JSON text, canonical or relaxed, in any layout, into BSON bytes, without making JavaScript objects.
 * Field order, duplicate names and integer-like names stay as the text has them.
 */
export class CanonicalJsonReader extends ExtendedJsonValues {
  private readonly maxDocumentBytes: number;

  constructor(options: CanonicalJsonReaderOptions = {}) {
    super(options.initialSize ?? 64 * 1024);
    this.maxDocumentBytes = options.maxDocumentBytes ?? MAX_DOCUMENT_BYTES;
  }

  /** Bytes of BSON read since the last `take()`. */
  get length(): number {
    return this.at;
  }

  /** The BSON read so far, document after document; begins anew. The next read writes over it. */
  take(): Buffer {
    const read = this.out.subarray(0, this.at);
    this.at = 0;
    return read;
  }

  /**
   * Reads the document that begins at `start` (white space before it is skipped) and appends its BSON.
   * @param text `text[end]` has to be there and to be 0
   * @returns the position after the document
   * @throws INCOMPLETE where the text ends first; InvalidJsonError; DocumentTooLargeError. Nothing is appended then.
   */
  readDocument(text: Buffer, start: number, end: number): number {
    return this.read(text, start, end, () => {
      if (this.peek() !== OPEN) this.fail('a document begins with {');
      this.pos++;
      this.reserve();
      const type = this.object();
      if (type !== BsonType.Document) this.fail('a document, not a single value, is wanted here', start);
    });
  }

  /** As `readDocument`, for any value: its BSON is appended as the document `{ "": value }`. */
  readValue(text: Buffer, start: number, end: number): number {
    return this.read(text, start, end, () => {
      const from = this.at;
      this.reserve();
      this.at += 6;
      const type = this.value();
      this.out[from + 4] = type;
      this.out[from + 5] = 0;
      this.out[this.at++] = 0;
      this.out.writeInt32LE(this.at - from, from);
    });
  }

  private read(text: Buffer, start: number, end: number, readIt: () => void): number {
    const from = this.at;
    this.text = text;
    this.pos = start;
    this.end = end;
    this.seen = 0;
    this.nesting = 0;
    this.documentStart = from;
    this.documentLimit = this.maxDocumentBytes;
    try {
      readIt();
      if (this.seen > 127 && !isUtf8(text.subarray(start, this.pos))) {
        throw new InvalidJsonError('text that is not UTF-8', start);
      }
      if (this.at - from > this.maxDocumentBytes) throw new DocumentTooLargeError(this.maxDocumentBytes, start);
      return this.pos;
    } catch (error) {
      this.at = from;
      throw error instanceof DocumentTooLargeError ? new DocumentTooLargeError(this.maxDocumentBytes, start) : error;
    }
  }

  protected scopeDocument(): void {
    this.expect(OPEN);
    this.reserve();
    this.object(false);
  }

  /** The value that comes next, written without its type, which is returned. */
  private value(): number {
    let c = this.text[this.pos]!;
    if (c <= 32) c = this.peek();
    switch (c) {
      case QUOTE:
        this.string();
        return BsonType.String;
      case OPEN:
        this.pos++;
        return this.object();
      case OPEN_ARRAY:
        this.pos++;
        return this.array();
      case TRUE:
      case FALSE:
        this.literal(c === TRUE ? 'true' : 'false', 'expected a value');
        this.out[this.at++] = c === TRUE ? 1 : 0;
        return BsonType.Boolean;
      case NULL:
        this.literal('null', 'expected a value');
        return BsonType.Null;
      default:
        if ((c < ZERO || c > ZERO + 9) && c !== 45) this.fail('expected a value');
        return this.bareNumber();
    }
  }

  /** The object whose opening brace has been read: a document or, where one may stand, a wrapper. */
  private object(isAnyValue = true): number {
    let c = this.text[this.pos]!;
    if (c <= 32) c = this.peek();
    let hasScopeFirst = false;
    if (c === QUOTE && (this.text[this.pos + 1] === DOLLAR || this.pos + 1 >= this.end)) {
      if (this.pos + 1 >= this.end) this.incomplete();
      const type = isAnyValue ? this.wrapper() : this.escape();
      if (type !== NOT_A_WRAPPER) return type;
      hasScopeFirst = isAnyValue && this.hasScopeFirst();
    }
    this.enter();
    const from = this.at;
    this.at += 4;
    if (c !== CLOSE) {
      do {
        this.reserve();
        if (this.text[this.pos] === QUOTE) this.pos++;
        else this.expect(QUOTE);
        const typeAt = this.at++;
        this.copyCString('a field name');
        this.colon();
        const type = this.value();
        this.out[typeAt] = type;
      } while (this.hasNext(CLOSE));
    } else this.pos++;
    this.leave(from);
    return hasScopeFirst ? this.scopeThenCode(from) : BsonType.Document;
  }

  private array(): number {
    this.enter();
    const from = this.at;
    this.at += 4;
    let c = this.text[this.pos]!;
    if (c <= 32) c = this.peek();
    if (c !== CLOSE_ARRAY) {
      let index = 0;
      do {
        this.reserve();
        const typeAt = this.at++;
        this.writeIndex(index++);
        const type = this.value();
        this.out[typeAt] = type;
      } while (this.hasNext(CLOSE_ARRAY));
    } else this.pos++;
    this.leave(from);
    return BsonType.Array;
  }

  private enter(): void {
    if (++this.nesting > MAX_NESTING) {
      throw new InvalidJsonError(`documents nest deeper than ${MAX_NESTING} levels`, this.pos);
    }
  }

  private leave(from: number): void {
    this.nesting--;
    this.out[this.at++] = 0;
    const end = this.at;
    this.at = from;
    this.writeInt32(end - from);
    this.at = end;
  }

  private hasNext(close: number): boolean {
    let c = this.text[this.pos]!;
    if (c <= 32) c = this.peek();
    if (c !== COMMA && c !== close) this.fail(`expected , or ${String.fromCharCode(close)}`);
    this.pos++;
    return c === COMMA;
  }

  private writeIndex(index: number): void {
    if (index < 10) this.out[this.at++] = ZERO + index;
    else this.at += this.out.write(String(index), this.at, 'latin1');
    this.out[this.at++] = 0;
  }
}

/** The BSON of one Extended JSON document, in a buffer of its own. @throws InvalidJsonError, DocumentTooLargeError */
export function parseCanonicalJson(text: string | Uint8Array): Buffer {
  const bytes = Buffer.concat([typeof text === 'string' ? Buffer.from(text) : text, Buffer.alloc(1)]);
  const end = bytes.length - 1;
  const reader = new CanonicalJsonReader({ initialSize: 1024 });
  try {
    const position = reader.readDocument(bytes, 0, end);
    if (bytes.toString('latin1', position, end).trim() !== '') throw new InvalidJsonError('text follows', position);
  } catch (error) {
    throw error === INCOMPLETE ? new InvalidJsonError('the text ends inside the document', end) : error;
  }
  return reader.take();
}
