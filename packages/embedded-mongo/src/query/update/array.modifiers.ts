import { BSONRegExp } from 'bson';
import { equalValues } from '../../bson/compare.js';
import { formatDoc, formatValue } from '../../bson/format.js';
import { docOf, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileFilter } from '../filter.js';
import { parseInteger } from '../filter/integer.js';
import { isFieldOperator } from '../filter/operators.js';
import { type Modifier, type ModifierCompiler, UNCHANGED } from './modifier.js';
import { ValueSet } from '../expression/value-set.js';

const bad = (message: string): CommandError => new CommandError('BadValue', message);

function valuesToAdd(operand: Value): readonly Value[] {
  if (!isDoc(operand) || operand.keys().next().value !== '$each') return [operand];
  const values = operand.get('$each')!;
  if (!Array.isArray(values)) {
    throw new CommandError(
      'TypeMismatch',
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(values)}`,
    );
  }
  if (operand.size > 1) throw bad(`Found unexpected fields after $each in $addToSet: ${formatDoc(operand)}`);
  return values;
}

export const addToSet: ModifierCompiler = (operand, _field, { collation }) => {
  const values = valuesToAdd(operand);
  return {
    creates: true,
    appends: true,
    apply: (current, { path }) => {
      if (current !== undefined && !Array.isArray(current)) {
        throw bad(
          `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeName(current)}`,
        );
      }
      const known = new ValueSet(collation, current);
      const added = values.filter((value) => known.add(value));
      return current && added.length === 0 ? UNCHANGED : [...(current ?? []), ...added];
    },
  };
};

export const pop: ModifierCompiler = (operand, field) => {
  const end = parseInteger(field, operand);
  if (end !== 1n && end !== -1n)
    throw new CommandError('FailedToParse', `$pop expects 1 or -1, found: ${formatValue(operand)}`);
  return {
    creates: false,
    apply: (current, { path }) => {
      if (current === undefined) return UNCHANGED;
      if (!Array.isArray(current)) {
        throw new CommandError(
          'TypeMismatch',
          `Path '${path}' contains an element of non-array type '${typeName(current)}'`,
        );
      }
      if (current.length === 0) return UNCHANGED;
      return end === 1n ? current.slice(0, -1) : current.slice(1);
    },
  };
};

/** Removes the elements for which `isCulled` holds. */
const cull = (isCulled: (element: Value) => boolean): Modifier => ({
  creates: false,
  apply: (current) => {
    if (current === undefined) return UNCHANGED;
    if (!Array.isArray(current)) throw bad('Cannot apply $pull to a non-array value');
    const kept = current.filter((element) => !isCulled(element));
    return kept.length === current.length ? UNCHANGED : kept;
  },
});

/** `$pull` takes a value to equal, operators on an element, or a filter of the documents in the array. */
function pullCondition(operand: Value, env: QueryEnv): (element: Value) => boolean {
  if (operand instanceof BSONRegExp || hasOperators(operand)) {
    const filter = compileFilter(docOf(['', operand]), env);
    return (element) => filter(docOf(['', element]));
  }
  if (isDoc(operand)) {
    const filter = compileFilter(operand, env);
    return (element) => isDoc(element) && filter(element);
  }
  return (element) => equalValues(element, operand, env.collation);
}

function hasOperators(operand: Value): boolean {
  const first = isDoc(operand) ? operand.keys().next().value : undefined;
  return first !== undefined && first !== '$not' && isFieldOperator(first);
}

export const pull: ModifierCompiler = (operand, _field, env) => cull(pullCondition(operand, env));

export const pullAll: ModifierCompiler = (operand, _field, { collation }) => {
  if (!Array.isArray(operand)) throw bad(`$pullAll requires an array argument but was given a ${typeName(operand)}`);
  const culled = new ValueSet(collation, operand);
  return cull((element) => culled.has(element));
};
