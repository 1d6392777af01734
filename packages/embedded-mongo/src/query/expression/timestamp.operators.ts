import { Timestamp } from 'bson';
import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { isNullish } from './operand.js';
import { unary, type OperatorFamily } from './operator.js';

const part = (code: number, of: (timestamp: Timestamp) => number) =>
  unary((value, _, name) => {
    if (isNullish(value)) return null;
    if (value instanceof Timestamp) return BigInt(of(value));
    throw new CommandError(code, `Argument to ${name} must be a timestamp, but is ${typeName(value)}`);
  });

/** The parts of a timestamp, as longs. */
export const timestampOperators: OperatorFamily = {
  $tsSecond: part(5687301, (timestamp) => timestamp.t),
  $tsIncrement: part(5687302, (timestamp) => timestamp.i),
};
