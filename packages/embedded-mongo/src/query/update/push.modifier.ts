import type { Collation } from '../../bson/collation.js';
import { compareValues } from '../../bson/compare.js';
import { isNumeric, toExactInt64, toNumber } from '../../bson/number.js';
import { getPath, splitPath } from '../../bson/path.js';
import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type Modifier, type ModifierCompiler, UNCHANGED } from './modifier.js';
import { idOf } from './number.modifiers.js';

const bad = (message: string): CommandError => new CommandError('BadValue', message);

interface PushClauses {
  readonly values: readonly Value[];
  readonly position?: number;
  readonly slice?: number;
  readonly order?: (a: Value, b: Value) => number;
}

const CLAUSES = ['$each', '$slice', '$sort', '$position'];

function integerClause(value: Value | undefined, message: string): number | undefined {
  if (value === undefined) return undefined;
  const integer = isNumeric(value) ? toExactInt64(value) : undefined;
  if (integer === undefined) throw bad(`${message} ${typeName(value)}`);
  return Number(integer);
}

function directionOf(value: Value): number {
  const direction = isNumeric(value) ? toNumber(value) : 0;
  if (direction !== 1 && direction !== -1) throw bad('The $sort element value must be either 1 or -1');
  return direction;
}

function sortClause(value: Value | undefined, collation: Collation | undefined): PushClauses['order'] {
  if (value === undefined) return undefined;
  if (isNumeric(value)) {
    const direction = directionOf(value);
    return (a, b) => direction * compareValues(a, b, collation);
  }
  if (!isDoc(value)) {
    throw bad('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields');
  }
  if (value.size === 0) throw bad('The $sort pattern is empty when it should be a set of fields.');
  const fields = [...value].map(([field, order]) => {
    const direction = directionOf(order);
    const path = splitPath(field);
    if (field === '') throw bad('The $sort field cannot be empty');
    if (path.includes('')) throw bad(`The $sort field is a dotted field but has an empty part: ${field}`);
    return { path, direction };
  });
  const key = (element: Value, path: readonly string[]): Value =>
    (isDoc(element) ? getPath(element, path) : null) ?? null;
  return (a, b) => {
    for (const { path, direction } of fields) {
      const order = compareValues(key(a, path), key(b, path), collation);
      if (order !== 0) return direction * order;
    }
    return 0;
  };
}

function parseClauses(operand: Value, collation: Collation | undefined): PushClauses {
  if (!isDoc(operand) || !operand.has('$each')) return { values: [operand] };
  for (const name of operand.keys()) {
    if (!CLAUSES.includes(name)) throw bad(`Unrecognized clause in $push: ${name}`);
  }
  const values = operand.get('$each')!;
  if (!Array.isArray(values)) {
    throw bad(`The argument to $each in $push must be an array but it was of type: ${typeName(values)}`);
  }
  return {
    values,
    slice: integerClause(operand.get('$slice'), 'The value for $slice must be an integer value but was given type:'),
    order: sortClause(operand.get('$sort'), collation),
    position: integerClause(operand.get('$position'), 'The value for $position must be an integer value, not of type:'),
  };
}

export const push: ModifierCompiler = (operand, _field, env): Modifier => {
  const { values, position, slice, order } = parseClauses(operand, env.collation);
  return {
    creates: true,
    appends: position === undefined && slice === undefined && order === undefined,
    apply: (current, site) => {
      if (current !== undefined && !Array.isArray(current)) {
        throw bad(
          `The field '${site.path}' must be an array but is of type ${typeName(current)} in document {${idOf(site)}}`,
        );
      }
      const before = current ?? [];
      const at = position ?? before.length;
      const array = [...before.slice(0, at), ...values, ...before.slice(at)];
      if (order) array.sort(order);
      const sliced =
        slice === undefined ? array : slice === 0 ? [] : slice > 0 ? array.slice(0, slice) : array.slice(slice);
      const isUnchanged = current && values.length === 0 && !order && sliced.length === current.length;
      return isUnchanged ? UNCHANGED : sliced;
    },
  };
};
