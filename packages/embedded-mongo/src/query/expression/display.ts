import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { toNumber, type Numeric } from '../../bson/number.js';
import { isDoc, WideDate } from '../../bson/value.js';
import type { Operand } from './operator.js';

/** A double with so many significant digits, as C's `%g` prints it. */
function general(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string];
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
  return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/** A number as MongoDB turns it into text: a double has sixteen digits. */
export const displayNumber = (value: Numeric): string => displayDouble(toNumber(value));
export const displayDouble = (value: number): string => general(value, 16);

/** From so many characters on a message leaves out the rest: it could not be sent. */
const MOST_SHOWN = 16 * 1024 * 1024;

function list<T>(items: Iterable<T>, show: (item: T) => string): string {
  let text = '';
  for (const item of items) {
    if (text !== '') text += ', ';
    text += show(item);
    if (text.length > MOST_SHOWN) break;
  }
  return text;
}

/** A value as MongoDB's error messages of the aggregation language show it. */
export function display(value: Operand): string {
  if (value === undefined) return 'MISSING';
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'number') return general(value, 6);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${list(value, display)}]`;
  if (isDoc(value)) return `{${list(value, ([key, item]) => `${key}: ${display(item)}`)}}`;
  if (value instanceof WideDate) return `Date(${value.ms})`;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Int32 || value instanceof Decimal128 || value instanceof ObjectId) return value.toString();
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BSONSymbol) return `Symbol("${value.value}")`;
  if (value instanceof Code) return `Code("${value.code}")`;
  if (value instanceof Binary) {
    return `BinData(${value.sub_type}, "${Buffer.from(value.value()).toString('hex').toUpperCase()}")`;
  }
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  return 'undefined';
}
