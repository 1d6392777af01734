import { Timestamp } from 'bson';
import { compareValues } from '../../bson/compare.js';
import { identicalValues } from '../../bson/identical.js';
import { formatValue } from '../../bson/format.js';
import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { type Modifier, type ModifierCompiler, REMOVED, UNCHANGED } from './modifier.js';

const replaceBy = (value: Value): Modifier => ({
  creates: true,
  apply: (current) => (current !== undefined && identicalValues(current, value) ? UNCHANGED : value),
});

export const set: ModifierCompiler = (operand) => replaceBy(operand);

export const setOnInsert: ModifierCompiler = (operand) => ({ ...replaceBy(operand), onInsertOnly: true });

export const unset: ModifierCompiler = () => ({
  creates: false,
  toleratesBlockedPath: true,
  apply: (current) => (current === undefined ? UNCHANGED : REMOVED),
});

/** `$min` (sign -1) and `$max` (sign 1). */
export const extreme =
  (sign: -1 | 1): ModifierCompiler =>
  (operand, _field, env) => ({
    creates: true,
    apply: (current) =>
      current === undefined || compareValues(operand, current, env.collation) === sign ? operand : UNCHANGED,
  });

const isoTypes: Readonly<Record<string, (env: QueryEnv) => Value>> = {
  date: (env) => new Date(env.now),
  timestamp: (env) => env.clusterTime ?? new Timestamp({ t: Math.floor(env.now.getTime() / 1000), i: 1 }),
};

function currentDateType(operand: Value): (env: QueryEnv) => Value {
  if (typeof operand === 'boolean') return isoTypes.date!;
  if (!isDoc(operand)) {
    throw new CommandError(
      'BadValue',
      `${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  for (const [name, type] of operand) {
    if (name !== '$type') throw new CommandError('BadValue', `Unrecognized $currentDate option: ${name}`);
    const maker = typeof type === 'string' && Object.hasOwn(isoTypes, type) ? isoTypes[type] : undefined;
    if (maker) return maker;
  }
  throw new CommandError(
    'BadValue',
    `The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : ${formatValue(operand)}}}`,
  );
}

export const currentDate: ModifierCompiler = (operand, _field, env) => {
  const make = currentDateType(operand);
  return { creates: true, apply: () => make(env) };
};
