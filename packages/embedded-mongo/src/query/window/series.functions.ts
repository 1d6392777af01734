import { Decimal128 } from 'bson';
import { getPath } from '../../bson/path.js';
import { add, isNumeric, multiply, subtract, toNumber, type Numeric } from '../../bson/number.js';
import { asDecimal } from '../../bson/number.js';
import { divideDecimals, toDecimal128 } from '../../bson/decimal.js';
import { int32, isDoc, msOf, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileDocExpression } from '../expression.js';
import { isNullish } from '../expression/operand.js';
import type { Operand } from '../expression/operator.js';
import { parseBounds } from './bounds.js';
import type { WindowContext, WindowFamily, WindowOperator, WindowSort } from './partition.js';

const invalid = (message: string): CommandError => new CommandError('FailedToParse', message);

const minus = (a: Numeric, b: Numeric): Numeric => subtract(a, b) ?? toNumber(a) - toNumber(b);
const times = (a: Numeric, b: Numeric): Numeric => multiply(a, b) ?? toNumber(a) * toNumber(b);
const plus = (a: Numeric, b: Numeric): Numeric => add(a, b) ?? toNumber(a) + toNumber(b);

function ratio(a: Numeric, b: Numeric): Numeric {
  if (!(a instanceof Decimal128) && !(b instanceof Decimal128)) return toNumber(a) / toNumber(b);
  return toDecimal128(divideDecimals(asDecimal(a), asDecimal(b)));
}

const UNIT_MS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

/** The place of a document on the axis it is sorted by: a number, or a date in units. */
function axis(doc: Doc, path: readonly string[], unit: number | undefined, name: string): Numeric {
  const value = getPath(doc, path);
  if (unit === undefined) {
    if (isNumeric(value)) return value;
    throw new CommandError(
      value instanceof Date ? 5624902 : 5624901,
      value instanceof Date
        ? `${name} where the sortBy is a Date requires a 'unit'`
        : `${name} requires the sortBy to be numeric, but it was ${typeName(value)}`,
    );
  }
  if (value instanceof Date) return Number(msOf(value)) / unit;
  throw new CommandError(
    5624900,
    `${name} with unit expects the sortBy field to be a Date, but it was ${typeName(value)}`,
  );
}

function sortedPath(sort: WindowSort | undefined, name: string): readonly string[] {
  if (sort?.path !== undefined && sort.size === 1) return sort.path;
  throw invalid(`${name} requires a sortBy of a single, ascending field`);
}

/** `{ input, unit }` of `$derivative` and `$integral`. */
function compileSlope(argument: Value, context: WindowContext, name: string) {
  if (!isDoc(argument)) throw invalid(`${name} expects an object, but got a ${typeName(argument)}`);
  for (const field of argument.keys()) {
    if (field !== 'input' && field !== 'unit') throw invalid(`${name} got unexpected argument: ${field}`);
  }
  const [input, unit] = [argument.get('input'), argument.get('unit')];
  if (input === undefined) throw invalid(`${name} requires an 'input' expression`);
  const unitMS = typeof unit === 'string' ? UNIT_MS[unit] : undefined;
  if (unit !== undefined && unitMS === undefined) {
    throw new CommandError(5490704, `unit must be 'week' or smaller`);
  }
  const path = sortedPath(context.sort, name);
  const expression = compileDocExpression(input, context.env);
  return {
    input: expression,
    at: (doc: Doc): Numeric => axis(doc, path, unitMS, name),
    bounds: parseBounds(context),
  };
}

const derivative: WindowOperator = (argument, context, name) => {
  if (context.window === undefined) throw invalid('$derivative requires explicit window bounds');
  const { input, at, bounds } = compileSlope(argument, context, name);
  return (partition) =>
    bounds.frames(partition).map(({ first, last }): Operand => {
      const [start, end] = [partition[first], partition[last]];
      if (start === undefined || end === undefined || last <= first) return null;
      const [y0, y1] = [input(start), input(end)];
      if (isNullish(y0) || isNullish(y1)) return null;
      if (!isNumeric(y0) || !isNumeric(y1)) {
        throw new CommandError(5624903, `$derivative input must not be non-numeric`);
      }
      const dx = minus(at(end), at(start));
      return toNumber(dx) === 0 ? null : ratio(minus(y1, y0), dx);
    });
};

