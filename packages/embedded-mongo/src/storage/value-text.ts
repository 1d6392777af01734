import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { DBPointer, msOf, type Value } from '../bson/value.js';

const LONGEST_TEXT = 160;
const SHORTENED_TEXT = 70;

/** Long strings are cut, as mongod does to keep its messages short. */
function quoted(text: string): string {
  const isLong = Buffer.byteLength(text) > LONGEST_TEXT;
  const shown = isLong ? `${Buffer.from(text).toString('utf8', 0, SHORTENED_TEXT)}...` : text;
  return `"${shown.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan.0';
  if (!Number.isFinite(value)) return value < 0 ? '-inf.0' : 'inf.0';
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
}

/** A value as mongod prints it in error messages and index bounds: `{ a: 1.0, b: "x" }`. */
export function valueText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return doubleText(value);
    case 'bigint':
    case 'boolean':
      return String(value);
  }
  if (value === null) return 'null';
  if (value instanceof Map) {
    const fields = [...value].map(([name, field]) => `${name}: ${valueText(field)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(valueText).join(', ')} ]`;
  if (value instanceof Int32) return String(value.value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Date) return `new Date(${msOf(value)})`;
  if (value instanceof Decimal128) return `NumberDecimal("${value.toString()}")`;
  if (value instanceof Timestamp) return `Timestamp(${value.getHighBitsUnsigned()}, ${value.getLowBitsUnsigned()})`;
  if (value instanceof Binary) return binaryText(value);
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BSONSymbol) return quoted(value.value);
  if (value instanceof Code) return value.code;
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  if (value instanceof DBPointer) return `DBRef('${value.namespace}', ${value.id.toHexString()})`;
  return 'undefined';
}

function binaryText(value: Binary): string {
  const bytes = Buffer.from(value.buffer.subarray(0, value.position));
  const hex = bytes.toString('hex');
  if (value.sub_type === 4 && bytes.length === 16) {
    return `UUID("${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}")`;
  }
  return `BinData(${value.sub_type}, ${hex.toUpperCase()})`;
}
