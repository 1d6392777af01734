import { isNumeric } from '../../bson/number.js';
import { isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileSort } from '../sort.js';
import { readArguments, type ArgumentRule } from './arguments.js';
import { assertArray } from './array.operators.js';
import { display } from './display.js';
import { asInt32, compareOperands, isNullish } from './operand.js';
import { fold, type CompileContext, type OperatorFamily } from './operator.js';

const SORT_ARRAY: ArgumentRule = {
  required: {
    input: [2942502, "$sortArray requires 'input' to be specified"],
    sortBy: [2942503, "$sortArray requires 'sortBy' to be specified"],
  },
  notAnObject: [2942500, (_, type) => `$sortArray requires an object as an argument, found: ${type}`],
  unknown: [2942501, (_, field) => `$sortArray found an unknown argument: ${field}`],
};

/** `sortBy`: 1 or -1 for whole elements, or a sort specification of their fields. */
function orderOf(sortBy: Value, { env }: CompileContext): (a: Value, b: Value) => number {
  if (isDoc(sortBy)) {
    const byFields = compileSort(sortBy, env);
    const fieldsOf = (value: Value) => (isDoc(value) ? value : new Map<string, Value>());
    return (a, b) => byFields(fieldsOf(a), fieldsOf(b));
  }
  const direction = isNumeric(sortBy) ? asInt32(sortBy) : undefined;
  if (direction !== 1 && direction !== -1) {
    throw new CommandError(2942505, `Illegal key in $sort specification: ${display(sortBy)}`);
  }
  return (a, b) => direction * compareOperands(a, b, env.collation);
}

/** Sorting an array. */
export const sortArrayOperators: OperatorFamily = {
  $sortArray(argument, context, name) {
    const given = readArguments(argument, SORT_ARRAY, name);
    const input = context.compile(given.get('input') as Value);
    const order = orderOf(given.get('sortBy') as Value, context);
    return fold([input], (scope) => {
      const array = input(scope);
      if (isNullish(array)) return null;
      const message = 'The input argument to $sortArray must be an array, but was of type: ';
      return assertArray(array, 2942504, (type) => message + type).toSorted(order);
    });
  },
};