const integral: WindowOperator = (argument, context, name) => {
  const { input, at, bounds } = compileSlope(argument, context, name);
  return (partition) => {
    const points = partition.map((doc) => ({ x: at(doc), y: input(doc) }));
    return bounds.frames(partition).map(({ first, last }): Operand => {
      let area: Numeric = int32(0);
      for (let i = first + 1; i <= last; i++) {
        const [a, b] = [points[i - 1], points[i]];
        if (!a || !b || !isNumeric(a.y) || !isNumeric(b.y)) return null;
        area = plus(area, ratio(times(plus(a.y, b.y), minus(b.x, a.x)), int32(2)));
      }
      return area;
    });
  };
};

function smoothing(argument: Value): number {
  const shape =
    "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field";
  if (!isDoc(argument)) throw invalid('$expMovingAvg must have exactly one argument that is an object');
  const [n, alpha] = [argument.get('N'), argument.get('alpha')];
  if (argument.size !== 2 || !argument.has('input') || (n === undefined && alpha === undefined)) throw invalid(shape);
  if (n !== undefined) {
    if (!isNumeric(n) || !Number.isInteger(toNumber(n)))
      throw invalid(`'N' field must be an integer, but found type ${typeName(n)}`);
    if (toNumber(n) <= 0) throw invalid(`'N' must be greater than zero. Got ${toNumber(n)}`);
    return 2 / (toNumber(n) + 1);
  }
  if (!isNumeric(alpha)) throw invalid("'alpha' must be a number");
  const factor = toNumber(alpha);
  if (factor > 0 && factor < 1) return factor;
  throw invalid(`'alpha' must be between 0 and 1 (exclusive), found alpha: ${factor}`);
}

const movingAverage: WindowOperator = (argument, context) => {
  const alpha = smoothing(argument);
  if (context.sort === undefined) throw invalid("$expMovingAvg requires an explicit 'sortBy'");
  const input = compileDocExpression((argument as Doc).get('input') as Value, context.env);
  return (partition) => {
    let average: Numeric | undefined;
    return partition.map((doc): Operand => {
      const value = input(doc);
      if (isNumeric(value)) {
        const weighed = average === undefined ? value : plus(times(value, alpha), times(average, 1 - alpha));
        average = weighed instanceof Decimal128 ? weighed : toNumber(weighed);
      }
      return average ?? null;
    });
  };
};

const carryForward: WindowOperator = (argument, { env }) => {
  const input = compileDocExpression(argument, env);
  return (partition) => {
    let last: Operand = null;
    return partition.map((doc) => {
      const value = input(doc);
      return isNullish(value) ? last : (last = value);
    });
  };
};

const linearFill: WindowOperator = (argument, { env, sort }, name) => {
  const path = sortedPath(sort, name);
  const input = compileDocExpression(argument, env);
  return (partition) => {
    const xs = partition.map((doc) => {
      const value = getPath(doc, path);
      return value instanceof Date ? Number(msOf(value)) : axis(doc, path, undefined, name);
    });
    const ys = partition.map((doc) => {
      const value = input(doc);
      if (isNullish(value) || isNumeric(value)) return isNullish(value) ? null : value;
      throw new CommandError(
        6050106,
        `Value to be filled must be numeric or nullish, but found type: ${typeName(value)}`,
      );
    });
    if (xs.some((x, i) => i > 0 && toNumber(x) === toNumber(xs[i - 1] as Numeric))) {
      throw new CommandError(6050106, 'There can be no repeated values in the sort field');
    }
    return ys.map((y, i) => {
      if (y !== null) return y;
      const before = ys.findLastIndex((other, j) => j < i && other !== null);
      const after = ys.findIndex((other, j) => j > i && other !== null);
      if (before < 0 || after < 0) return null;
      const [x0, x1, x] = [xs[before], xs[after], xs[i]] as [Numeric, Numeric, Numeric];
      const [y0, y1] = [ys[before], ys[after]] as [Numeric, Numeric];
      return plus(y0, times(minus(x, x0), ratio(minus(y1, y0), minus(x1, x0))));
    });
  };
};

/** Window functions of series: values over an axis. */
export const seriesFunctions: WindowFamily = {
  $derivative: derivative,
  $integral: integral,
  $expMovingAvg: movingAverage,
  $linearFill: linearFill,
  $locf: carryForward,
};
