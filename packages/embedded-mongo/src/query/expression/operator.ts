import type { Doc, Value } from '../../bson/value.js';
import { CommandError, isInterruption } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { MemoryWatch } from '../memory.js';

/** A value while it is computed: `undefined` is MongoDB's "missing". */
export type Operand = Value | undefined;

/** What an expression is evaluated on: the document, and a slot for each variable bound on the way. */
export interface Scope {
  readonly root: Doc;
  readonly slots: Operand[];
}

/** A compiled aggregation expression. A constant one gives the same value on every scope. */
export interface Expression {
  (scope: Scope): Operand;
  readonly isConstant?: true;
  /** Whether it depends on nothing but constants and the variables of the pipeline it is in, as `let` of `$lookup` binds them. */
  readonly isBound?: true;
}

/** Compiles one operator: `argument` is what stands after its name. */
export type Operator = (argument: Value, context: CompileContext, name: string) => Expression;
export type OperatorFamily = Readonly<Record<string, Operator>>;

/** What the compiler of an expression knows: the environment, and which variables are in sight. */
export interface CompileContext {
  readonly env: QueryEnv;
  /** Compiles an operand. */
  compile(value: Value): Expression;
  /** The slot of a variable bound by an enclosing expression. */
  slotOf(name: string): number | undefined;
  /** The same context with more variables in sight; the slots come in the order of the names. */
  bind(names: readonly string[]): { context: CompileContext; slots: number[] };
}

export const scopeOf = (root: Doc): Scope => ({ root, slots: [] });

export const constant = (value: Operand): Expression => Object.assign(() => value, { isConstant: true as const });

/**
 * An expression over evaluated operands. With nothing but constants it is evaluated at once, so that an error in it
 * is reported even when no document is read, as MongoDB's optimizer does.
 */
export function fold(operands: readonly Expression[], evaluate: Expression): Expression {
  if (!operands.every((operand) => operand.isConstant)) {
    return operands.every((operand) => operand.isConstant || operand.isBound) ? boundOnly(evaluate) : evaluate;
  }
  try {
    return constant(evaluate(NOWHERE));
  } catch (error) {
    throw error instanceof CommandError && !isInterruption(error)
      ? new ConstantError(error.code, error.message)
      : error;
  }
}

/** Marks an expression that gives the same value for all documents while the variables keep theirs. */
export const boundOnly = (expression: Expression): Expression => Object.assign(expression, { isBound: true as const });

/** An error in the constant part of an expression, found before any document was read. */
export class ConstantError extends CommandError {}

/** Where an expression that reads no document is computed. */
export const NOWHERE: Scope = { root: new Map(), slots: [] };

/** The arguments of an operator: an array is its list, anything else stands for a list of one. */
export const argumentList = (argument: Value): readonly Value[] => (Array.isArray(argument) ? argument : [argument]);

type Evaluate = (operands: Operand[], env: QueryEnv, name: string) => Operand;

/** An operator that takes between `min` and `max` operands and needs all of their values. */
export function operator(min: number, max: number, evaluate: Evaluate): Operator {
  return (argument, context, name) => {
    const list = argumentList(argument);
    assertArity(name, list.length, min, max);
    const operands = compileAll(list, context, name);
    return fold(operands, (scope) => evaluate(valuesOf(operands, scope, name), context.env, name));
  };
}

/** Compiles a list of expressions, the constant ones of which are computed at once. */
export function compileAll(items: readonly Value[], context: CompileContext, name: string): Expression[] {
  const watch = new MemoryWatch(name);
  const constants: Value[] = [];
  return items.map((item) => {
    const operand = context.compile(item);
    if (operand.isConstant) constants.push(operand(NOWHERE) ?? null);
    watch.check(constants);
    return operand;
  });
}

function valuesOf(operands: readonly Expression[], scope: Scope, name: string): Operand[] {
  if (operands.length <= 2) return operands.map((operand) => operand(scope));
  const watch = new MemoryWatch(name);
  const values: Operand[] = [];
  for (const operand of operands) {
    values.push(operand(scope));
    watch.check(values as Value[]);
  }
  return values;
}

export function assertArity(name: string, count: number, min: number, max: number): void {
  if (count >= min && count <= max) return;
  if (min === max) {
    throw new CommandError(16020, `Expression ${name} takes exactly ${min} arguments. ${count} were passed in.`);
  }
  throw new CommandError(
    28667,
    `Expression ${name} takes at least ${min} arguments, and at most ${max}, but ${count} were passed in.`,
  );
}

export const unary = (evaluate: (operand: Operand, env: QueryEnv, name: string) => Operand): Operator =>
  operator(1, 1, ([operand], env, name) => evaluate(operand, env, name));

export const binary = (evaluate: (a: Operand, b: Operand, env: QueryEnv, name: string) => Operand): Operator =>
  operator(2, 2, ([a, b], env, name) => evaluate(a, b, env, name));

export const variadic = (evaluate: Evaluate): Operator => operator(0, Infinity, evaluate);
