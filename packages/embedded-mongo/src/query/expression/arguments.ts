import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError, type ErrorCodeName } from '../../errors.js';
import { fold, type CompileContext, type Expression, type Operand, type Operator } from './operator.js';

type Code = ErrorCodeName | number;

/** The named arguments of an operator, each with the error MongoDB gives when it is not there. */
export interface ArgumentRule {
  readonly required: Readonly<Record<string, readonly [Code, string]>>;
  readonly optional?: readonly string[];
  readonly notAnObject: readonly [Code, (name: string, type: string) => string];
  /** Without it, arguments that are not known are ignored. */
  readonly unknown?: readonly [Code, (name: string, field: string) => string];
}

/** Reads the named arguments of an operator. @throws CommandError naming the one that is missing or not known */
export function readArguments(argument: Value, rule: ArgumentRule, name: string): Map<string, Value> {
  if (!isDoc(argument)) throw new CommandError(rule.notAnObject[0], rule.notAnObject[1](name, typeName(argument)));
  for (const field of argument.keys()) {
    if (rule.unknown && !(field in rule.required) && !rule.optional?.includes(field)) {
      throw new CommandError(rule.unknown[0], rule.unknown[1](name, field));
    }
  }
  for (const [field, [code, message]] of Object.entries(rule.required)) {
    if (!argument.has(field)) throw new CommandError(code, message.replace('%', name));
  }
  return argument;
}

/** The compiled operands of an operator with named arguments; one that was not given has no entry. */
export type NamedOperands = Readonly<Record<string, Expression | undefined>>;

export function compileArguments(
  argument: Value,
  rule: ArgumentRule,
  context: CompileContext,
  name: string,
): NamedOperands {
  const given = readArguments(argument, rule, name);
  return Object.fromEntries([...given].map(([field, value]) => [field, context.compile(value)]));
}

/** What an operator with named arguments is evaluated with: `has` tells "not given" from "missing". */
export interface NamedValues {
  has(field: string): boolean;
  get(field: string): Operand;
}

/** An operator with named arguments, each evaluated when it is asked for. */
export function named(
  rule: ArgumentRule,
  evaluate: (values: NamedValues, context: CompileContext, name: string) => Operand,
): Operator {
  return (argument, context, name) => {
    const operands = compileArguments(argument, rule, context, name);
    const given = Object.values(operands).filter((operand) => operand !== undefined);
    return fold(given, (scope) =>
      evaluate(
        {
          has: (field) => Object.hasOwn(operands, field),
          get: (field) => (Object.hasOwn(operands, field) ? operands[field]?.(scope) : undefined),
        },
        context,
        name,
      ),
    );
  };
}
