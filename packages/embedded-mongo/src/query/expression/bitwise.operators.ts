import { Int32 } from 'bson';
import { int32, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { isNullish } from './operand.js';
import { unary, variadic, type Operator, type OperatorFamily } from './operator.js';

/** An operator on ints and longs that starts from `identity`; a long among them makes the result a long. */
const bitwise = (identity: bigint, combine: (a: bigint, b: bigint) => bigint): Operator =>
  variadic((operands, _, name) => {
    let result = identity;
    let isLong = false;
    for (const operand of operands) {
      if (isNullish(operand)) return null;
      if (typeof operand !== 'bigint' && !(operand instanceof Int32)) {
        throw new CommandError('TypeMismatch', `${name} only supports int and long operands.`);
      }
      isLong ||= typeof operand === 'bigint';
      result = combine(result, BigInt(operand.valueOf()));
    }
    return isLong ? BigInt.asIntN(64, result) : int32(Number(result));
  });

/** Bitwise operators. */
export const bitwiseOperators: OperatorFamily = {
  $bitAnd: bitwise(-1n, (a, b) => a & b),
  $bitOr: bitwise(0n, (a, b) => a | b),
  $bitXor: bitwise(0n, (a, b) => a ^ b),
  $bitNot: unary((value) => {
    if (isNullish(value)) return null;
    if (typeof value === 'bigint') return ~value;
    if (value instanceof Int32) return int32(~value.value);
    throw new CommandError('TypeMismatch', `$bitNot only supports int and long, not: ${typeName(value)}.`);
  }),
};
