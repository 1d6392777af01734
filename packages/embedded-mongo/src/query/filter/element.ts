import { isNumeric, toExactInt64, toNumber } from '../../bson/number.js';
import { isDoc, TypeCode, typeCode, type TypeName, typeNameOfCode, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { isTruthy } from '../expression/operand.js';
import { anyOf, not, type Predicate, whole } from './predicate.js';

export function exists(operand: Value): Predicate {
  const present = whole((value) => value !== undefined);
  return isTruthy(operand) ? present : not(present);
}

const NUMBER_CODES = [TypeCode.double, TypeCode.int, TypeCode.long, TypeCode.decimal];

/** The type numbers one `$type` operand stands for, a name (`number` for all four) or a number. */
function typeCodesOf(operand: Value): readonly number[] {
  if (typeof operand === 'string') {
    if (operand === 'number') return NUMBER_CODES;
    const code = Object.hasOwn(TypeCode, operand) ? TypeCode[operand as TypeName] : undefined;
    if (code === undefined) throw new CommandError('BadValue', `Unknown type name alias: ${operand}`);
    return [code];
  }
  if (!isNumeric(operand)) throw new CommandError('TypeMismatch', 'type must be represented as a number or a string');
  const code = Number(toExactInt64(operand) ?? NaN);
  if (typeNameOfCode(code) === undefined)
    throw new CommandError('BadValue', `Invalid numerical type code: ${toNumber(operand)}`);
  return [code];
}

/** The set of type numbers a `$type` or `bsonType` operand names. */
export function parseTypeSet(operand: Value, name: string): ReadonlySet<number> {
  const operands = Array.isArray(operand) ? operand : [operand];
  if (operands.length === 0) throw new CommandError('FailedToParse', `${name} must match at least one type`);
  return new Set(operands.flatMap(typeCodesOf));
}

export function type(operand: Value, field: string): Predicate {
  if (isDoc(operand)) throw new CommandError('TypeMismatch', 'type must be represented as a number or a string');
  const codes = parseTypeSet(operand, field);
  return anyOf((value) => value !== undefined && codes.has(typeCode(value)));
}
