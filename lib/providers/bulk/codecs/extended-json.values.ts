import { BsonType, MIN_DOCUMENT_BYTES, readInt32 } from './bson-types.js';
import { parseDecimal128 } from './decimal128.text.js';
import { ESCAPE_KEY } from './extended-json.keys.js';
import { hexDigit } from './json-cursor.js';
import { JsonNumberReader } from './json-number.reader.js';

const [QUOTE, COLON, COMMA, OPEN, CLOSE, ZERO, NINE] = [34, 58, 44, 123, 125, 48, 57] as const;
const key = (name: string) => new Uint8Array(Buffer.from(`"${name}"`));
const OID = key('$oid');
const INT = key('$numberInt');
const LONG = key('$numberLong');
const DOUBLE = key('$numberDouble');
const DECIMAL = key('$numberDecimal');
const DATE = key('$date');
const BINARY = key('$binary');
const TIMESTAMP = key('$timestamp');
const ESCAPE = key(ESCAPE_KEY);
const RARE = ['$uuid', '$symbol', '$minKey', '$maxKey', '$regularExpression', '$regex', '$options', '$code', '$scope']
  .concat('$undefined', '$dbPointer')
  .map((name) => ({ name, bytes: key(name) }));

/** Not one of Extended JSON's type wrappers: an ordinary document. */
export const NOT_A_WRAPPER = 0;

/** Reads Extended JSON's type wrappers, v2 (canonical and relaxed) and the legacy forms that are still about. */
export abstract class ExtendedJsonValues extends JsonNumberReader {
  /** Reads the document that comes next, opening brace included, as an embedded document. */
  protected abstract embeddedDocument(): void;

  /**
   * The cursor is at the quote of an object's first key, which begins with `$`.
   * @returns the BSON type written, the object read to its end; or NOT_A_WRAPPER and nothing read
   */
  protected wrapper(): number {
    const start = this.pos;
    let type: number = NOT_A_WRAPPER;
    switch (this.text[start + 2]) {
      case 110: // n
        if (this.skip(INT)) {
          this.colon();
          this.quotedInt32();
          type = BsonType.Int32;
        } else if (this.skip(DOUBLE)) {
          this.colon();
          this.quotedDouble();
          type = BsonType.Double;
        } else if (this.skip(LONG)) {
          this.colon();
          this.quotedInt64();
          type = BsonType.Int64;
        } else if (this.skip(DECIMAL)) {
          this.colon();
          this.decimal();
          type = BsonType.Decimal128;
        }
        break;
      case 111: // o
        if (this.skip(OID)) {
          this.colon();
          this.objectId();
          type = BsonType.ObjectId;
        } else type = this.rare();
        break;
      case 100: // d
        if (this.skip(DATE)) {
          this.colon();
          this.date();
          type = BsonType.Date;
        } else type = this.rare();
        break;
      default:
        if (this.skip(BINARY)) type = this.binary();
        else if (this.skip(ESCAPE)) type = this.escapedDocument();
        else if (this.skip(TIMESTAMP)) type = this.timestamp();
        else type = this.rare();
    }
    if (type === NOT_A_WRAPPER) this.pos = start;
    else if (this.text[this.pos] === CLOSE) this.pos++;
    else {
      if (this.peek() !== CLOSE) this.fail('a type wrapper of Extended JSON has no further keys');
      this.pos++;
    }
    return type;
  }

  protected colon(): void {
    if (this.text[this.pos] === COLON) this.pos++;
    else this.expect(COLON);
  }

