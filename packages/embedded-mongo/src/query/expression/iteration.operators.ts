import { isNumeric } from '../../bson/number.js';
import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { readArguments, type ArgumentRule } from './arguments.js';
import { display } from './display.js';
import { asInt32, isNullish, isTruthy } from './operand.js';
import { fold, type CompileContext, type Expression, type Operand, type OperatorFamily } from './operator.js';
import { allocate, ELEMENT_BYTES, exceeded, MEMORY_LIMIT, MemoryWatch } from '../memory.js';
import { spend } from '../../bson/work.js';
import { assertArray } from './array.operators.js';
import { assertBindable } from './variable.js';

const MAP: ArgumentRule = {
  required: { input: [16880, "Missing 'input' parameter to $map"], in: [16882, "Missing 'in' parameter to $map"] },
  optional: ['as'],
  notAnObject: [16878, () => '$map only supports an object as its argument'],
  unknown: [16879, (_, field) => `Unrecognized parameter to $map: ${field}`],
};

const FILTER: ArgumentRule = {
  required: {
    input: [28648, "Missing 'input' parameter to $filter"],
    cond: [28650, "Missing 'cond' parameter to $filter"],
  },
  optional: ['as', 'limit'],
  notAnObject: [28646, () => '$filter only supports an object as its argument'],
  unknown: [28647, (_, field) => `Unrecognized parameter to $filter: ${field}`],
};

const REDUCE: ArgumentRule = {
  required: {
    input: [40077, "$reduce requires 'input' to be specified"],
    initialValue: [40078, "$reduce requires 'initialValue' to be specified"],
    in: [40079, "$reduce requires 'in' to be specified"],
  },
  notAnObject: [40075, (_, type) => `$reduce requires an object as an argument, found: ${type}`],
  unknown: [40076, (_, field) => `$reduce found an unknown argument: ${field}`],
};

/** Binds the element's variable: `as`, or `this`. */
function bindElement(as: Value | undefined, context: CompileContext): { context: CompileContext; slot: number } {
  if (as !== undefined && typeof as !== 'string') {
    throw new CommandError('TypeMismatch', `'as' must be the name of a variable, found: ${typeName(as)}`);
  }
  const name = as ?? 'this';
  assertBindable(name);
  const bound = context.bind([name]);
  return { context: bound.context, slot: bound.slots[0] as number };
}

function filterLimit(value: Operand): number {
  if (isNullish(value)) return Infinity;
  const limit = isNumeric(value) ? asInt32(value) : undefined;
  if (limit === undefined) {
    throw new CommandError(327391, `$filter: limit must be represented as a 32-bit integral value: ${display(value)}`);
  }
  if (limit <= 0) throw new CommandError(327392, `$filter: limit must be greater than 0, found: ${limit}`);
  return limit;
}

function zip(argument: Value, context: CompileContext): Expression {
  if (!isDoc(argument)) {
    throw new CommandError(34460, `$zip only supports an object as an argument, found ${typeName(argument)}`);
  }
  for (const field of argument.keys()) {
    if (!['inputs', 'defaults', 'useLongestLength'].includes(field)) {
      throw new CommandError(34464, `$zip found an unknown argument: ${field}`);
    }
  }
  const list = (field: string, code: number): Expression[] => {
    const items = argument.get(field);
    if (items === undefined) return [];
    return assertArray(items, code, (type) => `${field} must be an array of expressions, found ${type}`).map((item) =>
      context.compile(item),
    );
  };
  const inputs = list('inputs', 34461);
  const defaults = list('defaults', 34462);
  const isLongest = argument.get('useLongestLength') ?? false;
  if (typeof isLongest !== 'boolean') {
    throw new CommandError(34463, `useLongestLength must be a bool, found ${typeName(isLongest)}`);
  }
  if (inputs.length === 0) throw new CommandError(34465, '$zip requires at least one input array');
  if (!isLongest && defaults.length > 0) {
    throw new CommandError(34466, 'cannot specify defaults unless useLongestLength is true');
  }
  if (defaults.length > 0 && defaults.length !== inputs.length) {
    throw new CommandError(34467, 'defaults and inputs must have the same length');
  }
  return fold([...inputs, ...defaults], (scope) => {
    const columns = inputs.map((input) => input(scope));
    if (columns.some(isNullish)) return null;
    const arrays = columns.map((column) => {
      if (Array.isArray(column)) return column;
      throw new CommandError(34468, `$zip found a non-array expression in input: ${display(column)}`);
    });
    const lengths = arrays.map((array) => array.length);
    const length = lengths.reduce((a, b) => (isLongest ? Math.max(a, b) : Math.min(a, b)));
    const fillers = defaults.map((filler) => filler(scope));
    if (length * (arrays.length + 1) * ELEMENT_BYTES > MEMORY_LIMIT) throw exceeded('$zip');
    const watch = new MemoryWatch('$zip');
    const rows: Value[] = [];
    for (let row = 0; row < length; row++) {
      allocate(arrays.length + 1);
      spend(arrays.length + 1);
      rows.push(
        arrays.map((array, column) => (row < array.length ? (array[row] as Value) : (fillers[column] ?? null))),
      );
      watch.check(rows);
    }
    return rows;
  });
}

/** Array operators that evaluate an expression, or compare, for each element. */
export const iterationOperators: OperatorFamily = {
  $map(argument, context, name) {
    const given = readArguments(argument, MAP, name);
    const input = context.compile(given.get('input') as Value);
    const element = bindElement(given.get('as'), context);
    const each = element.context.compile(given.get('in') as Value);
    return (scope) => {
      const array = input(scope);
      if (isNullish(array)) return null;
      const items = assertArray(array, 16883, (type) => `input to $map must be an array not ${type}`);
      const watch = new MemoryWatch('$map');
      const mapped: Value[] = [];
      allocate(items.length);
      for (const item of items) {
        scope.slots[element.slot] = item;
        mapped.push(each(scope) ?? null);
        watch.check(mapped);
      }
      return mapped;
    };
  },
  $filter(argument, context, name) {
    const given = readArguments(argument, FILTER, name);
    const input = context.compile(given.get('input') as Value);
    const limit = given.has('limit') ? context.compile(given.get('limit') as Value) : undefined;
    const element = bindElement(given.get('as'), context);
    const condition = element.context.compile(given.get('cond') as Value);
    return (scope) => {
      const array = input(scope);
      if (isNullish(array)) return null;
      const items = assertArray(array, 28651, (type) => `input to $filter must be an array not ${type}`);
      const most = limit ? filterLimit(limit(scope)) : Infinity;
      const kept: Value[] = [];
      for (const item of items) {
        scope.slots[element.slot] = item;
        if (isTruthy(condition(scope)) && kept.push(item) >= most) break;
      }
      return kept;
    };
  },
  $reduce(argument, context, name) {
    const given = readArguments(argument, REDUCE, name);
    const input = context.compile(given.get('input') as Value);
    const initial = context.compile(given.get('initialValue') as Value);
    const bound = context.bind(['this', 'value']);
    const [item, accumulated] = bound.slots as [number, number];
    const step = bound.context.compile(given.get('in') as Value);
    return (scope) => {
      const array = input(scope);
      if (isNullish(array)) return null;
      if (!Array.isArray(array)) {
        throw new CommandError(40080, `$reduce requires that 'input' be an array, found: ${display(array)}`);
      }
      const watch = new MemoryWatch('$reduce');
      let value = initial(scope);
      for (const element of array) {
        scope.slots[item] = element;
        scope.slots[accumulated] = value;
        value = step(scope);
        watch.check(value);
      }
      return value;
    };
  },
  $zip: zip,
};
