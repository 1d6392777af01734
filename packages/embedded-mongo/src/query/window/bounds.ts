import { getPath } from '../../bson/path.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { isDoc, msOf, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileExpression, scopeOf } from '../expression.js';
import { addUnits, parseUnit, type DateUnit } from '../expression/date-unit.js';
import { display } from '../expression/display.js';
import { asInt32 } from '../expression/operand.js';
import { UTC } from '../expression/time-zone.js';
import type { Partition, WindowContext } from './partition.js';

/** The documents a window holds: from the first index up to the last; none when the last is less. */
interface Frame {
  readonly first: number;
  readonly last: number;
}

/** The windows of all documents of a partition. */
type Frames = (partition: Partition) => Frame[];

export interface WindowBounds {
  readonly frames: Frames;
  /** Whether every window begins with the partition, so that it only grows from document to document. */
  readonly isGrowing: boolean;
}

const invalid = (message: string): CommandError => new CommandError('FailedToParse', message);

/** Reads `window`; without it a window is the whole partition. */
export function parseBounds({ window, sort, env }: WindowContext): WindowBounds {
  if (window === undefined) return WHOLE;
  if (!isDoc(window)) throw invalid("'window' field must be an object");
  const [documents, range, unit] = ['documents', 'range', 'unit'].map((field) => window.get(field));
  if (documents !== undefined && range !== undefined) {
    throw invalid("Window bounds can specify either 'documents' or 'unit', not both.");
  }
  if (range === undefined && unit !== undefined) {
    throw invalid("Window bounds can only specify 'unit' with range-based bounds.");
  }
  if (documents === undefined && range === undefined) {
    if (window.size === 0) return WHOLE;
    throw invalid(
      "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
    );
  }
  if (documents !== undefined) {
    if (window.size > 1) throw invalid("'window' field that specifies documents cannot have other fields");
    const bounds = pair(documents, env, (bound) => {
      const whole = asInt32Value(bound);
      if (whole === undefined) throw invalid('Numeric document-based bounds must be an integer');
      return whole;
    });
    const [lower, upper] = [distance(bounds[0]), distance(bounds[1])];
    if ((lower !== -Infinity || upper !== Infinity) && sort === undefined) {
      throw new CommandError(5339901, 'Document-based bounds require a sortBy');
    }
    return { frames: byPosition(lower, upper), isGrowing: lower === -Infinity };
  }
  return rangeBounds(range as Value, unit, { window, sort, env });
}

const asInt32Value = (bound: Value): number | undefined => (isNumeric(bound) ? asInt32(bound) : undefined);

function rangeBounds(range: Value, unit: Value | undefined, { sort, env }: WindowContext): WindowBounds {
  if (unit !== undefined && typeof unit !== 'string') throw invalid("'unit' must be a string");
  const dateUnit = unit === undefined ? undefined : parseUnit(unit);
  const [lower, upper] = pair(range, env, (bound) => {
    if (!isNumeric(bound)) throw invalid('Range-based bounds expression must be a number');
    if (dateUnit && asInt32(bound) === undefined) throw invalid("With 'unit', range-based bounds must be an integer");
    return toNumber(bound);
  });
  if (sort?.size !== 1) throw new CommandError(5339902, 'Range-based bounds require sortBy a single field');
  const { path } = sort;
  if (path === undefined) throw new CommandError(8947401, 'Range-based bounds require an ascending sortBy');
  return { frames: byRange(lower, upper, path, dateUnit), isGrowing: lower === -Infinity };
}

/** A distance, or the very document that the window is of. */
type Bound = number | 'current';

const distance = (bound: Bound): number => (bound === 'current' ? 0 : bound);

function pair(bounds: Value, env: WindowContext['env'], parse: (bound: Value) => number): [Bound, Bound] {
  if (!Array.isArray(bounds) || bounds.length !== 2) {
    throw invalid(`Window bounds must be a 2-element array: ${display(bounds)}`);
  }
  const [lower, upper] = bounds.map((bound, i) => {
    if (bound === 'unbounded') return i === 0 ? -Infinity : Infinity;
    if (bound === 'current') return bound;
    if (typeof bound === 'string') throw invalid("Window bounds must be 'unbounded', 'current', or a number.");
    const expression = compileExpression(bound, env);
    if (!expression.isConstant) throw invalid('Window bounds expression must be a constant.');
    return parse(expression(scopeOf(new Map())) ?? null);
  }) as [Bound, Bound];
  if (distance(lower) > distance(upper)) {
    throw new CommandError(5339900, `Lower bound must not exceed upper bound: [${lower}, ${upper}]`);
  }
  return [lower, upper];
}

const WHOLE: WindowBounds = {
  frames: (partition) => partition.map(() => ({ first: 0, last: partition.length - 1 })),
  isGrowing: true,
};

const byPosition =
  (lower: number, upper: number): Frames =>
  (partition) =>
    partition.map((_, i) => ({ first: Math.max(0, i + lower), last: Math.min(partition.length - 1, i + upper) }));

/** The value a range is measured on: a number, or the milliseconds of a date when there is a unit. */
function measure(doc: Doc, path: readonly string[], isDate: boolean): number {
  const value = getPath(doc, path);
  if (isDate) {
    if (value instanceof Date) return Number(msOf(value));
    throw new CommandError(
      5429513,
      `Invalid range: Expected the sortBy field to be a Date, but it was ${typeName(value)}`,
    );
  }
  if (isNumeric(value)) return toNumber(value);
  throw new CommandError(
    5429414,
    `Invalid range: Expected the sortBy field to be a number, but it was ${typeName(value)}`,
  );
}

function byRange(lower: Bound, upper: Bound, path: readonly string[], unit: DateUnit | undefined): Frames {
  const moved = (value: number, by: number): number => {
    if (!Number.isFinite(by) || unit === undefined) return value + by;
    return addUnits(value, unit, by, UTC);
  };
  return (partition) => {
    const values = partition.map((doc) => measure(doc, path, unit !== undefined));
    let [first, last] = [0, -1];
    return values.map((value, i) => {
      const least = lower === 'current' ? value : moved(value, lower);
      const greatest = upper === 'current' ? value : moved(value, upper);
      while (first < values.length && (values[first] as number) < least) first++;
      while (last + 1 < values.length && (values[last + 1] as number) <= greatest) last++;
      // `current` is the position of the document, not its value: equal ones before or after it are not taken in
      return { first: lower === 'current' ? i : first, last: upper === 'current' ? i : last };
    });
  };
}
