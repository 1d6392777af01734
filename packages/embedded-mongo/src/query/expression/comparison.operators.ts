import { compareOperands } from './operand.js';
import { int32 } from '../../bson/value.js';
import { binary, type Operator, type OperatorFamily } from './operator.js';

const comparison = (holds: (order: number) => boolean): Operator =>
  binary((a, b, env) => holds(compareOperands(a, b, env.collation)));

/** Comparison, across types in MongoDB's order; a missing value is less than any other. */
export const comparisonOperators: OperatorFamily = {
  $cmp: binary((a, b, env) => int32(Math.sign(compareOperands(a, b, env.collation)))),
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
};
