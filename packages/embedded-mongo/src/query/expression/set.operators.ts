import { typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { isNullish, isTruthy } from './operand.js';
import {
  argumentList,
  assertArity,
  binary,
  operator,
  unary,
  variadic,
  type Operand,
  type OperatorFamily,
} from './operator.js';
import { ValueSet } from './value-set.js';

function array(value: Operand, code: number, message: string): Value[] {
  if (!Array.isArray(value)) throw new CommandError(code, message + typeName(value));
  return value;
}

const both = (name: string, which: string) => `both operands of ${name} must be arrays. ${which} argument is of type: `;
const all = (name: string, verb = 'argument is') => `All operands of ${name} must be arrays. One ${verb} of type: `;

const elements = (code: number, holds: (items: Value[]) => boolean) =>
  unary((value, _, name) => {
    if (Array.isArray(value)) return holds(value);
    throw new CommandError(code, `${name}'s argument must be an array, but is ${typeName(value)}`);
  });

const equals = operator(2, Infinity, (operands, env) => {
  const sets = operands.map((operand) => new ValueSet(env.collation, array(operand, 17044, all('$setEquals'))));
  const [first, ...others] = sets as [ValueSet, ...ValueSet[]];
  return others.every((other) => other.size === first.size && other.values().every((value) => first.has(value)));
});

/** Set operators: arrays as sets, where order and repetition do not count. */
export const setOperators: OperatorFamily = {
  $allElementsTrue: elements(17040, (items) => items.every(isTruthy)),
  $anyElementTrue: elements(17041, (items) => items.some(isTruthy)),
  $setDifference: binary((left, right, env) => {
    if (isNullish(left) || isNullish(right)) return null;
    const items = array(left, 17048, both('$setDifference', 'First'));
    const seen = new ValueSet(env.collation, array(right, 17049, both('$setDifference', 'Second')));
    return items.filter((item) => seen.add(item));
  }),
  $setEquals(argument, context, name) {
    const { length } = argumentList(argument);
    if (length < 2) throw new CommandError(17045, `$setEquals needs at least two arguments had: ${length}`);
    assertArity(name, length, 2, Infinity);
    return equals(argument, context, name);
  },
  $setIntersection: variadic((operands, env) => {
    let common: ValueSet | undefined;
    for (const operand of operands) {
      if (isNullish(operand)) return null;
      const items = array(operand, 17047, all('$setIntersection'));
      const previous: ValueSet | undefined = common;
      const next = new ValueSet(env.collation, items);
      common = previous
        ? new ValueSet(
            env.collation,
            previous.values().filter((item) => next.has(item)),
          )
        : next;
    }
    return common?.sorted() ?? [];
  }),
  $setIsSubset: binary((left, right, env) => {
    const items = array(left, 17046, both('$setIsSubset', 'First'));
    const set = new ValueSet(env.collation, array(right, 17042, both('$setIsSubset', 'Second')));
    return items.every((item) => set.has(item));
  }),
  $setUnion: variadic((operands, env) => {
    const union = new ValueSet(env.collation);
    for (const operand of operands) {
      if (isNullish(operand)) return null;
      for (const item of array(operand, 17043, all('$setUnion'))) union.add(item);
    }
    return union.sorted();
  }),
};
