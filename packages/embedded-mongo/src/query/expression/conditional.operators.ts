import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileArguments, type ArgumentRule } from './arguments.js';
import { isNullish, isTruthy } from './operand.js';
import {
  argumentList,
  assertArity,
  fold,
  type CompileContext,
  type Expression,
  type OperatorFamily,
} from './operator.js';

const COND: ArgumentRule = {
  required: {
    if: [17080, "Missing 'if' parameter to $cond"],
    then: [17081, "Missing 'then' parameter to $cond"],
    else: [17082, "Missing 'else' parameter to $cond"],
  },
  notAnObject: [16020, () => ''],
  unknown: [17083, (_, field) => `Unrecognized parameter to $cond: ${field}`],
};

const SWITCH = {
  required: { branches: [40068, '$switch requires at least one branch.'] },
  optional: ['default'],
  notAnObject: [40060, (_, type) => `$switch requires an object as an argument, found: ${type}`],
  unknown: [40067, (_, field) => `$switch found an unknown argument: ${field}`],
} satisfies ArgumentRule;

const BRANCH: ArgumentRule = {
  required: {
    case: [40064, "$switch requires each branch have a 'case' expression"],
    then: [40065, "$switch requires each branch have a 'then' expression."],
  },
  notAnObject: [40062, (_, type) => `$switch expected each branch to be an object, found: ${type}`],
  unknown: [40063, (_, field) => `$switch found an unknown argument to a branch: ${field}`],
};

type Branch = readonly [condition: Expression, value: Expression];

/** The value of the first branch that holds; `otherwise` gives the value, or the error, when none does. */
function choose(branches: readonly Branch[], otherwise: Expression | undefined): Expression {
  const operands = [...branches.flat(), ...(otherwise ? [otherwise] : [])];
  return fold(operands, (scope) => {
    for (const [condition, value] of branches) if (isTruthy(condition(scope))) return value(scope);
    if (otherwise) return otherwise(scope);
    throw new CommandError(
      40066,
      '$switch could not find a matching branch for an input, and no default was specified.',
    );
  });
}

function condition(argument: Value, context: CompileContext): Expression {
  if (isDoc(argument)) {
    const operands = compileArguments(argument, COND, context, '$cond');
    return choose([[operands.if, operands.then] as Branch], operands.else);
  }
  const list = argumentList(argument);
  assertArity('$cond', list.length, 3, 3);
  const [when, then, otherwise] = list.map((item) => context.compile(item));
  return choose([[when, then] as Branch], otherwise);
}

function branch(value: Value, context: CompileContext): Branch {
  const operands = compileArguments(value, BRANCH, context, '$switch');
  return [operands.case, operands.then] as Branch;
}

/** Conditional operators: an operand that is not chosen is not evaluated. */
export const conditionalOperators: OperatorFamily = {
  $cond: condition,
  $ifNull(argument, context) {
    const list = argumentList(argument);
    if (list.length < 2) {
      throw new CommandError(1257300, `$ifNull needs at least two arguments, had: ${list.length}`);
    }
    const operands = list.map((item) => context.compile(item));
    return fold(operands, (scope) => {
      let value;
      for (const operand of operands) if (!isNullish((value = operand(scope)))) return value;
      return value;
    });
  },
  $switch(argument, context, name) {
    if (isDoc(argument)) {
      const branches = argument.get('branches');
      if (branches !== undefined && !Array.isArray(branches)) {
        throw new CommandError(40061, `$switch expected an array for 'branches', found: ${typeName(branches)}`);
      }
      for (const field of argument.keys()) {
        if (field !== 'branches' && field !== 'default') throw new CommandError(40067, SWITCH.unknown[1](name, field));
      }
      if (!branches?.length) throw new CommandError(40068, '$switch requires at least one branch.');
      const fallback = argument.get('default');
      return choose(
        branches.map((item) => branch(item, context)),
        fallback === undefined ? undefined : context.compile(fallback),
      );
    }
    throw new CommandError(40060, SWITCH.notAnObject[1](name, typeName(argument)));
  },
};
