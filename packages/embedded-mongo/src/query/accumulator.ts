import { isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { AccumulatorOperator, CompiledAccumulator } from './accumulator/accumulator.js';
import { elementAccumulators } from './accumulator/element.accumulators.js';
import { numericAccumulators } from './accumulator/numeric.accumulators.js';
import { percentileAccumulators } from './accumulator/percentile.accumulators.js';
import { rankedAccumulators } from './accumulator/ranked.accumulators.js';
import { compileContext } from './expression.js';
import type { CompileContext } from './expression/operator.js';
import type { QueryEnv } from './env.js';
import { accumulatorOperator } from './javascript/accumulator.operator.js';

export type { Accumulator, CompiledAccumulator } from './accumulator/accumulator.js';

const ACCUMULATORS = new Map<string, AccumulatorOperator>(
  Object.entries({
    ...numericAccumulators,
    ...elementAccumulators,
    ...rankedAccumulators,
    ...percentileAccumulators,
    $accumulator: accumulatorOperator,
  }),
);

/** The accumulator of a name such as `$sum`, if there is one. */
export const accumulatorNamed = (name: string): AccumulatorOperator | undefined => ACCUMULATORS.get(name);

/** Compiles a field of `$group` and its like, such as `{ $sum: '$a' }`. @throws CommandError as MongoDB's */
export function compileAccumulator(field: string, spec: Value, env: QueryEnv): CompiledAccumulator {
  if (field.includes('.')) throw new CommandError(40235, `The field name '${field}' cannot contain '.'`);
  if (field.startsWith('$')) throw new CommandError(40236, `The field name '${field}' cannot be an operator name`);
  const [name = ''] = isDoc(spec) ? spec.keys() : [];
  if (!isDoc(spec) || spec.size === 0 || !name.startsWith('$')) {
    throw new CommandError(40234, `The field '${field}' must be an accumulator object`);
  }
  if (spec.size > 1) throw new CommandError(40238, `The field '${field}' must specify one accumulator`);
  const accumulator = ACCUMULATORS.get(name);
  if (accumulator === undefined) throw new CommandError(15952, `unknown group operator '${name}'`);
  const context: CompileContext = compileContext(env);
  return accumulator(spec.get(name) as Value, context, name);
}
