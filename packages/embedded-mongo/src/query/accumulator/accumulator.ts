import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { CompileContext, Operand, Scope } from '../expression/operator.js';

/** What an accumulator has seen so far; `result` may be asked for at any time. */
export interface State {
  add(value: Operand): void;
  result(): Operand;
}

/** An accumulator at work on one group: it is given the documents one by one. */
export interface Accumulator {
  add(scope: Scope): void;
  result(): Operand;
}

/** A compiled accumulator; `start` begins a group, whose key may be what `n` is computed from. */
export interface CompiledAccumulator {
  start(group: Scope): Accumulator;
}

/** Compiles one accumulator: `argument` is what stands after its name. */
export type AccumulatorOperator = (argument: Value, context: CompileContext, name: string) => CompiledAccumulator;
export type AccumulatorFamily = Readonly<Record<string, AccumulatorOperator>>;

/** An accumulator of one expression's values. */
export const ofValue = (create: (context: CompileContext) => State): AccumulatorOperator => {
  return (argument, context, name) => {
    if (Array.isArray(argument)) throw new CommandError(40237, `The ${name} accumulator is a unary operator`);
    const value = context.compile(argument);
    return {
      start() {
        const state = create(context);
        return { add: (scope) => state.add(value(scope)), result: () => state.result() };
      },
    };
  };
};
