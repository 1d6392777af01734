import { accumulatorNamed } from '../accumulator.js';
import { compileContext, NOWHERE, scopeOf, type Scope } from '../expression.js';
import type { Accumulator } from '../accumulator/accumulator.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { CommandError } from '../../errors.js';
import { MemoryWatch } from '../memory.js';
import type { Value } from '../../bson/value.js';
import { parseBounds } from './bounds.js';
import type { WindowContext, WindowFamily, WindowFunction, WindowOperator } from './partition.js';
import { checkInterrupt } from '../../bson/work.js';

const NAMES = [
  ...['$sum', '$avg', '$min', '$max', '$stdDevPop', '$stdDevSamp', '$count', '$push', '$addToSet', '$first', '$last'],
  ...['$firstN', '$lastN', '$minN', '$maxN', '$top', '$topN', '$bottom', '$bottomN', '$median', '$percentile'],
];

/** Runs an accumulator over the window of each document; a window that only grows is gone through once. */
function over(start: () => Accumulator, context: WindowContext): WindowFunction {
  const { frames, isGrowing } = parseBounds(context);
  return (partition) => {
    const scopes = partition.map(scopeOf);
    let [accumulator, next] = [start(), 0];
    const watch = new MemoryWatch('$setWindowFields');
    const results: Value[] = [];
    for (const { first, last } of frames(partition)) {
      checkInterrupt();
      if (!isGrowing) [accumulator, next] = [start(), first];
      for (; next <= last; next++) accumulator.add(scopes[next] as Scope);
      results.push(accumulator.result() ?? null);
      watch.check(results);
    }
    return results;
  };
}

const accumulated: WindowOperator = (argument, context, name) => {
  const compiled = accumulatorNamed(name)?.(argument, compileContext(context.env), name);
  return over(() => (compiled as NonNullable<typeof compiled>).start(NOWHERE), context);
};

/** The covariance of two expressions, in doubles; pairs with anything but numbers do not count. */
const covariance =
  (isSample: boolean): WindowOperator =>
  (argument, context, name) => {
    if (!Array.isArray(argument) || argument.length !== 2) {
      throw new CommandError('FailedToParse', `${name} requires an array of two expressions`);
    }
    const compiler = compileContext(context.env);
    const [x, y] = argument.map((value) => compiler.compile(value)) as [Expression, Expression];
    return over(() => {
      let [count, meanX, meanY, sum] = [0, 0, 0, 0];
      return {
        add(scope) {
          const [a, b] = [x(scope), y(scope)];
          if (!isNumeric(a) || !isNumeric(b)) return;
          count++;
          const delta = toNumber(a) - meanX;
          meanX += delta / count;
          meanY += (toNumber(b) - meanY) / count;
          sum += delta * (toNumber(b) - meanY);
        },
        result() {
          const degrees = isSample ? count - 1 : count;
          return degrees > 0 ? sum / degrees : null;
        },
      };
    }, context);
  };

type Expression = ReturnType<ReturnType<typeof compileContext>['compile']>;

/** Accumulators as window functions. */
export const accumulatedFunctions: WindowFamily = {
  ...Object.fromEntries(NAMES.map((name) => [name, accumulated])),
  $covariancePop: covariance(false),
  $covarianceSamp: covariance(true),
};
