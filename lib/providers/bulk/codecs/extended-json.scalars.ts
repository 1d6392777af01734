import { BsonType, MAX_DOCUMENT_BYTES, readInt32 } from './bson-types.js';
import { endOfDocument } from './bson-validation.js';
import { InvalidBsonError } from './codec.errors.js';
import { parseDecimal128 } from './decimal128.text.js';
import { ESCAPE_KEY } from './extended-json.keys.js';
import { hexDigit } from './json-cursor.js';
import { JsonNumberReader } from './json-number.reader.js';

const [QUOTE, COLON, COMMA, OPEN, CLOSE, ZERO, NINE] = [34, 58, 44, 123, 125, 48, 57] as const;
/** 34 digits, a sign, a point and an exponent, and room for zeros nobody needs. */
const MAX_DECIMAL_TEXT = 256;
const MAX_BASE64_TEXT = Math.ceil(MAX_DOCUMENT_BYTES / 3) * 4;
const LONG = new Uint8Array(Buffer.from('"$numberLong"'));

/** Reads what stands inside the type wrappers of Extended JSON that are met often. */
export class ExtendedJsonScalars extends JsonNumberReader {
  /** How many documents and arrays the place that is being read is inside of. */
  protected nesting = 0;

  protected objectId(): void {
    const start = this.openQuotes();
    const { text, out, at } = this;
    for (let i = 0; i < 12; i++) {
      const high = hexDigit(text[start + 2 * i]!);
      const low = hexDigit(text[start + 2 * i + 1]!);
      if (!(high >= 0 && low >= 0)) {
        this.pos = Math.min(start + 2 * i + (high >= 0 ? 1 : 0), this.end);
        this.fail('$oid wants 24 hexadecimal digits', start);
      }
      out[at + i] = (high << 4) | low;
    }
    this.at = at + 12;
    this.pos = start + 24;
    if (text[this.pos] !== QUOTE) this.fail('$oid wants 24 hexadecimal digits', start);
    this.pos++;
  }

  protected decimal(): void {
    const start = this.openQuotes();
    const end = this.closingQuote(start, MAX_DECIMAL_TEXT);
    if (!parseDecimal128(this.text, start, end, this.out, this.at)) {
      this.fail('$numberDecimal wants a decimal that 34 digits hold exactly', start);
    }
    this.at += 16;
    this.pos = end + 1;
  }

  protected date(): void {
    const c = this.peek();
    if (c === OPEN) {
      this.pos++;
      this.peek();
      if (!this.skip(LONG)) this.fail('$date wants an ISO 8601 string or a $numberLong');
      this.colon();
      this.quotedInt64();
      this.expect(CLOSE);
      return;
    }
    if (c === QUOTE) {
      const start = this.openQuotes();
      const time = Date.parse(this.restOfString(start));
      if (!Number.isFinite(time)) this.fail('$date wants an ISO 8601 string or a $numberLong', start);
      return this.writeInt64(time);
    }
    const start = this.pos;
    if ((c < ZERO || c > NINE) && c !== 45) this.fail('$date wants an ISO 8601 string or a $numberLong');
    const from = this.at;
    const type = this.bareNumber(); // legacy: milliseconds
    if (type === BsonType.Double) this.fail('$date wants a whole number of milliseconds', start);
    if (type === BsonType.Int32) {
      this.at = from;
      this.writeInt64(readInt32(this.out, from));
    }
  }

  protected binary(): number {
    this.colon();
    let base64: string | undefined;
    let subtype: string | undefined;
    const start = this.pos;
    if (this.peek() === QUOTE) {
      base64 = this.base64Text(); // legacy: { $binary: base64, $type: hex }
      this.expect(COMMA);
      if (this.readString() !== '$type') this.fail('$binary wants base64 and subType', start);
      this.colon();
      subtype = this.readString();
    } else {
      this.expect(OPEN);
      do {
        this.peek();
        const name = this.readString();
        this.colon();
        this.peek();
        if (name === 'base64') base64 = this.base64Text();
        else if (name === 'subType') subtype = this.restOfString(this.openQuotes());
        else this.fail(`$binary has no ${name}`, start);
      } while (this.hasMore());
    }
    if (base64 === undefined || subtype === undefined || !/^[0-9a-f]{1,2}$/i.test(subtype)) {
      return this.fail('$binary wants base64 and subType', start);
    }
    this.writeBinary(base64, parseInt(subtype, 16), start);
    return BsonType.Binary;
  }

