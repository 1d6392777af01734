import { CanonicalJsonReader } from './canonical-json.reader.js';
import { InvalidJsonError } from './codec.errors.js';
import { INCOMPLETE } from './json-cursor.js';

const [QUOTE, BACKSLASH, COMMA, NEWLINE, SPACE] = [34, 92, 44, 10, 32] as const;
const [OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [123, 125, 91, 93] as const;

/** Reads the objects and arrays around documents step by step. Every read may throw INCOMPLETE and can be repeated. */
export class JsonStructureReader extends CanonicalJsonReader {
  /** Goes to `position` of `text`; `text[end]` has to be 0. */
  moveTo(text: Buffer, position: number, end: number): void {
    this.text = text;
    this.pos = position;
    this.end = end;
  }

  get position(): number {
    return this.pos;
  }

  /** The byte that comes next after white space. It stays unread. */
  next(): number {
    return this.peek();
  }

  /** Reads `byte` if it comes next. */
  accept(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.pos++;
    return true;
  }

  require(byte: number, reason: string): void {
    if (!this.accept(byte)) this.fail(reason);
  }

  /** A key and its colon. */
  key(): string {
    const from = this.at;
    this.documentStart = from;
    try {
      const name = this.readString();
      this.colon();
      return name;
    } finally {
      this.at = from;
    }
  }

  /** The document that comes next; its BSON is appended. */
  document(): void {
    this.readDocument(this.text, this.pos, this.end);
  }

  /** Any value that comes next, as the BSON document `{ "": value }`. */
  anyValue(): Buffer {
    const from = this.at;
    this.readValue(this.text, this.pos, this.end);
    const value = Buffer.from(this.out.subarray(from, this.at));
    this.at = from;
    return value;
  }

  refuse(reason: string): never {
    throw new InvalidJsonError(reason, this.pos);
  }

  /** Skips the value that comes next by its brackets and quotes alone, whatever is wrong inside. */
  skipValue(): void {
    const { text, end } = this;
    let depth = 0;
    let isInString = false;
    for (let p = this.pos; p < end; p++) {
      const c = text[p]!;
      if (isInString) {
        if (c === BACKSLASH) p++;
        else if (c === QUOTE) isInString = false;
      } else if (c === QUOTE) isInString = true;
      else if (c === OPEN || c === OPEN_ARRAY) depth++;
      else if (c === CLOSE || c === CLOSE_ARRAY || (c === COMMA && depth === 0)) {
        if (--depth > 0) continue;
        this.pos = depth < 0 ? p : p + 1;
        return;
      }
    }
    throw INCOMPLETE;
  }

  /** Skips to the end of the line, before the comma it may end with. */
  skipLine(): void {
    const newline = this.text.indexOf(NEWLINE, this.pos);
    if (newline < 0 || newline >= this.end) throw INCOMPLETE;
    let last = newline;
    while (last > this.pos && this.text[last - 1]! <= SPACE) last--;
    this.pos = this.text[last - 1] === COMMA ? last - 1 : newline;
  }
}
