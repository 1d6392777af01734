import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';

/** A decoded document: a Map, so that key order and keys such as `__proto__` and `"1"` are kept. */
export type Doc = Map<string, Value>;

/**
 * A decoded BSON value. A double is a `number`, an int64 a `bigint`; the other types have classes of their own,
 * so that no type is lost between decoding and encoding. JavaScript's `undefined` stands for a missing field.
 */
export type Value =
  | number
  | Int32
  | bigint
  | Decimal128
  | string
  | boolean
  | null
  | Date
  | ObjectId
  | Binary
  | Timestamp
  | BSONRegExp
  | Code
  | BSONSymbol
  | MinKey
  | MaxKey
  | DBPointer
  | BsonUndefined
  | Map<string, Value>
  | Value[];

/** A date outside JavaScript's range of ±8.64e15 ms: an invalid `Date` that carries its milliseconds. */
export class WideDate extends Date {
  constructor(readonly ms: bigint) {
    super(NaN);
  }
}

/** The deprecated BSON type 12. */
export class DBPointer {
  constructor(
    readonly namespace: string,
    readonly id: ObjectId,
  ) {}
}

/** The deprecated BSON type 6; not JavaScript's `undefined`, which means that a field is missing. */
export class BsonUndefined {
  static readonly value = new BsonUndefined();
}

const MAX_JS_DATE = 8_640_000_000_000_000n;

/** The Date of a number of milliseconds, a WideDate where JavaScript has none. */
export const dateOf = (ms: bigint): Date =>
  ms > MAX_JS_DATE || ms < -MAX_JS_DATE ? new WideDate(ms) : new Date(Number(ms));

/** Milliseconds since the epoch, whatever the date's range. */
export const msOf = (date: Date): bigint => (date instanceof WideDate ? date.ms : BigInt(date.getTime()));

const SMALL_INTS = Array.from({ length: 1152 }, (_, i) => new Int32(i - 128));

/** An Int32; small ones are shared, as they are never changed. */
export const int32 = (n: number): Int32 => SMALL_INTS[n + 128] ?? new Int32(n);

/** BSON's type numbers as in the specification; minKey and maxKey as `$type` numbers them. */
export const TypeCode = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const;

/** The names by which `$type`, `$convert` and error messages call the types. */
export type TypeName = keyof typeof TypeCode;

const NAME_OF = new Map<number, TypeName>(
  Object.entries(TypeCode).map(([name, code]) => [code, name as TypeName] as const),
);

/** The type's name for a type number, if there is one. */
export const typeNameOfCode = (code: number): TypeName | undefined => NAME_OF.get(code);

/** The BSON type number of a value. */
export function typeCode(value: Value): number {
  switch (typeof value) {
    case 'number':
      return TypeCode.double;
    case 'string':
      return TypeCode.string;
    case 'boolean':
      return TypeCode.bool;
    case 'bigint':
      return TypeCode.long;
  }
  if (value === null) return TypeCode.null;
  if (value instanceof Map) return TypeCode.object;
  if (Array.isArray(value)) return TypeCode.array;
  if (value instanceof Int32) return TypeCode.int;
  if (value instanceof ObjectId) return TypeCode.objectId;
  if (value instanceof Date) return TypeCode.date;
  if (value instanceof Decimal128) return TypeCode.decimal;
  if (value instanceof Binary) return TypeCode.binData;
  if (value instanceof Timestamp) return TypeCode.timestamp;
  if (value instanceof BSONRegExp) return TypeCode.regex;
  if (value instanceof Code) return value.scope ? TypeCode.javascriptWithScope : TypeCode.javascript;
  if (value instanceof BSONSymbol) return TypeCode.symbol;
  if (value instanceof MinKey) return TypeCode.minKey;
  if (value instanceof MaxKey) return TypeCode.maxKey;
  if (value instanceof DBPointer) return TypeCode.dbPointer;
  return TypeCode.undefined;
}

/** The type's name of a value; `missing` for `undefined`, as `$type` the expression says. */
export const typeName = (value: Value | undefined): TypeName | 'missing' =>
  value === undefined ? 'missing' : NAME_OF.get(typeCode(value))!;

export const isDoc = (value: unknown): value is Doc => value instanceof Map;

/** A Doc of entries; a short way to write documents in code. */
export const docOf = (...entries: [string, Value][]): Doc => new Map(entries);
