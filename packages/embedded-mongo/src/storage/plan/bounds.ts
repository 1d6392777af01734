import { Binary, BSONRegExp, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { type Collation, isSameCollation } from '../../bson/collation.js';
import { hashedIndexKey } from '../../bson/hash.js';
import { isNaNValue, isNumeric } from '../../bson/number.js';
import { BsonUndefined, dateOf, type Doc, isDoc, type Value } from '../../bson/value.js';
import { ALL, complement, type Interval, interval, MAX, MIN, point, union } from './interval.js';
import type { Predicate } from './predicate.js';

/** What the bounds of a predicate depend on in the index. */
export interface BoundsContext {
  readonly isHashed: boolean;
  readonly isMultikey: boolean;
  /** The index leaves out documents that lack the field. */
  readonly isSparse: boolean;
  readonly indexCollation: Collation | undefined;
  readonly queryCollation: Collation | undefined;
}

export interface Bounds {
  readonly intervals: readonly Interval[];
  /** Whether a key in the bounds means that the predicate holds, so that nothing is left to check. */
  readonly isExact: boolean;
}

/** The stretch of an index field that can hold what fulfils a predicate; undefined when the index does not help. */
export function boundsOf({ path, operator, operand, options }: Predicate, index: BoundsContext): Bounds | undefined {
  if (!collationAllows(operator, operand, index)) return undefined;
  if (index.isHashed && !['$eq', '$in'].includes(operator)) return undefined;
  const intervals = intervalsOf(operator, operand, options ?? '', index);
  if (!intervals) return undefined;
  const isExact =
    !(index.isMultikey && HAS_POSITION.test(path)) &&
    !index.isHashed &&
    EXACT.has(operator) &&
    operandsOf(operator, operand).every(isPlain);
  return { intervals: union(intervals, index.indexCollation), isExact };
}

/** A path with a number in it may mean a place in an array or a name. */
const HAS_POSITION = /(^|\.)\d+(\.|$)/;

const EXACT = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte']);

const operandsOf = (operator: string, operand: Value): readonly Value[] =>
  operator === '$in' ? (operand as Value[]) : [operand];

/**
 * Whether a key within the bounds means a value within them: not so where null stands for missing fields, too, or for arrays,
 * and all there is lies beside MinKey and MaxKey, missing fields of arrays' elements as well.
 */
const isPlain = (operand: Value): boolean =>
  operand !== null &&
  !Array.isArray(operand) &&
  !isDoc(operand) &&
  !(operand instanceof MinKey) &&
  !(operand instanceof MaxKey) &&
  !(operand instanceof BSONRegExp) &&
  !isNaNValue(operand);

/** An index with another collation than the query's helps only where no string is compared. */
function collationAllows(operator: string, operand: Value, index: BoundsContext): boolean {
  if (operator === '$regex') return index.indexCollation === undefined;
  return operator === '$exists' || isSameCollation(index.indexCollation, index.queryCollation) || !hasString(operand);
}

const hasString = (value: Value): boolean =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.some(hasString)) ||
  (isDoc(value) && [...value.values()].some(hasString));

function intervalsOf(
  operator: string,
  operand: Value,
  options: string,
  index: BoundsContext,
): readonly Interval[] | undefined {
  switch (operator) {
    case '$eq':
      return equalTo(operand, index);
    case '$in':
      return anyOf(operand as Value[], index);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return ordered(operator, operand, index);
    case '$regex':
      return typeof operand === 'string' ? matching(operand, options) : undefined;
    case '$exists':
      return isTrue(operand) ? ALL : index.isSparse ? undefined : [point(BsonUndefined.value), point(null)];
    case '$ne':
      return notEqualTo([operand], index);
    case '$nin':
      return notEqualTo(operand as Value[], index);
    case '$mod':
      return [interval(NaN, true, Infinity, true)];
    default:
      return undefined;
  }
}

const isTrue = (operand: Value): boolean => operand !== false && operand !== null && Number(operand) !== 0;

function equalTo(value: Value, index: BoundsContext): Interval[] | undefined {
  if (value === null) {
    if (index.isSparse) return undefined;
    return index.isHashed ? [point(hashedIndexKey(null))] : [point(BsonUndefined.value), point(null)];
  }
  if (value instanceof BsonUndefined) return undefined;
  if (index.isHashed) return Array.isArray(value) ? undefined : [point(hashedIndexKey(value))];
  if (Array.isArray(value)) return [point(value.length > 0 ? value[0]! : BsonUndefined.value), point(value)];
  return [point(value)];
}

