import { isDoc, type Doc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { assertFieldName, compileFieldPath } from './expression/field-path.js';
import {
  compileAll,
  constant,
  fold,
  boundOnly,
  NOWHERE,
  scopeOf,
  type CompileContext,
  type Expression,
  type OperatorFamily,
} from './expression/operator.js';
import { formatDoc } from '../bson/format.js';
import { allocate, bounded, MemoryWatch } from './memory.js';
import { spend, workOf } from '../bson/work.js';

import { accumulatedOperators } from './expression/accumulated.operators.js';
import { arithmeticOperators } from './expression/arithmetic.operators.js';
import { arrayOperators } from './expression/array.operators.js';
import { bitwiseOperators } from './expression/bitwise.operators.js';
import { booleanOperators } from './expression/boolean.operators.js';
import { comparisonOperators } from './expression/comparison.operators.js';
import { conditionalOperators } from './expression/conditional.operators.js';
import { dateOperators } from './expression/date.operators.js';
import { iterationOperators } from './expression/iteration.operators.js';
import { miscellaneousOperators } from './expression/miscellaneous.operators.js';
import { objectOperators } from './expression/object.operators.js';
import { regexOperators } from './expression/regex.operators.js';
import { setOperators } from './expression/set.operators.js';
import { sortArrayOperators } from './expression/sort-array.operators.js';
import { stringOperators } from './expression/string.operators.js';
import { stringSearchOperators } from './expression/string-search.operators.js';
import { timestampOperators } from './expression/timestamp.operators.js';
import { trigonometryOperators } from './expression/trigonometry.operators.js';
import { typeOperators } from './expression/type.operators.js';
import { variableOperators } from './expression/variable.operators.js';

export { NOWHERE, scopeOf, type Expression, type Scope } from './expression/operator.js';

const OPERATORS = new Map(
  Object.entries<OperatorFamily[string]>({
    ...accumulatedOperators,
    ...arithmeticOperators,
    ...arrayOperators,
    ...bitwiseOperators,
    ...booleanOperators,
    ...comparisonOperators,
    ...conditionalOperators,
    ...dateOperators,
    ...iterationOperators,
    ...miscellaneousOperators,
    ...objectOperators,
    ...regexOperators,
    ...setOperators,
    ...sortArrayOperators,
    ...stringOperators,
    ...stringSearchOperators,
    ...timestampOperators,
    ...trigonometryOperators,
    ...typeOperators,
    ...variableOperators,
  }),
);

/**
 * Compiles an aggregation expression: a field path, a variable, a literal, an object or array of expressions, or an
 * operator of the families in `expression/`.
 * @param bound names of further variables, bound by the caller in the slots 0, 1, … of the scope
 * @throws CommandError as MongoDB does, for what cannot be parsed and for constant parts that cannot be evaluated
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/
 */
export function compileExpression(value: Value, env: QueryEnv, bound: readonly string[] = []): Expression {
  return compileContext(env).bind(bound).context.compile(value);
}

/** The context to compile the parts of an operator or accumulator in. */
export const compileContext = (env: QueryEnv): CompileContext => new Compiler(env, new Map(), { count: 0 });

/** Compiles an expression to a function of the document it is evaluated on. */
export function compileDocExpression(value: Value, env: QueryEnv): (doc: Doc) => Value | undefined {
  const expression = compileExpression(value, env);
  return (doc) => expression(scopeOf(doc));
}

/** Whether there is an operator of that name. */
export const isOperator = (name: string): boolean => OPERATORS.has(name);

/** Constants that are smaller are no work to go over. */
const BIG_CONSTANT = 256;

class Compiler implements CompileContext {
  constructor(
    readonly env: QueryEnv,
    private readonly variables: ReadonlyMap<string, number>,
    private readonly slots: { count: number },
  ) {}

  slotOf(name: string): number | undefined {
    return this.variables.get(name);
  }

  bind(names: readonly string[]): { context: CompileContext; slots: number[] } {
    const variables = new Map(this.variables);
    const slots = names.map((name) => {
      variables.set(name, this.slots.count);
      return this.slots.count++;
    });
    return { context: new Compiler(this.env, variables, this.slots), slots };
  }

  compile(value: Value): Expression {
    const isRead = typeof value === 'string';
    return this.counted(this.parse(value), isRead);
  }

  /** Notes the size of whatever is computed or read: it was made, or somebody is about to go over it. What was made is bounded. */
  private counted(expression: Expression, isRead: boolean): Expression {
    const { env } = this;
    if (expression.isConstant) {
      const value = bounded(expression(NOWHERE), 'an expression');
      const work = workOf(value);
      if (work < BIG_CONSTANT) return expression;
      return Object.assign(
        () => {
          spend(work);
          return value;
        },
        { isConstant: true as const },
      );
    }
    const counted: Expression = (scope) => {
      const value = expression(scope);
      spend(workOf(value));
      return isRead ? value : bounded(value, 'an expression');
    };
    if (!expression.isBound) return counted;
    env.boundExpressions?.push(() => expression(NOWHERE));
    return boundOnly(counted);
  }

  private parse(value: Value): Expression {
    if (typeof value === 'string' && value.startsWith('$')) return compileFieldPath(value, this);
    if (Array.isArray(value)) return this.compileArray(value);
    if (!isDoc(value)) return constant(value);
    const [first] = value.keys();
    return first?.startsWith('$') ? this.compileOperator(value, first) : this.compileObject(value);
  }

  private compileOperator(value: Doc, name: string): Expression {
    if (value.size !== 1) {
      throw new CommandError(
        15983,
        `An object representing an expression must have exactly one field: ${formatDoc(value)}`,
      );
    }
    const operator = OPERATORS.get(name);
    if (operator === undefined) throw new CommandError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
    return operator(value.get(name) as Value, this, name);
  }

  private compileArray(items: readonly Value[]): Expression {
    const operands = compileAll(items, this, 'an array');
    return fold(operands, (scope) => {
      const watch = new MemoryWatch('an array');
      const result: Value[] = [];
      allocate(operands.length);
      for (const operand of operands) {
        result.push(operand(scope) ?? null);
        watch.check(result);
      }
      return result;
    });
  }

  private compileObject(value: Doc): Expression {
    const fields = [...value].map(([field, item]) => {
      assertFieldName(field);
      return [field, this.compile(item)] as const;
    });
    const operands = fields.map(([, operand]) => operand);
    return fold(operands, (scope) => {
      const watch = new MemoryWatch('an object');
      const result: Doc = new Map();
      allocate(fields.length);
      for (const [field, operand] of fields) {
        const computed = operand(scope);
        if (computed !== undefined) result.set(field, computed);
        watch.check(result);
      }
      return result;
    });
  }
}
