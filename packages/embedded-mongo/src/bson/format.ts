import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { DBPointer, type Doc, isDoc, type Value, WideDate } from './value.js';

/** A double as the server prints it: `1.0` for whole numbers. */
function formatDouble(n: number): string {
  if (Number.isNaN(n)) return 'nan';
  if (!Number.isFinite(n)) return n > 0 ? 'inf' : '-inf';
  if (Object.is(n, -0)) return '-0.0';
  return Number.isInteger(n) && Math.abs(n) < 1e15 ? `${n}.0` : String(n);
}

/** A value as MongoDB writes it in its error messages, for example `{ a: 1, b: "x" }`. */
export function formatValue(value: Value): string {
  if (typeof value === 'number') return formatDouble(value);
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value === null) return 'null';
  if (isDoc(value)) return formatDoc(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(formatValue).join(', ')} ]`;
  if (value instanceof Int32) return String(value.value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Date) return `new Date(${value instanceof WideDate ? value.ms : value.getTime()})`;
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof Binary) return formatBinary(value);
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BSONSymbol) return `"${value.value}"`;
  if (value instanceof Code) {
    return value.scope ? `CodeWScope( ${value.code}, ${formatDoc(value.scope as Doc)})` : String(value.code);
  }
  if (value instanceof DBPointer) return `DBRef('${value.namespace}', ${value.id.toHexString()})`;
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  return 'undefined';
}

function formatBinary(value: Binary): string {
  const hex = Buffer.from(value.buffer.subarray(0, value.position)).toString('hex');
  if (value.sub_type !== Binary.SUBTYPE_UUID || value.position !== 16) {
    return `BinData(${value.sub_type}, ${hex.toUpperCase()})`;
  }
  return `UUID("${hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}")`;
}

/** A document as in MongoDB's error messages. */
export const formatDoc = (doc: Doc): string =>
  doc.size === 0 ? '{}' : `{ ${[...doc].map(([key, value]) => formatField(key, value)).join(', ')} }`;

/** A field as in MongoDB's error messages, for example `a: 1`. */
export const formatField = (key: string, value: Value): string => `${key}: ${formatValue(value)}`;
