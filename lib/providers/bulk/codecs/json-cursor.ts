import { DocumentTooLargeError, InvalidJsonError } from './codec.errors.js';

const [QUOTE, BACKSLASH, SPACE, U] = [34, 92, 32, 117] as const;
/** Room for what stands around texts, beyond the largest document: whoever writes into its second half is over the limit. */
const HEADROOM = 128;

/** Thrown where the text ends inside a value: with more text the same read may succeed. */
export const INCOMPLETE = Symbol('incomplete JSON text');

/** 1 for the bytes that stand for themselves inside a JSON string. */
const PLAIN = new Uint8Array(256).fill(1, 32);
PLAIN[QUOTE] = PLAIN[BACKSLASH] = 0;

const UNESCAPED = new Uint8Array(256);
for (const [letter, code] of Object.entries({ '"': 34, '\\': 92, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  UNESCAPED[letter.charCodeAt(0)] = code;
}

const HEX_DIGIT = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX_DIGIT[digit.toString(16).charCodeAt(0)] = digit;
  HEX_DIGIT[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

export const hexDigit = (byte: number): number => HEX_DIGIT[byte]!;

/** A place in JSON text, and a growing buffer of bytes made from it. Strings go from one to the other as bytes. */
export class JsonCursor {
  /** The text. The byte after its end has to be 0, which no JSON text contains. */
  protected text: Buffer = Buffer.alloc(1);
  protected pos = 0;
  protected end = 0;
  protected out: Buffer;
  protected at = 0;
  /** All bytes of strings read since it was set to 0, or-ed: above 127 means that not all is ASCII. */
  protected seen = 0;
  /** Where the document begins in `out`, and how large it may become. */
  protected documentStart = 0;
  protected documentLimit = Infinity;

  constructor(initialSize: number) {
    this.out = Buffer.allocUnsafeSlow(initialSize);
  }

  protected fail(reason: string, position = this.pos): never {
    if (this.text[this.pos] === 0 && this.pos >= this.end) this.incomplete();
    throw new InvalidJsonError(reason, position);
  }

  /**
   * Room for all that is left of the text, as far as a document may have it, for one value's fixed part, and for
   * `extra` bytes.
   */
  protected reserve(extra = 0): void {
    const allowed = this.documentStart + this.documentLimit - this.at;
    if (allowed < 0) this.tooLarge();
    const needed = this.at + Math.min(this.end - this.pos, allowed) + HEADROOM + extra;
    if (needed <= this.out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.out.length * 2));
    this.out.copy(grown, 0, 0, this.at);
    this.out = grown;
  }

  /** There was room for all of the text, or for the largest document: where it does not suffice, that is passed. */
  protected requireRoom(bytes: number): void {
    if (this.at + bytes > this.out.length - HEADROOM / 2) this.tooLarge();
  }

  /** The text ends inside a value. More of it does not help one that is too large already. */
  protected incomplete(): never {
    if (this.at - this.documentStart > this.documentLimit) this.tooLarge();
    throw INCOMPLETE;
  }

  protected tooLarge(): never {
    throw new DocumentTooLargeError(this.documentLimit, this.documentStart);
  }

  /** Skips white space; the byte after it, which stays unread. */
  protected peek(): number {
    let c = this.text[this.pos]!;
    while (c <= SPACE) {
      if (c !== SPACE && c !== 10 && c !== 13 && c !== 9) this.fail(c === 0 ? 'a NUL byte' : 'a control character');
      c = this.text[++this.pos]!;
    }
    return c;
  }

  protected expect(byte: number): void {
    if (this.peek() !== byte) this.fail(`expected ${String.fromCharCode(byte)}`);
    this.pos++;
  }

  /** Reads `bytes` if they come next, without white space between. */
  protected skip(bytes: Uint8Array): boolean {
    const { text, pos } = this;
    for (let i = 0; i < bytes.length; i++) {
      if (text[pos + i] === bytes[i]) continue;
      if (pos + i >= this.end) this.incomplete();
      return false;
    }
    this.pos = pos + bytes.length;
    return true;
  }

  /** Copies the string whose opening quote has been read, up to and with its closing quote. */
  protected copyString(): void {
    const text = this.text;
    const out = this.out;
    let pos = this.pos;
    let at = this.at;
    let seen = this.seen;
    for (;;) {
      const c = text[pos]!;
      if (PLAIN[c] === 1) {
        out[at++] = c;
        seen |= c;
        pos++;
      } else if (c === QUOTE) break;
      else {
        this.pos = pos;
        this.at = at;
        if (c !== BACKSLASH) this.fail('a control character in a string');
        this.copyEscape();
        pos = this.pos;
        at = this.at;
      }
    }
    this.pos = pos + 1;
    this.at = at;
    this.seen = seen;
    this.requireRoom(0);
  }

  private copyEscape(): void {
    const start = this.pos;
    const letter = this.text[++this.pos]!;
    const plain = UNESCAPED[letter]!;
    if (plain !== 0) {
      this.out[this.at++] = plain;
      this.pos++;
      return;
    }
    if (letter !== U) this.fail('an unknown escape in a string');
    let code = this.hex4();
    if (code >= 0xd800 && code <= 0xdfff) {
      if (code > 0xdbff) this.fail('half of a surrogate pair', start);
      for (const expected of [BACKSLASH, U]) {
        if (this.text[this.pos] !== expected) this.fail('half of a surrogate pair', start);
        if (expected === BACKSLASH) this.pos++;
      }
      const low = this.hex4();
      if (low < 0xdc00 || low > 0xdfff) this.fail('half of a surrogate pair', start);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    this.utf8(code);
  }

  /** The four hexadecimal digits after the `u` at which the cursor stands. */
  private hex4(): number {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const digit = HEX_DIGIT[this.text[++this.pos]!]!;
      if (digit < 0) this.fail('an escape without four hexadecimal digits');
      code = code * 16 + digit;
    }
    this.pos++;
    return code;
  }

  private utf8(code: number): void {
    if (code < 0x80) this.out[this.at++] = code;
    else if (code < 0x800) {
      this.out[this.at++] = 0xc0 | (code >> 6);
      this.out[this.at++] = 0x80 | (code & 63);
    } else {
      if (code < 0x10000) this.out[this.at++] = 0xe0 | (code >> 12);
      else {
        this.out[this.at++] = 0xf0 | (code >> 18);
        this.out[this.at++] = 0x80 | ((code >> 12) & 63);
      }
      this.out[this.at++] = 0x80 | ((code >> 6) & 63);
      this.out[this.at++] = 0x80 | (code & 63);
    }
  }

  /** Copies a string that must not contain NUL, and ends it with one: a field name or a part of a regular expression. */
  protected copyCString(what: string): void {
    const [from, start] = [this.at, this.pos];
    this.copyString();
    const out = this.out;
    // Only an escape can have brought a NUL in; then the text is longer than the bytes made of it.
    if (this.pos - start - 1 !== this.at - from && out.subarray(from, this.at).includes(0)) {
      this.fail(`${what} contains a NUL character`, start);
    }
    out[this.at++] = 0;
  }

  /** The string that comes next, as a JavaScript string. */
  protected readString(): string {
    this.expect(QUOTE);
    this.reserve();
    const from = this.at;
    this.copyString();
    const end = this.at;
    this.at = from;
    return this.out.toString('utf8', from, end);
  }
}
