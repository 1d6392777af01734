import { BsonType, readInt32 } from './bson-types.js';
import { ESCAPE_KEY } from './extended-json.keys.js';
import { ExtendedJsonScalars } from './extended-json.scalars.js';

const [QUOTE, COMMA, OPEN, CLOSE] = [34, 44, 123, 125] as const;
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
const SCOPE = key('$scope');
const RARE = ['$uuid', '$symbol', '$minKey', '$maxKey', '$regularExpression', '$regex', '$options', '$code']
  .concat('$undefined', '$dbPointer')
  .map((name) => ({ name, bytes: key(name) }));

/** Not one of Extended JSON's type wrappers: an ordinary document. */
export const NOT_A_WRAPPER = 0;

/** Reads Extended JSON's type wrappers, v2 (canonical and relaxed) and the legacy forms that are still about. */
export abstract class ExtendedJsonValues extends ExtendedJsonScalars {
  /** Reads the document that comes next, opening brace included; no type wrapper can stand for it, but its escape. */
  protected abstract scopeDocument(): void;

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
    else this.closeWrapper();
    return type;
  }

  /** As `wrapper`, where only the escape of a document is one. */
  protected escape(): number {
    if (!this.skip(ESCAPE)) return NOT_A_WRAPPER;
    const type = this.escapedDocument();
    this.closeWrapper();
    return type;
  }

  private closeWrapper(): void {
    if (this.text[this.pos] !== CLOSE && this.peek() !== CLOSE) {
      this.fail('a type wrapper of Extended JSON has no further keys');
    }
    this.pos++;
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
        return this.code(start);
      case '$regularExpression':
        return this.regularExpression(start);
      default: // legacy $regex with $options, unless it is an operator of a stored query
        return c === QUOTE ? this.legacyRegex(name, start) : NOT_A_WRAPPER;
    }
  }

  private dbPointer(start: number): number {
    let ref: string | undefined;
    let id: Buffer | undefined;
    this.expect(OPEN);
    do {
      const name = this.readString();
      this.colon();
      if (name === '$ref') ref = this.readString();
      else if (name === '$id') id = this.wrappedObjectId(start);
      else this.fail(`$dbPointer has no ${name}`, start);
    } while (this.hasMore());
    if (ref === undefined || id === undefined) return this.fail('$dbPointer wants $ref and $id', start);
    this.writeString(ref);
    this.append(id);
    return BsonType.DBPointer;
  }

  private wrappedObjectId(start: number): Buffer {
    this.expect(OPEN);
    this.peek();
    if (!this.skip(OID)) this.fail('the $id of a $dbPointer is an $oid', start);
    this.colon();
    const from = this.at;
    this.objectId();
    this.expect(CLOSE);
    this.at = from;
    return Buffer.from(this.out.subarray(from, from + 12));
  }

  private code(start: number): number {
    const header = this.at;
    this.at += 4;
    this.string();
    if (this.peek() !== COMMA) {
      this.out.copyWithin(header, header + 4, this.at);
      this.at -= 4;
      return BsonType.Code;
    }
    this.pos++;
    const name = this.readString();
    if (name !== '$scope') this.fail(`$code has no ${name}`, start);
    this.colon();
    this.scopeDocument();
    this.out.writeInt32LE(this.at - header, header);
    return BsonType.CodeWithScope;
  }

  /** Whether the object's first key, at whose quote the cursor is, is `$scope`: then `$code` may follow. */
  protected hasScopeFirst(): boolean {
    const start = this.pos;
    const isScope = this.skip(SCOPE);
    this.pos = start;
    return isScope;
  }

  /** Makes code with a scope of the document written from `from` on, where it is one of `$scope` and `$code`. */
  protected scopeThenCode(from: number): number {
    const { out } = this;
    const scope = from + 4 + SCOPE.length;
    const code = scope + readInt32(out, scope);
    const text = code + 1 + '$code\0'.length;
    const isCode =
      out[from + 4] === BsonType.Document &&
      out[code] === BsonType.String &&
      out.toString('latin1', code + 1, text) === '$code\0' &&
      text + 4 + readInt32(out, text) + 1 === this.at;
    if (!isCode) return BsonType.Document;
    const parts = [out.subarray(text, this.at - 1), out.subarray(scope, code)];
    this.at = from + 4;
    this.append(Buffer.concat(parts));
    this.out.writeInt32LE(this.at - from, from);
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
}
