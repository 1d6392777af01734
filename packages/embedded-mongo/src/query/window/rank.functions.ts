import { isNumeric } from '../../bson/number.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileDocExpression, compileExpression, scopeOf } from '../expression.js';
import { asInt32 } from '../expression/operand.js';
import type { WindowContext, WindowFamily, WindowOperator, WindowSort } from './partition.js';

function assertNoArguments(argument: Value, { window }: WindowContext, name: string): void {
  if (!isDoc(argument) || argument.size > 0) {
    throw new CommandError(5371603, `${name} must be specified with '{}' as the value`);
  }
  if (window !== undefined) throw new CommandError(5371601, 'Rank style window functions take no other arguments');
}

/** A function of the place of each document among its equals: `index`, where they begin, how many groups came before. */
const ranked = (rank: (index: number, start: number, group: number) => number): WindowOperator => {
  return (argument, context, name) => {
    assertNoArguments(argument, context, name);
    const { sort } = context;
    if (sort?.size !== 1) {
      throw new CommandError(
        5371602,
        `${name} must be specified with a top level sortBy expression with exactly one element`,
      );
    }
    return (partition) => {
      let [start, group] = [0, 0];
      return partition.map((doc, i) => {
        if (i > 0 && !areEqual(sort, partition[i - 1] as Doc, doc)) [start, group] = [i, group + 1];
        return BigInt(rank(i, start, group));
      });
    };
  };
};

const areEqual = ({ order }: WindowSort, a: Doc, b: Doc): boolean =>
  order.compareKeys(order.keyOf(a), order.keyOf(b)) === 0;

const shift: WindowOperator = (argument, context) => {
  const invalid = (message: string): CommandError => new CommandError('FailedToParse', message);
  if (context.sort === undefined) throw invalid("'$shift' requires a sortBy");
  if (!isDoc(argument)) throw invalid('Argument to $shift must be an object');
  for (const field of argument.keys()) {
    if (!['output', 'by', 'default'].includes(field))
      throw invalid(`Unknown argument in '$shift' specification: ${field}`);
  }
  const [output, by] = [argument.get('output'), argument.get('by')];
  if (output === undefined) throw invalid("'$shift' requires an 'output' expression.");
  const distance = isNumeric(by) ? asInt32(by) : undefined;
  if (distance === undefined) throw invalid("'$shift' requires 'by' as an integer value.");
  const fallback = compileExpression(argument.get('default') ?? null, context.env);
  if (!fallback.isConstant) throw invalid("'$shift:default' expression must yield a constant value.");
  const otherwise = fallback(scopeOf(new Map())) ?? null;
  const expression = compileDocExpression(output, context.env);
  return (partition) =>
    partition.map((_, i) => {
      const doc = partition[i + distance];
      return doc === undefined ? otherwise : (expression(doc) ?? null);
    });
};

/** Window functions of a document's place in its partition, as longs, and of its neighbours. */
export const rankFunctions: WindowFamily = {
  $documentNumber: ranked((index) => index + 1),
  $rank: ranked((_, start) => start + 1),
  $denseRank: ranked((_, __, group) => group + 1),
  $shift: shift,
};