  private objectId(): void {
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

  private decimal(): void {
    const start = this.openQuotes();
    const { text } = this;
    let pos = start;
    while (text[pos] !== QUOTE && text[pos] !== 0) pos++;
    this.pos = pos;
    if (text[pos] === 0) this.fail('a NUL byte');
    if (!parseDecimal128(text, start, pos, this.out, this.at)) {
      this.fail('$numberDecimal wants a decimal that 34 digits hold exactly', start);
    }
    this.at += 16;
    this.pos = pos + 1;
  }

  private date(): void {
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

  private binary(): number {
    this.colon();
    let base64: string | undefined;
    let subtype: string | undefined;
    const start = this.pos;
    if (this.peek() === QUOTE) {
      base64 = this.restOfString(this.openQuotes()); // legacy: { $binary: base64, $type: hex }
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
        if (name === 'base64') base64 = this.restOfString(this.openQuotes());
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

  private writeBinary(base64: string, subtype: number, start: number): void {
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

  private writeBase64(base64: string, start: number): number {
    const digits = base64.length - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);
    const written = this.out.write(base64, this.at, 'base64');
    if (digits % 4 === 1 || written !== Math.floor((digits * 3) / 4)) this.fail('not base64', start);
    this.at += written;
    return written;
  }

  private escapedDocument(): number {
    this.colon();
    const start = this.pos;
    const base64 = this.restOfString(this.openQuotes());
    const from = this.at;
    const length = this.writeBase64(base64, start);
    const isDocument =
      length >= MIN_DOCUMENT_BYTES && readInt32(this.out, from) === length && this.out[this.at - 1] === 0;
    if (!isDocument) this.fail(`${ESCAPE_KEY} wants a BSON document in base64`, start);
    return BsonType.Document;
  }

  private timestamp(): number {
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

  private rare(): number {
    const start = this.pos;
    const name = RARE.find(({ bytes }) => this.skip(bytes))?.name;
    if (name === undefined) return NOT_A_WRAPPER;
    this.colon();
    const c = this.peek();
    switch (name) {
      case '$symbol':
        this.string();
        return BsonType.Symbol;
      case '$minKey':
      case '$maxKey':
        this.literal('1', `${name} wants 1`);
        return name === '$minKey' ? BsonType.MinKey : BsonType.MaxKey;
      case '$undefined':
        this.literal('true', '$undefined wants true');
        return BsonType.Undefined;
      case '$uuid': {
        const hex = this.readString();
        if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(hex)) this.fail('$uuid wants a UUID', start);
        this.writeBinary(Buffer.from(hex.replaceAll('-', ''), 'hex').toString('base64'), 4, start);
        return BsonType.Binary;
      }
      case '$dbPointer':
        return this.dbPointer(start);
      case '$code':
      case '$scope':
        return this.code(name, start);
      case '$regularExpression':
        return this.regularExpression(start);
      default: // legacy $regex with $options, unless it is an operator of a stored query
        return c === QUOTE ? this.legacyRegex(name, start) : NOT_A_WRAPPER;
    }
  }

  private dbPointer(start: number): number {
    const object = this.embedded('$dbPointer');
    const from = this.at;
    // { $ref: string, $id: ObjectId } as BSON: length, 02 "$ref" string, 07 "$id" ObjectId, 0
    const [ref, id] = [object.indexOf('\x02$ref\0', 4, 'latin1'), object.length - 1 - 12 - 5];
    if (ref !== 4 || object.toString('latin1', id, id + 5) !== '\x07$id\0' || 14 + readInt32(object, 10) !== id) {
      this.fail('$dbPointer wants $ref and $id', start);
    }
    this.at += object.copy(this.out, from, 10, id) + object.copy(this.out, from + id - 10, id + 5, id + 17);
    return BsonType.DBPointer;
  }

  private embedded(name: string): Buffer {
    if (this.peek() !== OPEN) this.fail(`${name} wants an object`);
    const from = this.at;
    this.embeddedDocument();
    const bytes = Buffer.from(this.out.subarray(from, this.at));
    this.at = from;
    return bytes;
  }

  private code(first: string, start: number): number {
    let code: string | undefined;
    let scope: Buffer | undefined;
    for (let name = first; ;) {
      if (name === '$code') code = this.readString();
      else if (name === '$scope') scope = this.embedded('$scope');
      else if (code === undefined) return NOT_A_WRAPPER;
      else this.fail(`$code has no ${name}`, start);
      if (this.peek() !== COMMA) break;
      this.pos++;
      name = this.readString();
      this.colon();
    }
    if (code === undefined) return NOT_A_WRAPPER;
    const header = this.at;
    if (scope) this.at += 4;
    this.writeString(code);
    if (!scope) return BsonType.Code;
    this.append(scope);
    this.out.writeInt32LE(this.at - header, header);
    return BsonType.CodeWithScope;
  }

  private regularExpression(start: number): number {
    const parts: { pattern?: string; options?: string } = {};
    this.expect(OPEN);
    do {
      const name = this.readString();
      this.colon();
      if (name !== 'pattern' && name !== 'options') this.fail(`$regularExpression has no ${name}`, start);
      parts[name as 'pattern' | 'options'] = this.readString();
    } while (this.hasMore());
    return this.writeRegex(parts.pattern, parts.options, start);
  }

  private legacyRegex(first: string, start: number): number {
    const parts: Record<string, string> = { [first]: this.readString() };
    if (this.peek() === COMMA) {
      this.pos++;
      const name = this.readString();
      this.colon();
      if (this.peek() !== QUOTE) return NOT_A_WRAPPER;
      parts[name] = this.readString();
      if (this.peek() !== CLOSE || !('$regex' in parts && '$options' in parts)) return NOT_A_WRAPPER;
      return this.writeRegex(parts.$regex, parts.$options, start);
    }
    return NOT_A_WRAPPER;
  }

  private writeRegex(pattern: string | undefined, options: string | undefined, start: number): number {
    if (pattern === undefined || options === undefined) {
      return this.fail('a regular expression wants a pattern and options', start);
    }
    if (pattern.includes('\0') || options.includes('\0')) this.fail('a regular expression contains a NUL', start);
    this.append(Buffer.from(`${pattern}\0${options}\0`));
    return BsonType.Regex;
  }

  private append(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.at += bytes.copy(this.out, this.at);
  }

  private writeString(value: string): void {
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
  private hasMore(): boolean {
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
}