function anyOf(values: readonly Value[], index: BoundsContext): Interval[] | undefined {
  const all: Interval[] = [];
  for (const value of values) {
    const isRegExp = value instanceof BSONRegExp;
    if (isRegExp && (index.indexCollation || index.isHashed)) return undefined;
    const intervals = isRegExp ? matching(value.pattern, value.options) : equalTo(value, index);
    if (!intervals) return undefined;
    for (const interval of intervals) all.push(interval);
  }
  return all;
}

function notEqualTo(values: readonly Value[], index: BoundsContext): Interval[] | undefined {
  const hasNull = values.includes(null);
  if (hasNull ? index.isMultikey : index.isSparse) return undefined;
  if (values.some((value) => Array.isArray(value) || value instanceof BSONRegExp)) return undefined;
  const points = values.flatMap((value) =>
    value === null ? [point(BsonUndefined.value), point(null)] : [point(value)],
  );
  return complement(union(points, index.indexCollation));
}

function ordered(operator: string, value: Value, index: BoundsContext): Interval[] | undefined {
  const isIn = operator === '$gte' || operator === '$lte';
  const isUpward = operator === '$gt' || operator === '$gte';
  if (value === null) return isIn ? equalTo(null, index) : [];
  if (value instanceof MinKey || value instanceof MaxKey) {
    if (index.isSparse) return undefined;
    // An array is between them, whatever its elements are, whose keys stand for it.
    if (index.isMultikey && isUpward === value instanceof MinKey) return [interval(MIN, true, MAX, true)];
    return [isUpward ? interval(value, isIn, MAX, true) : interval(MIN, true, value, isIn)];
  }
  if (isNaNValue(value)) return isIn ? [point(value)] : [];
  const [low, high, isHighIn] = bracketOf(value) ?? [];
  if (low === undefined) return undefined;
  return [isUpward ? interval(value, isIn, high!, isHighIn!) : interval(low, true, value, isIn)];
}

const LEAST_ID = new ObjectId('0'.repeat(24));
const GREATEST_ID = new ObjectId('f'.repeat(24));
const NO_DOC: Doc = new Map();

/** The least and the greatest value of the value's type: comparisons stay within a type. */
function bracketOf(value: Value): [low: Value, high: Value, isHighIn: boolean] | undefined {
  if (isNumeric(value)) return [-Infinity, Infinity, true];
  if (typeof value === 'string') return ['', NO_DOC, false];
  if (typeof value === 'boolean') return [false, true, true];
  if (value instanceof Date) return [dateOf(-(2n ** 63n)), dateOf(2n ** 63n - 1n), true];
  if (value instanceof ObjectId) return [LEAST_ID, GREATEST_ID, true];
  if (value instanceof Timestamp)
    return [new Timestamp({ t: 0, i: 0 }), new Timestamp({ t: 0xffffffff, i: 0xffffffff }), true];
  if (value instanceof Binary) return [new Binary(Buffer.alloc(0)), LEAST_ID, false];
  return isDoc(value) ? [NO_DOC, [], false] : undefined;
}

/** Strings that can match a regular expression: those with its literal prefix; and the same expression as a value. */
function matching(pattern: string, options: string): Interval[] {
  const itself = point(new BSONRegExp(pattern, options));
  const prefix = /[imx]/.test(options) ? '' : literalPrefix(pattern);
  const last = prefix.codePointAt(prefix.length - 1);
  if (last === undefined || last >= 0xd7ff) return [interval('', true, NO_DOC, false), itself];
  return [interval(prefix, true, prefix.slice(0, -1) + String.fromCodePoint(last + 1), false), itself];
}

/** What every match begins with, as far as the pattern is an anchor and plain characters. */
function literalPrefix(pattern: string): string {
  const anchor = /^(\^|\\A)/.exec(pattern)?.[0];
  if (!anchor || pattern.includes('|')) return '';
  let prefix = '';
  for (let i = anchor.length; i < pattern.length; i++) {
    let char = pattern[i]!;
    if (char === '\\') {
      char = pattern[++i] ?? '';
      if (/[A-Za-z0-9]/.test(char) || char === '') break;
    } else if ('*?{'.includes(char)) return prefix.slice(0, -1);
    else if ('+.[]()^$'.includes(char)) break;
    const next = pattern[i + 1];
    if (next !== undefined && '*?{'.includes(next)) break;
    prefix += char;
  }
  return prefix;
}
