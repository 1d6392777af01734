import { isNumeric, toNumber } from '../../bson/number.js';
import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import type { CompileContext, Expression, Operand } from '../expression/operator.js';
import type { AccumulatorFamily, AccumulatorOperator } from './accumulator.js';

/** `{ input, p, method }` of `$percentile`; `$median` has no `p` and gives one value. */
export interface PercentileSpec {
  readonly input: Expression;
  /** The percentiles of numbers; null where there are no numbers. */
  of(values: readonly Operand[]): Operand;
}

export function compilePercentile(argument: Value, context: CompileContext, name: string): PercentileSpec {
  if (!isDoc(argument)) {
    throw new CommandError(7436200, `specification must be an object; found ${name} :${typeName(argument)}`);
  }
  const isMedian = name === '$median';
  const fields = isMedian ? ['input', 'method'] : ['input', 'p', 'method'];
  assertKnownFields(argument, name, fields);
  for (const field of fields) {
    if (argument.has(field)) continue;
    throw new CommandError(40414, `BSON field '${name}.${field}' is missing but a required field`);
  }
  if (argument.get('method') !== 'approximate') {
    throw new CommandError('BadValue', "Currently only 'approximate' can be used as percentile 'method'.");
  }
  const ranks = isMedian ? [0.5] : percentiles(argument.get('p') as Value, context);
  return {
    input: context.compile(argument.get('input') as Value),
    of(values) {
      const numbers = Float64Array.from(values.filter(isNumeric).map(toNumber)).sort();
      const found = ranks.map((p) => numbers[Math.max(0, Math.ceil(p * numbers.length) - 1)] ?? null);
      return isMedian ? found[0] : found;
    },
  };
}

function percentiles(p: Value, context: CompileContext): number[] {
  const expression = context.compile(p);
  const values = expression.isConstant ? expression({ root: new Map(), slots: [] }) : undefined;
  if (!Array.isArray(values) || values.length === 0) {
    throw new CommandError(7750300, "The $percentile 'p' field must be an array of constants with at least one value");
  }
  return values.map((value) => {
    if (!isNumeric(value)) {
      throw new CommandError(
        7750301,
        `The $percentile 'p' field must be an array of numbers, but found ${typeName(value)}`,
      );
    }
    const rank = toNumber(value);
    if (rank >= 0 && rank <= 1) return rank;
    throw new CommandError(
      7750303,
      `The $percentile 'p' field must be an array of numbers from [0.0, 1.0], found: ${rank}`,
    );
  });
}

const percentile: AccumulatorOperator = (argument, context, name) => {
  const spec = compilePercentile(argument, context, name);
  return {
    start() {
      const values: Operand[] = [];
      return {
        add: (scope) => void values.push(spec.input(scope)),
        result: () => spec.of(values),
      };
    },
  };
};

/** Percentiles: exact here, where MongoDB approximates those of many values. */
export const percentileAccumulators: AccumulatorFamily = {
  $percentile: percentile,
  $median: percentile,
};
