import { formatDoc } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { type Doc, docOf, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import type { Expression } from '../expression.js';
import { compileFilter, type MatchDetails } from '../filter.js';

const whole = (value: Value): number => (isNumeric(value) ? Math.trunc(toNumber(value)) : 0);

/** The range a `$slice` of a find keeps; undefined when the argument is not in the find's own syntax. */
function rangeOf(operand: Value): ((length: number) => [number, number]) | CommandError {
  if (isNumeric(operand)) {
    const count = whole(operand);
    return (length) => (count >= 0 ? [0, count] : [Math.max(0, length + count), length]);
  }
  if (!Array.isArray(operand)) return new CommandError(31273, '$slice only supports numbers and [skip, limit] arrays');
  const [skip, limit] = operand;
  if (operand.length !== 2 || skip === undefined || limit === undefined) {
    return new CommandError(31272, '$slice array argument should be of form [skip, limit]');
  }
  if (!isNumeric(skip))
    return new CommandError(31257, `$slice expects the skip argument to be a number, got ${typeName(skip)}`);
  if (!isNumeric(limit))
    return new CommandError(31258, `$slice expects the limit argument to be a number, got ${typeName(limit)}`);
  if (whole(limit) <= 0) return new CommandError(31259, `$slice limit must be positive, got ${whole(limit)}`);
  return (length) => {
    const start = whole(skip) >= 0 ? whole(skip) : Math.max(0, length + whole(skip));
    return [start, start + whole(limit)];
  };
}

/** The find's `$slice`; an error in its place where the argument is that of the expression of the same name. */
export function slice(operand: Value): ((value: Value) => Value) | CommandError {
  const range = rangeOf(operand);
  if (range instanceof CommandError) return range;
  return (value) => (Array.isArray(value) ? value.slice(...range(value.length)) : value);
}

/** The `$elemMatch` of a projection: an array of the first element that matches, or nothing. */
export function elemMatch(field: string, spec: Doc, env: QueryEnv): Expression {
  const operand = spec.get('$elemMatch')!;
  if (!isDoc(operand)) {
    throw new CommandError(31274, `elemMatch: Invalid argument, object required, but got ${typeName(operand)}`);
  }
  const filter = compileFilter(docOf([field, spec]), env);
  const details: MatchDetails = { index: -1 };
  return ({ root }) => {
    details.index = -1;
    const value = root.get(field);
    return filter(root, details) && Array.isArray(value) ? [value[details.index]!] : undefined;
  };
}

/** The positional `$` of a projection: the element of the array that the query matched. */
export function positional(value: Value, { index }: MatchDetails): Value {
  if (!Array.isArray(value)) return value;
  if (index < 0) {
    throw new CommandError(
      51246,
      "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
    );
  }
  if (index >= value.length) {
    throw new CommandError(
      51247,
      "Executor error during find command :: caused by :: positional operator '.$' element mismatch",
    );
  }
  return [value[index]!];
}

/** Both syntaxes of `$slice` were tried, and neither took the argument. */
export function invalidSlice(spec: Doc, findError: CommandError, expressionError: CommandError): CommandError {
  return new CommandError(
    expressionError.code,
    `Invalid $slice syntax. The given syntax ${formatDoc(spec)} did not match the find() syntax because :: Location${findError.code}: ${findError.message} :: The given syntax did not match the expression $slice syntax. :: caused by :: ${expressionError.message}`,
  );
}
