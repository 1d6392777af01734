import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { type Doc, dateOf, int32, isDoc, typeName, type Value, WideDate } from '../../src/bson/value.js';

/** A decoded value of a JavaScript one: 32-bit integers are ints, other numbers doubles, `new Double(1)` and `1n` what they say. */
export function value(source: unknown): Value {
  if (typeof source === 'number') return Object.is(source | 0, source) ? int32(source) : source;
  if (source instanceof Double) return source.value;
  if (source instanceof Long && !(source instanceof Timestamp)) return source.toBigInt();
  if (Array.isArray(source)) return source.map(value);
  if (source instanceof RegExp) return new BSONRegExp(source.source, source.flags);
  const isPlain = source !== null && typeof source === 'object' && Object.getPrototypeOf(source) === Object.prototype;
  return isPlain ? doc(source) : (source as Value);
}

/** A decoded document of a JavaScript object. */
export const doc = (source: object): Doc => new Map(Object.entries(source).map(([key, item]) => [key, value(item)]));

export const decimal = (text: string): Decimal128 => Decimal128.fromString(text);
export const double = (n: number): Double => new Double(n);
export const date = (text: string): Date => dateOf(BigInt(Date.parse(text)));

/** A value as text that tells its types and the order of its fields: `{ a: int 1, b: [long 2, 2.5] }`. */
export function show(source: Value | undefined): string {
  if (source === undefined) return 'missing';
  if (source === null || typeof source === 'boolean') return String(source);
  if (typeof source === 'string') return JSON.stringify(source);
  if (Array.isArray(source)) return `[${source.map(show).join(', ')}]`;
  if (isDoc(source)) {
    return source.size === 0 ? '{}' : `{ ${[...source].map(([key, item]) => `${key}: ${show(item)}`).join(', ')} }`;
  }
  if (typeof source === 'number') return `double ${Object.is(source, -0) ? '-0' : source}`;
  if (source instanceof Int32) return `int ${source.value}`;
  if (source instanceof WideDate) return `date ${source.ms}`;
  if (source instanceof Date) return `date ${source.toISOString()}`;
  if (source instanceof ObjectId) return `oid ${source.toHexString()}`;
  if (source instanceof Binary) return `binary ${source.toString('hex')}`;
  if (source instanceof Timestamp) return `timestamp ${source.t},${source.i}`;
  const type = typeName(source);
  return `${type} ${String(source)}`;
}