  protected writeBinary(base64: string, subtype: number, start: number): void {
    const header = this.at;
    this.at += subtype === 2 ? 9 : 5;
    const length = this.writeBase64(base64, start);
    const end = this.at;
    this.at = header;
    this.writeInt32(end - header - 5);
    this.out[this.at++] = subtype;
    if (subtype === 2) this.writeInt32(length);
    this.at = end;
  }

  protected writeBase64(base64: string, start: number): number {
    const digits = base64.length - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);
    const length = Math.floor((digits * 3) / 4);
    this.requireRoom(length);
    const written = this.out.write(base64, this.at, 'base64');
    if (digits % 4 === 1 || written !== length) this.fail('not base64', start);
    this.at += written;
    return written;
  }

  protected escapedDocument(): number {
    this.colon();
    const start = this.pos;
    const from = this.at;
    this.writeBase64(this.base64Text(), start);
    this.checkDocument(from, start);
    return BsonType.Document;
  }

  private checkDocument(from: number, start: number): void {
    let reason = 'something follows the document';
    try {
      if (endOfDocument(this.out, from, this.at, this.nesting + 1) === this.at) return;
    } catch (error) {
      if (!(error instanceof InvalidBsonError)) throw error;
      reason = error.reason;
    }
    this.fail(`${ESCAPE_KEY} wants a BSON document in base64: ${reason}`, start);
  }

  private base64Text(): string {
    return this.restOfString(this.openQuotes(), MAX_BASE64_TEXT);
  }

  protected timestamp(): number {
    this.colon();
    const start = this.pos;
    const parts: { t?: number; i?: number } = {};
    this.expect(OPEN);
    do {
      const name = this.readString();
      this.colon();
      this.peek();
      const from = this.at;
      const type = this.bareNumber();
      this.at = from;
      const value = type === BsonType.Int32 ? readInt32(this.out, from) : Number(this.out.readBigInt64LE(from));
      const isUint32 = type !== BsonType.Double && value >= 0 && value <= 0xffffffff;
      if (!isUint32 || (name !== 't' && name !== 'i')) this.fail('$timestamp wants uint32 t and i', start);
      parts[name as 't' | 'i'] = value;
    } while (this.hasMore());
    if (parts.t === undefined || parts.i === undefined) return this.fail('$timestamp wants t and i', start);
    this.writeInt32(parts.i | 0);
    this.writeInt32(parts.t | 0);
    return BsonType.Timestamp;
  }

  protected append(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.at += bytes.copy(this.out, this.at);
  }

  protected writeString(value: string): void {
    const bytes = Buffer.from(`${value}\0`);
    this.writeInt32(bytes.length);
    this.append(bytes);
  }

  /** The string that comes next, as a BSON string. */
  protected string(): void {
    this.openQuotes();
    const header = this.at;
    this.at += 4;
    this.copyString();
    this.out[this.at++] = 0;
    const end = this.at;
    this.at = header;
    this.writeInt32(end - header - 4);
    this.at = end;
  }

  /** Whether a comma follows, inside an object of a wrapper; else its closing brace has been read. */
  protected hasMore(): boolean {
    if (this.peek() === COMMA) {
      this.pos++;
      return true;
    }
    this.expect(CLOSE);
    return false;
  }

  protected literal(word: string, reason: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.text[this.pos] !== word.charCodeAt(i)) this.fail(reason);
      this.pos++;
    }
  }

  protected colon(): void {
    if (this.text[this.pos] === COLON) this.pos++;
    else this.expect(COLON);
  }
}
