import { BSONSymbol, Decimal128, Int32 } from 'bson';
import type { Collation } from '../bson/collation.js';
import { compareDecimals, decimalParts, decimalToNumber, exactDecimal, pow10 } from '../bson/decimal.js';
import { encodeDoc } from '../bson/encode.js';
import { BsonUndefined, isDoc, type Value } from '../bson/value.js';
import { exceeded } from './memory.js';
import { spend, workOf } from '../bson/work.js';

/**
 * A string that is the same for two values exactly when they compare as equal: `1`, `1.0` and `NumberLong(1)` share
 * one. It is for finding equal values in a Map; it says nothing about their order.
 */
export function valueKey(value: Value | undefined, collation?: Collation): string {
  spend(2 + workOf(value));
  if (typeof value === 'string') return `s${collation ? collation.representative(value) : value}`;
  if (typeof value === 'number') return doubleKey(value);
  if (value instanceof Int32) return `n${value.value}`;
  if (typeof value === 'bigint') return `n${value}`;
  if (value === undefined || value instanceof BsonUndefined) return 'u';
  if (value === null) return '0';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (Array.isArray(value)) return `[${value.map((item) => sized(valueKey(item, collation))).join('')}]`;
  if (isDoc(value)) {
    return `{${[...value].map(([key, item]) => sized(key) + sized(valueKey(item, collation))).join('')}}`;
  }
  if (value instanceof BSONSymbol) return valueKey(value.value, collation);
  if (value instanceof Decimal128) return decimalKey(value);
  return `b${encodeDoc(new Map([['', value]])).toString('latin1')}`;
}

/** More than a document of 16 MB takes. */
const MOST_KEY = 32 * 1024 * 1024;

/** @throws CommandError ExceededMemoryLimit (146) for what holds itself so many times that it fills the memory */
function sized(key: string): string {
  if (key.length > MOST_KEY) throw exceeded('a set of values');
  return `${key.length}:${key}`;
}

function doubleKey(value: number): string {
  if (Number.isInteger(value)) return `n${Math.abs(value) < 2 ** 53 ? value + 0 : BigInt(value)}`;
  return `n${value}`;
}

function decimalKey(decimal: Decimal128): string {
  const parts = decimalParts(decimal);
  const double = decimalToNumber(parts);
  if (parts.kind !== 'finite' || compareDecimals(exactDecimal(double), parts) === 0) return doubleKey(double);
  let { coefficient, exponent } = parts;
  const sign = parts.negative ? '-' : '';
  if (exponent >= 0) return `n${sign}${coefficient * pow10(exponent)}`;
  while (exponent < 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return exponent === 0 ? `n${sign}${coefficient}` : `d${sign}${coefficient}e${exponent}`;
}
