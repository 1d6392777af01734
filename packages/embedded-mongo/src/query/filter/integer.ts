import { Decimal128 } from 'bson';
import { formatField } from '../../bson/format.js';
import { isNaNValue, isNumeric, toExactInt64 } from '../../bson/number.js';
import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';

/** An operand that has to be a whole number of 64 bits. */
export function parseInteger(name: string, operand: Value): bigint {
  const shown = formatField(name, operand);
  if (!isNumeric(operand)) throw new CommandError('FailedToParse', `Expected a number in: ${shown}`);
  if (typeof operand === 'number' && isNaNValue(operand)) {
    throw new CommandError('FailedToParse', `Expected an integer, but found NaN in: ${shown}`);
  }
  const integer = toExactInt64(operand);
  if (integer !== undefined) return integer;
  const isTooLarge =
    operand instanceof Decimal128 || !Number.isFinite(operand) || Math.abs(operand as number) >= 2 ** 63;
  throw new CommandError(
    'FailedToParse',
    isTooLarge ? `Cannot represent as a 64-bit integer: ${shown}` : `Expected an integer: ${shown}`,
  );
}

/** An operand that has to be a whole number of 64 bits and not negative. */
export function parseNonNegativeInteger(name: string, operand: Value): bigint {
  const integer = parseInteger(name, operand);
  if (integer < 0n)
    throw new CommandError('FailedToParse', `Expected a non-negative number in: ${formatField(name, operand)}`);
  return integer;
}
