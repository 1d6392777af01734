import { isNumeric, toExactInt64 } from '../../bson/number.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { display } from '../expression/display.js';
import { compareOperands, isNullish } from '../expression/operand.js';
import type { CompileContext, Expression, Operand, Scope } from '../expression/operator.js';
import { compileSort } from '../sort.js';
import type { AccumulatorFamily, AccumulatorOperator } from './accumulator.js';

/** How many values an accumulator keeps. @throws CommandError unless it is a whole number above 0 */
export function countOf(value: Operand): number {
  const n = isNumeric(value) ? toExactInt64(value) : undefined;
  if (n === undefined) {
    const code = isNumeric(value) ? 5787903 : 5787902;
    throw new CommandError(code, `Value for 'n' must be of integral type, but found ${display(value)}`);
  }
  if (n <= 0n) throw new CommandError(5787908, `'n' must be greater than 0, found ${n}`);
  return Number(n);
}

/** `{ n, input }`, as `$firstN`, `$lastN`, `$minN` and `$maxN` take it. */
export function compileCounted(
  argument: Value,
  context: CompileContext,
  name: string,
): { n: Expression; input: Expression } {
  if (!isDoc(argument)) {
    const code = name === '$firstN' || name === '$lastN' ? 5787801 : 5787900;
    throw new CommandError(code, `specification must be an object; found ${name}: ${display(argument)}`);
  }
  for (const field of argument.keys()) {
    if (field !== 'n' && field !== 'input') {
      throw new CommandError(5787901, `Unknown argument for 'n' operator: ${field}`);
    }
  }
  const [n, input] = [argument.get('n'), argument.get('input')];
  if (n === undefined) throw new CommandError(5787906, "Missing value for 'n'");
  if (input === undefined) throw new CommandError(5787907, "Missing value for 'input'");
  return { n: context.compile(n), input: context.compile(input) };
}

/** Which of all values, in the order they came, are kept. */
export type Selection = (values: readonly Operand[], n: number, context: CompileContext) => Value[];

const ordered = (direction: 1 | -1): Selection => {
  return (values, n, { env }) =>
    values
      .filter((value): value is Value => !isNullish(value))
      .sort((a, b) => direction * compareOperands(a, b, env.collation))
      .slice(0, n);
};

const orNull = (values: readonly Operand[]): Value[] => values.map((value) => value ?? null);

/** The selections of the operators with `n`, for the accumulators and for the expressions of the same names. */
export const SELECTIONS: Readonly<Record<string, Selection>> = {
  $firstN: (values, n) => orNull(values.slice(0, n)),
  $lastN: (values, n) => orNull(values.slice(-n)),
  $minN: ordered(1),
  $maxN: ordered(-1),
};

const counted = (select: Selection): AccumulatorOperator => {
  return (argument, context, name) => {
    const { n, input } = compileCounted(argument, context, name);
    return {
      start(group) {
        const count = countOf(n(group));
        const values: Operand[] = [];
        return {
          add: (scope) => void values.push(input(scope)),
          result: () => select(values, count, context),
        };
      },
    };
  };
};

interface TopSpec {
  readonly n: Expression | undefined;
  readonly output: Expression;
  readonly compare: (a: Doc, b: Doc) => number;
}

function compileTop(argument: Value, context: CompileContext, name: string): TopSpec {
  if (!isDoc(argument)) {
    throw new CommandError(5788001, `specification must be an object; found ${name}: ${display(argument)}`);
  }
  const isCounted = name.endsWith('N');
  for (const field of argument.keys()) {
    if (!['output', 'sortBy', ...(isCounted ? ['n'] : [])].includes(field)) {
      throw new CommandError(5788002, `Unknown argument to ${name} '${field}'`);
    }
  }
  const [n, output, sortBy] = ['n', 'output', 'sortBy'].map((field) => argument.get(field));
  if (isCounted && n === undefined) throw new CommandError(5788003, "Missing value for 'n'");
  if (output === undefined) throw new CommandError(5788004, "Missing value for 'output'");
  if (sortBy === undefined) throw new CommandError(5788005, "Missing value for 'sortBy'");
  if (!isDoc(sortBy)) throw new CommandError(10065, `invalid parameter: expected an object (sortBy)`);
  return {
    n: n === undefined ? undefined : context.compile(n),
    output: context.compile(output),
    compare: compileSort(sortBy, context.env),
  };
}

/** `$top…` and `$bottom…`: the outputs of the first or last documents in an order. */
const extreme = (isTop: boolean): AccumulatorOperator => {
  return (argument, context, name) => {
    const { n, output, compare } = compileTop(argument, context, name);
    return {
      start(group) {
        const count = n === undefined ? 1 : countOf(n(group));
        const entries: { doc: Doc; value: Value }[] = [];
        return {
          add: (scope: Scope) => void entries.push({ doc: scope.root, value: output(scope) ?? null }),
          result() {
            const sorted = entries.toSorted((a, b) => compare(a.doc, b.doc)).map(({ value }) => value);
            const kept = isTop ? sorted.slice(0, count) : sorted.slice(-count);
            return n === undefined ? kept[0] : kept;
          },
        };
      },
    };
  };
};

/** Accumulators that keep the first, last, least or greatest of the values. */
export const rankedAccumulators: AccumulatorFamily = {
  ...Object.fromEntries(Object.entries(SELECTIONS).map(([name, select]) => [name, counted(select)])),
  $top: extreme(true),
  $topN: extreme(true),
  $bottom: extreme(false),
  $bottomN: extreme(false),
};
