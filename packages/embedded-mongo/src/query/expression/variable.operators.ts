import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { constant, type OperatorFamily } from './operator.js';
import { readArguments, type ArgumentRule } from './arguments.js';
import { assertBindable } from './variable.js';

const LET: ArgumentRule = {
  required: { vars: [16876, "Missing 'vars' parameter to $let"], in: [16877, "Missing 'in' parameter to $let"] },
  notAnObject: [16874, () => '$let only supports an object as its argument'],
  unknown: [16875, (_, field) => `Unrecognized parameter to $let: ${field}`],
};

/** Operators that bind variables, or keep a value from being taken for an expression. */
export const variableOperators: OperatorFamily = {
  $literal: (argument) => constant(argument),
  $const: (argument) => constant(argument),
  $let(argument, context, name) {
    const given = readArguments(argument, LET, name);
    const vars = given.get('vars') as Value;
    if (!isDoc(vars)) {
      throw new CommandError(10065, `invalid parameter: expected an object (vars), found ${typeName(vars)}`);
    }
    const values = [...vars.values()].map((value) => context.compile(value));
    for (const variable of vars.keys()) assertBindable(variable);
    const { context: inner, slots } = context.bind([...vars.keys()]);
    const body = inner.compile(given.get('in') as Value);
    if (body.isConstant) return body;
    return (scope) => {
      const bound = values.map((value) => value(scope));
      bound.forEach((value, i) => (scope.slots[slots[i] as number] = value));
      return body(scope);
    };
  },
};
