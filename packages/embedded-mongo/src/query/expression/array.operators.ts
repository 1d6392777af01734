import { isNumeric } from '../../bson/number.js';
import { docOf, int32, isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { allocate, ELEMENT_BYTES, exceeded, MEMORY_LIMIT, MemoryWatch } from '../memory.js';
import { spend } from '../../bson/work.js';
import { asInt32, compareOperands, isNullish } from './operand.js';
import { binary, operator, unary, variadic, type Operand, type OperatorFamily } from './operator.js';
import { display, displayNumber } from './display.js';

/** @throws CommandError unless the value is an array */
export function assertArray(value: Operand, code: number, message: (type: string) => string): Value[] {
  if (!Array.isArray(value)) throw new CommandError(code, message(typeName(value)));
  return value;
}

function elementAt(array: Operand, index: Operand): Operand {
  if (isNullish(array) || isNullish(index)) return null;
  const items = assertArray(array, 28689, (type) => `$arrayElemAt's first argument must be an array, but is ${type}`);
  if (!isNumeric(index)) {
    throw new CommandError(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(index)}`);
  }
  const at = asInt32(index);
  if (at === undefined) {
    throw new CommandError(
      28691,
      `$arrayElemAt's second argument must be representable as a 32-bit integer: ${displayNumber(index)}`,
    );
  }
  return items.at(at);
}

const end = (name: string, index: number) =>
  unary((array) => {
    if (isNullish(array)) return null;
    return assertArray(array, 28689, (type) => `${name}'s argument must be an array, but is ${type}`).at(index);
  });

/** The index arguments of `$indexOf…`: integers, not negative. */
export function searchIndex(value: Operand, name: string, what: string): number {
  const index = isNumeric(value) ? asInt32(value) : undefined;
  if (index === undefined) {
    throw new CommandError(
      40096,
      `${name} requires an integral ${what}, found a value of type: ${typeName(value)}, with value: ${display(value)}`,
    );
  }
  if (index < 0) throw new CommandError(40097, `${name} requires a nonnegative ${what}, found: ${index}`);
  return index;
}

const PAIRS = '$arrayToObject requires a consistent input format. Elements mustall be arrays or all be objects. ';

function pair(item: Value, areArrays: boolean): [string, Value] {
  if (areArrays) {
    const both = assertArray(item, 40396, (type) => `${PAIRS}Array was detected, now found: ${type}`);
    if (both.length !== 2) {
      throw new CommandError(
        40397,
        `$arrayToObject requires an array of size 2 arrays,found array of size: ${both.length}`,
      );
    }
    const [key, value] = both as [Value, Value];
    if (typeof key === 'string') return [key, value];
    throw new CommandError(
      40395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeName(key)}`,
    );
  }
  if (!isDoc(item)) throw new CommandError(40391, `${PAIRS}Object was detected, now found: ${typeName(item)}`);
  if (item.size !== 2) {
    throw new CommandError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${item.size}`,
    );
  }
  const [key, value] = [item.get('k'), item.get('v')];
  if (key === undefined || value === undefined) {
    throw new CommandError(
      40393,
      `$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ${display(item)}`,
    );
  }
  if (typeof key === 'string') return [key, value];
  throw new CommandError(
    40394,
    `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeName(key)}`,
  );
}

function toObject(input: Operand): Operand {
  if (isNullish(input)) return null;
  const items = assertArray(input, 40386, (type) => `$arrayToObject requires an array input, found: ${type}`);
  const result: Doc = new Map();
  const [first] = items;
  if (first === undefined) return result;
  if (!Array.isArray(first) && !isDoc(first)) {
    throw new CommandError(40398, `Unrecognised input type format for $arrayToObject: ${typeName(first)}`);
  }
  for (const item of items) {
    const [key, value] = pair(item, Array.isArray(first));
    if (key.includes('\0')) {
      throw new CommandError(
        Array.isArray(first) ? 4940400 : 4940401,
        'Key field cannot contain an embedded null byte',
      );
    }
    result.set(key, value);
  }
  return result;
}

const RANGE = [
  [34443, 34444, 'a numeric starting value, found value of type: ', 'a starting value'],
  [34445, 34446, 'a numeric ending value, found value of type: ', 'an ending value'],
  [34447, 34448, 'a numeric step value, found value of type:', 'a step value'],
] as const;

function rangeBound(value: Operand, which: 0 | 1 | 2): number {
  const [notNumeric, notInt, numeric, integral] = RANGE[which];
  if (!isNumeric(value)) throw new CommandError(notNumeric, `$range requires ${numeric}${typeName(value)}`);
  const bound = asInt32(value);
  if (bound !== undefined) return bound;
  throw new CommandError(
    notInt,
    `$range requires ${integral} that can be represented as a 32-bit integer, found value: ${display(value)}`,
  );
}

