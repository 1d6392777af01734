import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { readArguments, type ArgumentRule } from './arguments.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import { fold, variadic, type CompileContext, type Expression, type Operand, type OperatorFamily } from './operator.js';

/** Adds the fields of one more operand of `$mergeObjects`. */
export function mergeInto(target: Doc, value: Operand): void {
  if (isNullish(value)) return;
  if (!isDoc(value)) {
    throw new CommandError(
      40400,
      `$mergeObjects requires object inputs, but input ${display(value)} is of type ${typeName(value)}`,
    );
  }
  for (const [field, item] of value) target.set(field, item);
}

const GET_FIELD: ArgumentRule = {
  required: {
    field: [3041702, "$getField requires 'field' to be specified"],
    input: [3041703, "$getField requires 'input' to be specified"],
  },
  notAnObject: [3041701, (name) => `${name} only supports an object as its argument`],
  unknown: [3041701, (_, field) => `$getField found an unknown argument: ${field}`],
};

const SET_FIELD: ArgumentRule = {
  required: {
    field: [4161102, "% requires 'field' to be specified"],
    value: [4161103, "% requires 'value' to be specified"],
    input: [4161109, "% requires 'input' to be specified"],
  },
  notAnObject: [4161100, (name) => `${name} only supports an object as its argument`],
  unknown: [4161101, (name, field) => `${name} found an unknown argument: ${field}`],
};

const UNSET_FIELD: ArgumentRule = {
  ...SET_FIELD,
  required: {
    field: [4161102, "% requires 'field' to be specified"],
    input: [4161109, "% requires 'input' to be specified"],
  },
};

/** `field` is a constant string: `$` and `.` in it have no meaning. */
function fieldName(value: Value, context: CompileContext, name: string): string {
  const expression = context.compile(value);
  const [notConstant, notString] = name === '$getField' ? [5654600, 5654602] : [4161106, 4161107];
  if (typeof value === 'string' && value.startsWith('$') && !value.startsWith('$$')) {
    throw new CommandError(
      name === '$getField' ? 5654601 : 4161108,
      `A field path reference which is not allowed in this context. Did you mean {$literal: '${value}'}?`,
    );
  }
  if (!expression.isConstant) {
    throw new CommandError(
      notConstant,
      `${name} requires 'field' to evaluate to a constant, but got a non-constant argument`,
    );
  }
  const field = expression({ root: new Map(), slots: [] });
  if (typeof field === 'string') return field;
  throw new CommandError(notString, `${name} requires 'field' to evaluate to type String, but got ${typeName(field)}`);
}

/** The arguments of `$getField`, whose short form names just the field. */
const withInput = (argument: Value): Value => {
  const isShort = !isDoc(argument) || [...argument.keys()][0]?.startsWith('$');
  return isShort
    ? new Map<string, Value>([
        ['field', argument],
        ['input', '$$CURRENT'],
      ])
    : argument;
};

function setter(name: string, argument: Value, context: CompileContext, rule: ArgumentRule): Expression {
  const given = readArguments(argument, rule, name);
  const field = fieldName(given.get('field') as Value, context, name);
  const input = context.compile(given.get('input') as Value);
  const value = context.compile(given.get('value') ?? '$$REMOVE');
  return fold([input, value], (scope) => {
    const source = input(scope);
    if (isNullish(source)) return null;
    if (!isDoc(source)) {
      throw new CommandError(4161105, `${name} requires 'input' to evaluate to type Object`);
    }
    const result: Doc = new Map(source);
    const replacement = value(scope);
    if (replacement === undefined) result.delete(field);
    else result.set(field, replacement);
    return result;
  });
}

/** Object operators. */
export const objectOperators: OperatorFamily = {
  $mergeObjects: variadic((operands) => {
    const result: Doc = new Map();
    const [only] = operands;
    const inputs = operands.length === 1 && Array.isArray(only) ? only : operands;
    for (const operand of inputs) mergeInto(result, operand);
    return result;
  }),
  $getField(argument, context, name) {
    const given = readArguments(withInput(argument), GET_FIELD, name);
    const field = fieldName(given.get('field') as Value, context, name);
    const input = context.compile(given.get('input') as Value);
    return fold([input], (scope) => {
      const source = input(scope);
      if (source === undefined) return undefined;
      return isNullish(source) ? null : isDoc(source) ? source.get(field) : undefined;
    });
  },
  $setField: (argument, context, name) => setter(name, argument, context, SET_FIELD),
  $unsetField: (argument, context, name) => setter(name, argument, context, UNSET_FIELD),
};
