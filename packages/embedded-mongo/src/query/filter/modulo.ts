import { isNumeric, toInt64 } from '../../bson/number.js';
import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { anyOf, type Predicate } from './predicate.js';

function part(value: Value | undefined, name: string): bigint {
  if (value === undefined) throw new CommandError('BadValue', 'malformed mod, not enough elements');
  if (!isNumeric(value)) throw new CommandError('BadValue', `malformed mod, ${name} not a number`);
  const integer = toInt64(value);
  if (integer === undefined) {
    throw new CommandError(
      'BadValue',
      `malformed mod, ${name} value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type`,
    );
  }
  return integer;
}

/** `$mod: [divisor, remainder]`, of numbers cut off towards zero. */
export function modulo(operand: Value): Predicate {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', 'malformed mod, needs to be an array');
  const divisor = part(operand[0], 'divisor');
  const remainder = part(operand[1], 'remainder');
  if (operand.length > 2) throw new CommandError('BadValue', 'malformed mod, too many elements');
  if (divisor === 0n) throw new CommandError('BadValue', 'divisor cannot be 0');
  return anyOf((value) => {
    const integer = isNumeric(value) ? toInt64(value) : undefined;
    return integer !== undefined && integer % divisor === remainder;
  });
}
