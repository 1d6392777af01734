import { type State } from '../accumulator/accumulator.js';
import { Extreme } from '../accumulator/element.accumulators.js';
import { Average, StandardDeviation, Sum } from '../accumulator/numeric.accumulators.js';
import { compilePercentile } from '../accumulator/percentile.accumulators.js';
import { compileCounted, countOf, SELECTIONS, type Selection } from '../accumulator/ranked.accumulators.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { spend } from '../../bson/work.js';
import { fold, variadic, type Operator, type OperatorFamily } from './operator.js';

/** An accumulator over the operands, or over the elements of an only operand that is an array. */
const accumulated = (create: (env: QueryEnv) => State): Operator =>
  variadic((operands, env) => {
    const state = create(env);
    const [only] = operands;
    for (const value of operands.length === 1 && Array.isArray(only) ? only : operands) {
      spend(1);
      state.add(value);
    }
    return state.result();
  });

const selected = (select: Selection): Operator => {
  return (argument, context, name) => {
    const { n, input } = compileCounted(argument, context, name);
    return fold([n, input], (scope) => {
      const count = countOf(n(scope));
      const array = input(scope);
      if (!Array.isArray(array)) throw new CommandError(5788200, 'Input must be an array');
      return select(array, count, context);
    });
  };
};

const percentile: Operator = (argument, context, name) => {
  const spec = compilePercentile(argument, context, name);
  return fold([spec.input], (scope) => {
    const input = spec.input(scope);
    return spec.of(Array.isArray(input) ? input : [input]);
  });
};

/** Accumulators as expressions: they work on the values of one document. */
export const accumulatedOperators: OperatorFamily = {
  $avg: accumulated(() => new Average()),
  $max: accumulated((env) => new Extreme(1, env.collation)),
  $min: accumulated((env) => new Extreme(-1, env.collation)),
  $stdDevPop: accumulated(() => new StandardDeviation(false)),
  $stdDevSamp: accumulated(() => new StandardDeviation(true)),
  $sum: accumulated(() => new Sum()),
  ...Object.fromEntries(Object.entries(SELECTIONS).map(([name, select]) => [name, selected(select)])),
  $median: percentile,
  $percentile: percentile,
};
