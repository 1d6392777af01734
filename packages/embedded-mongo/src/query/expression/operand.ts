import { Decimal128 } from 'bson';
import type { Collation } from '../../bson/collation.js';
import { compareValues } from '../../bson/compare.js';
import { compareNumbers, isNumeric, toExactInt64, toNumber, type Numeric } from '../../bson/number.js';
import { BsonUndefined, type Value } from '../../bson/value.js';
import type { Operand } from './operator.js';

/** Whether a value is null, missing or of the deprecated type undefined: most operators then give null. */
export const isNullish = (value: Operand): value is null | undefined => value == null || value instanceof BsonUndefined;

/** A value as a condition: false, null, missing and every zero do not hold; NaN, '' and [] do. */
export const isTruthy = (value: Operand): boolean =>
  !(isNullish(value) || value === false || (isNumeric(value) && compareNumbers(value, 0) === 0));

/** MongoDB's order of two values, either of which may be missing: that ranks with undefined. */
export const compareOperands = (a: Operand, b: Operand, collation?: Collation): number =>
  compareValues(a as Value, b as Value, collation);

/** The integer a number is, or undefined when it has a fraction, is not finite or needs more than 32 bits. */
export function asInt32(value: Numeric): number | undefined {
  const double = value instanceof Decimal128 ? Number(toExactInt64(value)) : toNumber(value);
  return Number.isInteger(double) && double >= -0x8000_0000 && double <= 0x7fff_ffff ? double : undefined;
}
