import { isUtf8 } from 'node:buffer';
import { type BsonElement, documentOf } from './bson-elements.js';
import { BsonType, MAX_NESTING } from './bson-types.js';

/** A whole number without a sign or zeros before it that would be lost. */
const INTEGER = /^(0|-?[1-9]\d{0,18})$/;
/** As a double gives it back, give or take an exponent. */
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$/;
const MAX_NUMBER_TEXT = 64;
const [INT32_MAX, INT64_MAX] = [0x7fffffffn, 2n ** 63n - 1n];

/** What a header names wrongly. */
export class InvalidColumnsError extends Error {}

/** A field: the value of a column, or a document of fields. */
interface Field {
  readonly name: string;
  column: number;
  readonly fields: Field[];
}

/** What the columns of a CSV file become: names with dots are documents in documents, as mongoimport has it. */
export class CsvColumns {
  private readonly root: Field = { name: '', column: -1, fields: [] };

  /** @throws InvalidColumnsError */
  constructor(readonly names: readonly string[]) {
    for (const [column, name] of names.entries()) this.add(name, column);
  }

  private add(name: string, column: number): void {
    const parts = name.split('.', MAX_NESTING + 1);
    if (parts.length > MAX_NESTING) throw new InvalidColumnsError(`a column's name has more than ${MAX_NESTING} parts`);
    if (parts.includes(''))
      throw new InvalidColumnsError(`a column is called ${JSON.stringify(name)}: no part of a name is empty`);
    if (name.startsWith('$') || name.includes('\0'))
      throw new InvalidColumnsError(
        `a column is called ${JSON.stringify(name)}: a name has no NUL and does not begin with $`,
      );
    let field = this.root;
    for (const part of parts) {
      if (field !== this.root && field.column >= 0) throw this.conflict(name);
      let next = field.fields.find((each) => each.name === part);
      if (!next) field.fields.push((next = { name: part, column: -1, fields: [] }));
      field = next;
    }
    if (field.column >= 0 || field.fields.length > 0) throw this.conflict(name);
    field.column = column;
  }

  private conflict(name: string): InvalidColumnsError {
    return new InvalidColumnsError(
      `the column ${JSON.stringify(name)} is there twice, or is a value and a document at once`,
    );
  }

  /** The document of a row. One that ends early has no such fields; an empty field is an empty text. */
  document(row: readonly Buffer[]): Buffer {
    return documentOf(elements(this.root, row));
  }
}

function* elements({ fields }: Field, row: readonly Buffer[]): Generator<BsonElement> {
  for (const field of fields) {
    if (field.column >= row.length) continue;
    if (field.column >= 0) yield valueOf(field.name, row[field.column]!);
    else {
      const inner = [...elements(field, row)];
      if (inner.length > 0) yield { name: field.name, type: BsonType.Document, value: documentOf(inner) };
    }
  }
}

/**
 * A number where the text is one that can be given back: the smallest of int32, int64 and double. Others (zeros or a plus
 * before it, more digits than an int64 has) stay text, since such are codes and not amounts.
 */
function valueOf(name: string, text: Buffer): BsonElement {
  const first = text[0];
  if (first !== undefined && (first === 45 || (first >= 48 && first <= 57)) && text.length <= MAX_NUMBER_TEXT) {
    const number = numberOf(text.toString('latin1'));
    if (number) return { name, ...number };
  }
  const value = Buffer.alloc(4 + text.length + 1);
  value.writeInt32LE(text.length + 1);
  text.copy(value, 4);
  return { name, type: BsonType.String, value };
}

function numberOf(text: string): { type: number; value: Buffer } | undefined {
  if (INTEGER.test(text)) {
    const integer = BigInt(text);
    const value = Buffer.alloc(8);
    if (integer > INT64_MAX || integer < -INT64_MAX - 1n) return undefined;
    value.writeBigInt64LE(integer);
    const isSmall = integer <= INT32_MAX && integer >= -INT32_MAX - 1n;
    return isSmall ? { type: BsonType.Int32, value: value.subarray(0, 4) } : { type: BsonType.Int64, value };
  }
  if (!DECIMAL.test(text) || !/[.eE]/.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  const value = Buffer.alloc(8);
  value.writeDoubleLE(number);
  return { type: BsonType.Double, value };
}

/** The names in a header. @throws InvalidColumnsError */
export function columnsOf(header: readonly Buffer[]): CsvColumns {
  if (!header.every(isUtf8)) throw new InvalidColumnsError('its header is not UTF-8');
  return new CsvColumns(header.map(String));
}
