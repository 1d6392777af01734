import { isNumeric } from '../../bson/number.js';
import { TypeCode, typeName, typeNameOfCode, type TypeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileArguments, type ArgumentRule } from './arguments.js';
import { convert } from './convert.js';
import { asInt32, isNullish } from './operand.js';
import { argumentList, fold, unary, type Operand, type Operator, type OperatorFamily } from './operator.js';

const CONVERT: ArgumentRule = {
  required: {
    input: ['FailedToParse', "Missing 'input' parameter to $convert"],
    to: ['FailedToParse', "Missing 'to' parameter to $convert"],
  },
  optional: ['onError', 'onNull', 'format'],
  notAnObject: ['FailedToParse', (_, type) => `$convert expects an object of named arguments but found: ${type}`],
  unknown: ['FailedToParse', (_, field) => `$convert found an unknown argument: ${field}`],
};

function targetType(to: Operand): TypeName | 'missing' {
  if (typeof to === 'string') {
    if (to === 'missing' || to in TypeCode) return to as TypeName;
    throw new CommandError('BadValue', `Unknown type name: ${to}`);
  }
  if (!isNumeric(to)) {
    throw new CommandError(
      'FailedToParse',
      `$convert's 'to' argument must be a string or number, but is ${typeName(to)}`,
    );
  }
  const code = asInt32(to);
  if (code === undefined)
    throw new CommandError('FailedToParse', "In $convert, numeric 'to' argument is not an integer");
  const name = typeNameOfCode(code);
  if (name !== undefined) return name;
  throw new CommandError(
    'FailedToParse',
    `In $convert, numeric value for 'to' does not correspond to a BSON type: ${code}`,
  );
}

/** `$toInt` and its like: `$convert` without `onError` and `onNull`. */
const to = (type: TypeName): Operator => {
  return (argument, context, name) => {
    const list = argumentList(argument);
    if (list.length !== 1) throw new CommandError(50723, `${name} requires a single argument, got ${list.length}`);
    const input = context.compile(list[0] ?? null);
    return fold([input], (scope) => {
      const value = input(scope);
      return isNullish(value) ? null : convert(value, type);
    });
  };
};

/** Operators on types. */
export const typeOperators: OperatorFamily = {
  $convert(argument, context, name) {
    const { input, to, onError, onNull } = compileArguments(argument, CONVERT, context, name);
    const operands = [input, to, onError, onNull].filter((operand) => operand !== undefined);
    return fold(operands, (scope) => {
      const target = to?.(scope);
      const type = isNullish(target) ? undefined : targetType(target);
      const value = input?.(scope);
      if (isNullish(value)) return onNull ? onNull(scope) : null;
      if (type === undefined) return null;
      try {
        return convert(value, type);
      } catch (error) {
        if (onError && error instanceof CommandError && error.codeName === 'ConversionFailure') return onError(scope);
        throw error;
      }
    });
  },
  $isNumber: unary(isNumeric),
  $toBool: to('bool'),
  $toDate: to('date'),
  $toDecimal: to('decimal'),
  $toDouble: to('double'),
  $toInt: to('int'),
  $toLong: to('long'),
  $toObjectId: to('objectId'),
  $toString: to('string'),
  $type: unary((value) => typeName(value)),
};
