import type { Binary, BSONRegExp, Code, Timestamp } from 'bson';
import { BSONSymbol, Int32, ObjectId } from 'bson';
import { CommandError } from '../errors.js';
import type { Collation } from './collation.js';
import { compareNumbers, type Numeric } from './number.js';
import type { DBPointer } from './value.js';
import { type Doc, msOf, typeCode, type Value, WideDate } from './value.js';
import { spend } from './work.js';

/** The rank of each BSON type in MongoDB's comparison order, by type number. */
const RANK: Readonly<Record<number, number>> = {
  [-1]: -1,
  6: 0,
  10: 5,
  1: 10,
  16: 10,
  18: 10,
  19: 10,
  2: 15,
  14: 15,
  3: 20,
  4: 25,
  5: 30,
  7: 35,
  8: 40,
  9: 45,
  17: 47,
  11: 50,
  12: 55,
  13: 60,
  15: 65,
  127: 127,
};

/** The rank of a value's type in the comparison order; a missing value ranks with undefined, below null. */
export function typeRank(value: Value | undefined): number {
  if (typeof value === 'string') return 15;
  if (typeof value === 'number' || value instanceof Int32) return 10;
  return value === undefined ? 0 : RANK[typeCode(value)]!;
}

/** Compares strings by their UTF-8 bytes, that is by code point. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate is half of a code point above every other unit.
    const high = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
    return high(x) < high(y) ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

const order = <T extends number | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

function compareText(a: string, b: string, collation: Collation | undefined): number {
  return collation ? collation.compare(a, b) : compareStrings(a, b);
}

const textOf = (value: Value): string => (value instanceof BSONSymbol ? value.value : (value as string));

/** More than any document of 16 MB has; a value that an expression made may hold one thing many times. */
const MOST_CONTAINERS = 2_000_000;
let containersLeft = 0;

function enterContainer(): void {
  if (--containersLeft >= 0) return;
  throw new CommandError('ExceededMemoryLimit', 'a comparison went over more values than there is memory for');
}

/** Field by field: type, then name, then value; a document that is the other's beginning comes first. */
function compareDocs(a: Doc, b: Doc, collation?: Collation): number {
  const right = b.entries();
  for (const [key, x] of a) {
    const next = right.next();
    if (next.done) return 1;
    const [otherKey, y] = next.value;
    const byType = typeRank(x) - typeRank(y);
    if (byType !== 0) return Math.sign(byType);
    spend(1);
    const byName = compareStrings(key, otherKey);
    if (byName !== 0) return byName;
    const byValue = compareParts(x, y, collation);
    if (byValue !== 0) return byValue;
  }
  return right.next().done ? 0 : -1;
}

function compareArrays(a: Value[], b: Value[], collation: Collation | undefined): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    spend(1);
    const byValue = compareParts(a[i]!, b[i]!, collation);
    if (byValue !== 0) return byValue;
  }
  return order(a.length, b.length);
}

function compareBinaries(a: Binary, b: Binary): number {
  return (
    order(a.position, b.position) ||
    order(a.sub_type, b.sub_type) ||
    Math.sign(Buffer.compare(a.buffer.subarray(0, a.position), b.buffer.subarray(0, b.position)))
  );
}

function compareDates(a: Date, b: Date): number {
  if (a instanceof WideDate || b instanceof WideDate) return order(msOf(a), msOf(b));
  return order(a.getTime(), b.getTime());
}

function comparePointers(a: DBPointer, b: DBPointer): number {
  return (
    order(Buffer.byteLength(a.namespace), Buffer.byteLength(b.namespace)) ||
    compareStrings(a.namespace, b.namespace) ||
    Buffer.compare(a.id.id, b.id.id)
  );
}

/**
 * Compares any two values in MongoDB's order (manual: "Comparison/Sort Order"): MinKey, undefined, null, numbers,
 * strings and symbols, objects, arrays, binary data, ObjectId, boolean, date, timestamp, regex, DBPointer, code,
 * code with scope, MaxKey. Numbers of all four types are compared exactly.
 *
 * @returns -1, 0 or 1
 * @throws CommandError ExceededMemoryLimit (146) for what holds itself so many times that it would take for ever
 */
export function compareValues(a: Value, b: Value, collation?: Collation): number {
  spend(1);
  containersLeft = MOST_CONTAINERS;
  return compareParts(a, b, collation);
}

function compareParts(a: Value, b: Value, collation?: Collation): number {
  if (a === b && a === a) return 0;
  const rank = typeRank(a);
  const byType = rank - typeRank(b);
  if (byType !== 0) return byType < 0 ? -1 : 1;
  switch (rank) {
    case 10:
      return compareNumbers(a as Numeric, b as Numeric);
    case 15:
      return compareText(textOf(a), textOf(b), collation);
    case 20:
      enterContainer();
      return compareDocs(a as Doc, b as Doc, collation);
    case 25:
      enterContainer();
      return compareArrays(a as Value[], b as Value[], collation);
    case 30:
      return compareBinaries(a as Binary, b as Binary);
    case 35:
      return Math.sign(Buffer.compare((a as ObjectId).id, (b as ObjectId).id));
    case 40:
      return order(Number(a), Number(b));
    case 45:
      return compareDates(a as Date, b as Date);
    case 47:
      return order((a as Timestamp).t, (b as Timestamp).t) || order((a as Timestamp).i, (b as Timestamp).i);
    case 50: {
      const [x, y] = [a as BSONRegExp, b as BSONRegExp];
      return compareStrings(x.pattern, y.pattern) || compareStrings(x.options, y.options);
    }
    case 55:
      return comparePointers(a as DBPointer, b as DBPointer);
    case 60:
      return compareStrings(String((a as Code).code), String((b as Code).code));
    case 65: {
      const [x, y] = [a as Code, b as Code];
      return compareStrings(String(x.code), String(y.code)) || compareDocs(x.scope as Doc, y.scope as Doc);
    }
    default:
      return 0; // null, undefined, MinKey and MaxKey have one value each
  }
}

/** Whether two values are equal in MongoDB's order; `1` equals `1.0`, documents are equal field for field. */
export function equalValues(a: Value, b: Value, collation?: Collation): boolean {
  if (typeof a === 'string' && typeof b === 'string' && !collation) {
    spend(1);
    return a === b;
  }
  if (a instanceof ObjectId && b instanceof ObjectId) return a.equals(b);
  return compareValues(a, b, collation) === 0;
}
