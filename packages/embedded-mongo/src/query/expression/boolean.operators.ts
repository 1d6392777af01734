import { isTruthy } from './operand.js';
import { argumentList, fold, unary, type Operator, type OperatorFamily } from './operator.js';

/** An operator that stops at the first operand that decides it. */
const until = (deciding: boolean): Operator => {
  return (argument, context) => {
    const operands = argumentList(argument).map((item) => context.compile(item));
    return fold(operands, (scope) => operands.some((operand) => isTruthy(operand(scope)) === deciding) === deciding);
  };
};

/** Boolean operators. */
export const booleanOperators: OperatorFamily = {
  $and: until(false),
  $or: until(true),
  $not: unary((value) => !isTruthy(value)),
};
