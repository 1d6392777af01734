import { BSONRegExp, MaxKey, MinKey, ObjectId } from 'bson';
import type { Collation } from '../../bson/collation.js';
import { compareValues, typeRank } from '../../bson/compare.js';
import { compareNumbers, isNaNValue, isNumeric } from '../../bson/number.js';
import { firstNotBefore } from '../../bson/sorted.js';
import { BsonUndefined, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { anyOf, not, type Predicate, type ValueTest } from './predicate.js';
import type { TimeLeft } from '../javascript/time-limit.js';
import { compileRegExp } from './regex.js';

const isNullish = (value: Value | undefined): boolean =>
  value === undefined || value === null || value instanceof BsonUndefined;

/** Whether a value equals the given one; null equals a missing field as well. */
export function equality(expected: Value, collation: Collation | undefined): ValueTest {
  if (isNullish(expected)) return isNullish;
  if (expected instanceof ObjectId) return (value) => value instanceof ObjectId && expected.equals(value);
  if (isNumeric(expected)) return (value) => isNumeric(value) && compareNumbers(value, expected) === 0;
  if (typeof expected === 'string' && !collation) {
    return (value) =>
      typeof value === 'string' ? value === expected : value !== undefined && compareValues(value, expected) === 0;
  }
  if (expected instanceof BSONRegExp)
    return (value) => value instanceof BSONRegExp && compareValues(value, expected) === 0;
  return (value) => value !== undefined && compareValues(value, expected, collation) === 0;
}

/** Which results of a comparison an operator accepts. */
const ORDERS = {
  $lt: { accepts: (order: number) => order < 0, orEqual: false, isLess: true },
  $lte: { accepts: (order: number) => order <= 0, orEqual: true, isLess: true },
  $gt: { accepts: (order: number) => order > 0, orEqual: false, isLess: false },
  $gte: { accepts: (order: number) => order >= 0, orEqual: true, isLess: false },
} as const;

/** `$lt`, `$lte`, `$gt`, `$gte`: only values of the same type compare, and NaN only with itself. */
function ordering(name: keyof typeof ORDERS, bound: Value, collation: Collation | undefined): ValueTest {
  const { accepts, orEqual, isLess } = ORDERS[name];
  if (isNullish(bound)) return orEqual ? isNullish : () => false;
  if (isNaNValue(bound)) return orEqual ? isNaNValue : () => false;
  const rank = typeRank(bound);
  const isBeyond = isLess ? bound instanceof MaxKey : bound instanceof MinKey;
  return (value) => {
    if (value === undefined || typeRank(value) !== rank) return isBeyond;
    return !isNaNValue(value) && accepts(compareValues(value, bound, collation));
  };
}

export function comparison(
  name: keyof typeof ORDERS | '$eq',
  field: string,
  operand: Value,
  collation?: Collation,
): Predicate {
  if (operand instanceof BsonUndefined) throw new CommandError('BadValue', 'cannot compare to undefined');
  if (name === '$eq') return anyOf(equality(operand, collation));
  if (operand instanceof BSONRegExp) {
    throw new CommandError('BadValue', `Can't have RegEx as arg to predicate over field '${field}'.`);
  }
  return anyOf(ordering(name, operand, collation));
}

export function notEqual(operand: Value, collation: Collation | undefined): Predicate {
  if (operand instanceof BSONRegExp) throw new CommandError('BadValue', "Can't have regex as arg to $ne.");
  if (operand instanceof BsonUndefined) throw new CommandError('BadValue', 'cannot compare to undefined');
  return not(anyOf(equality(operand, collation)));
}

const isExpression = (value: Value): boolean => {
  if (!isDoc(value)) return false;
  const [first] = value.keys();
  return first !== undefined && first.startsWith('$') && !(value.has('$ref') && value.has('$id'));
};

/** `$in`: equal to one of the values, or matching one of the regular expressions among them. */
export function membership(
  name: '$in' | '$nin',
  operand: Value,
  collation: Collation | undefined,
  timeLeft: TimeLeft | undefined,
): Predicate {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', `${name} needs an array`);
  const regexes: ValueTest[] = [];
  const values: Value[] = [];
  let hasNull = false;
  for (const value of operand) {
    if (isExpression(value)) throw new CommandError('BadValue', 'cannot nest $ under $in');
    if (value instanceof BsonUndefined)
      throw new CommandError('BadValue', 'InMatchExpression equality cannot be undefined');
    if (value instanceof BSONRegExp) regexes.push(compileRegExp(value.pattern, value.options, timeLeft));
    else if (value === null) hasNull = true;
    else values.push(value);
  }
  const isAmong = amongValues(values, collation);
  const test: ValueTest = (value) =>
    (hasNull && isNullish(value)) || isAmong(value) || (regexes.length > 0 && regexes.some((regex) => regex(value)));
  return name === '$in' ? anyOf(test) : not(anyOf(test));
}

function amongValues(values: Value[], collation: Collation | undefined): ValueTest {
  if (values.length === 1) return equality(values[0]!, collation);
  const sorted = [...values].sort((a, b) => compareValues(a, b, collation));
  return (value) => {
    if (value === undefined) return false;
    const orderAt = (place: number) => compareValues(sorted[place]!, value, collation);
    const place = firstNotBefore(0, sorted.length, (each) => orderAt(each) < 0);
    return place < sorted.length && orderAt(place) === 0;
  };
}
