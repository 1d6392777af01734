import { Int32 } from 'bson';
import { formatField, formatValue } from '../../bson/format.js';
import { identicalValues } from '../../bson/identical.js';
import { add, isNumeric, multiply, type Numeric } from '../../bson/number.js';
import { int32, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type ModifierCompiler, type ModifierSite, UNCHANGED } from './modifier.js';

/** The document's `_id` as error messages name a document by it. */
export const idOf = ({ document }: ModifierSite): string =>
  document.has('_id') ? formatField('_id', document.get('_id')!) : 'no id';

/** `$inc` and `$mul`; a missing field counts as zero. */
const arithmetic =
  (
    name: '$inc' | '$mul',
    verb: string,
    operate: (current: Numeric, operand: Numeric) => Numeric | undefined,
  ): ModifierCompiler =>
  (operand, field) => {
    if (!isNumeric(operand)) {
      throw new CommandError(
        'TypeMismatch',
        `Cannot ${verb} with non-numeric argument: {${formatField(field, operand)}}`,
      );
    }
    return {
      creates: true,
      apply: (current, site) => {
        if (current !== undefined && !isNumeric(current)) {
          throw new CommandError(
            'TypeMismatch',
            `Cannot apply ${name} to a value of non-numeric type. {${idOf(site)}} has the field '${lastPart(site.path)}' of non-numeric type ${typeName(current)}`,
          );
        }
        if (current === undefined && name === '$inc') return operand;
        const result = operate(current ?? int32(0), operand);
        if (result === undefined) {
          throw new CommandError(
            'BadValue',
            `Failed to apply ${name} operations to current value (${typed(current!)}) for document {${idOf(site)}}`,
          );
        }
        return current !== undefined && identicalValues(current, result) ? UNCHANGED : result;
      },
    };
  };

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const typed = (n: Value): string => `(${n instanceof Int32 ? 'NumberInt' : 'NumberLong'})${formatValue(n)}`;

export const increment = arithmetic('$inc', 'increment', add);
export const multiplyBy = arithmetic('$mul', 'multiply', multiply);

const BIT_OPERATIONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

type Integer = Int32 | bigint;
const isInteger = (value: Value): value is Integer => value instanceof Int32 || typeof value === 'bigint';
const bigintOf = (n: Integer): bigint => (typeof n === 'bigint' ? n : BigInt(n.value));

function parseBitOperations(operand: Value): { operate: (a: bigint, b: bigint) => bigint; argument: Integer }[] {
  const format = '{$bit: {field: {and/or/xor: #}}';
  if (!isDoc(operand)) {
    throw new CommandError(
      'BadValue',
      `The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document: ${format}`,
    );
  }
  if (operand.size === 0) {
    throw new CommandError('BadValue', `You must pass in at least one bitwise operation. The format is: ${format}`);
  }
  return [...operand].map(([name, argument]) => {
    const operate = Object.hasOwn(BIT_OPERATIONS, name) ? BIT_OPERATIONS[name] : undefined;
    const shown = `{${formatField(name, argument)}}`;
    if (!operate) {
      throw new CommandError(
        'BadValue',
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: ${shown}`,
      );
    }
    if (!isInteger(argument)) {
      throw new CommandError(
        'BadValue',
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(argument)}' is not supported here: ${shown}`,
      );
    }
    return { operate, argument };
  });
}

export const bit: ModifierCompiler = (operand) => {
  const operations = parseBitOperations(operand);
  return {
    creates: true,
    apply: (current, site) => {
      if (current !== undefined && !isInteger(current)) {
        throw new CommandError(
          'BadValue',
          `Cannot apply $bit to a value of non-integral type.${idOf(site)} has the field ${lastPart(site.path)} of non-integer type ${typeName(current)}`,
        );
      }
      let result: Integer = current ?? int32(0);
      for (const { operate, argument } of operations) {
        const isLong: boolean = typeof result === 'bigint' || typeof argument === 'bigint';
        const value: bigint = operate(bigintOf(result), bigintOf(argument));
        result = isLong ? BigInt.asIntN(64, value) : int32(Number(BigInt.asIntN(32, value)));
      }
      return current !== undefined && identicalValues(current, result) ? UNCHANGED : result;
    },
  };
};