function range(operands: Operand[]): Value[] {
  const [start, stop] = [rangeBound(operands[0], 0), rangeBound(operands[1], 1)];
  const step = operands.length === 3 ? rangeBound(operands[2], 2) : 1;
  if (step === 0) throw new CommandError(34449, '$range requires a non-zero step value');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count * ELEMENT_BYTES > MEMORY_LIMIT) {
    throw new CommandError(
      'ExceededMemoryLimit',
      `$range would use too much memory (${count * ELEMENT_BYTES} bytes) and cannot spill to disk. Memory limit: ${MEMORY_LIMIT} bytes`,
    );
  }
  allocate(count);
  const result: Value[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) {
    spend(1);
    result.push(int32(i));
  }
  return result;
}

const SLICE = [
  [28725, 28726, 'Second argument to $slice must be a numeric value, but is of type: ', 'Second'],
  [28727, 28728, 'Third argument to $slice must be numeric, but is of type: ', 'Third'],
] as const;

function sliceBound(value: Value, which: 0 | 1): number {
  const [notNumeric, notInt, message, ordinal] = SLICE[which];
  if (!isNumeric(value)) throw new CommandError(notNumeric, message + typeName(value));
  const bound = asInt32(value);
  if (bound !== undefined) return bound;
  throw new CommandError(
    notInt,
    `${ordinal} argument to $slice can't be represented as a 32-bit integer: ${displayNumber(value)}`,
  );
}

function slice(operands: Operand[]): Operand {
  const [array, from, count] = operands;
  if (isNullish(array) || isNullish(from)) return null;
  const items = assertArray(
    array,
    28724,
    (type) => `First argument to $slice must be an array, but is of type: ${type}`,
  );
  const at = sliceBound(from, 0);
  if (operands.length === 2) return at >= 0 ? items.slice(0, at) : items.slice(at);
  if (isNullish(count)) return null;
  const length = sliceBound(count, 1);
  if (length <= 0) throw new CommandError(28729, `Third argument to $slice must be positive: ${length}`);
  const start = at < 0 ? Math.max(0, items.length + at) : at;
  return items.slice(start, start + length);
}

/** Array operators that bind no variable; the others are in iteration.operators.ts. */
export const arrayOperators: OperatorFamily = {
  $arrayElemAt: binary(elementAt),
  $first: end('$first', 0),
  $last: end('$last', -1),
  $arrayToObject: unary(toObject),
  $objectToArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!isDoc(value)) {
      throw new CommandError(40390, `$objectToArray requires a document input, found: ${typeName(value)}`);
    }
    allocate(value.size * 4);
    return [...value].map(([k, v]) => docOf(['k', k], ['v', v]));
  }),
  $concatArrays: variadic((operands) => {
    const watch = new MemoryWatch('$concatArrays');
    const arrays: Value[][] = [];
    let length = 0;
    for (const operand of operands) {
      if (isNullish(operand)) return null;
      const array = assertArray(operand, 28664, (type) => `$concatArrays only supports arrays, not ${type}`);
      arrays.push(array);
      length += array.length;
    }
    if (length * ELEMENT_BYTES > MEMORY_LIMIT) throw exceeded('$concatArrays');
    allocate(length);
    const result: Value[] = [];
    for (const array of arrays) for (const element of array) result.push(element); // a spread of very many would overflow the stack
    watch.check(result);
    return result;
  }),
  $in: binary((value, array, env) =>
    assertArray(array, 40081, (type) => `$in requires an array as a second argument, found: ${type}`).some(
      (item) => compareOperands(value, item, env.collation) === 0,
    ),
  ),
  $indexOfArray: operator(2, 4, (operands, env) => {
    const [array, value, from, to] = operands;
    if (isNullish(array)) return null;
    const items = assertArray(
      array,
      40090,
      (type) => `$indexOfArray requires an array as a first argument, found: ${type}`,
    );
    const start = operands.length > 2 ? searchIndex(from, '$indexOfArray', 'starting index') : 0;
    const stop = operands.length > 3 ? searchIndex(to, '$indexOfArray', 'ending index') : items.length;
    for (let i = start; i < Math.min(stop, items.length); i++) {
      if (compareOperands(items[i], value, env.collation) === 0) return int32(i);
    }
    return int32(-1);
  }),
  $isArray: unary((value) => Array.isArray(value)),
  $range: operator(2, 3, range),
  $reverseArray: unary((value) => {
    if (isNullish(value)) return null;
    return assertArray(
      value,
      34435,
      (type) => `The argument to $reverseArray must be an array, but was of type: ${type}`,
    ).toReversed();
  }),
  $size: unary((value) =>
    int32(
      assertArray(value, 17124, (type) => `The argument to $size must be an array, but was of type: ${type}`).length,
    ),
  ),
  $slice: operator(2, 3, slice),
};
