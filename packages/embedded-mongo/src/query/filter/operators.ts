import { BSONRegExp } from 'bson';
import type { Collation } from '../../bson/collation.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { all, elemMatch, type ElementCompiler, size } from './array.js';
import { bits } from './bitwise.js';
import { comparison, membership, notEqual } from './comparison.js';
import { exists, type } from './element.js';
import { isNear, isNearLimit } from '../geo/near.js';
import { geoIntersects, geoWithin, near } from './geo.js';
import { modulo } from './modulo.js';
import { anyOf, both, not, type Predicate } from './predicate.js';
import { compileRegExp, regexOperator } from './regex.js';

/** What an operator on a field is compiled with. */
interface OperatorContext extends ElementCompiler {
  readonly field: string;
  readonly collation: Collation | undefined;
  /** The operator and those beside it, for those that read their neighbours. */
  readonly siblings: Doc;
}

type FieldOperator = (operand: Value, context: OperatorContext) => Predicate | undefined;

/** The operators that may stand on a field, by name (manual: "Query and Projection Operators"). */
const OPERATORS: ReadonlyMap<string, FieldOperator> = new Map<string, FieldOperator>([
  ...(['$eq', '$lt', '$lte', '$gt', '$gte'] as const).map((name): [string, FieldOperator] => [
    name,
    (operand, c) => comparison(name, c.field, operand, c.collation),
  ]),
  ...(['$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear'] as const).map(
    (name): [string, FieldOperator] => [name, (operand, c) => bits(name, c.field, operand)],
  ),
  ['$ne', (operand, c) => notEqual(operand, c.collation)],
  ['$in', (operand, c) => membership('$in', operand, c.collation, c.timeLeft)],
  ['$nin', (operand, c) => membership('$nin', operand, c.collation, c.timeLeft)],
  ['$exists', (operand) => exists(operand)],
  ['$type', (operand, c) => type(operand, c.field)],
  ['$mod', (operand) => modulo(operand)],
  ['$regex', (_operand, c) => regexOperator(c.siblings, c.timeLeft)],
  ['$options', (_operand, c) => optionsOf(c.siblings)],
  ['$size', (operand) => size(operand)],
  ['$all', (operand, c) => all(operand, c.collation, c)],
  ['$elemMatch', elemMatch],
  ['$not', negation],
  ['$geoWithin', (operand) => geoWithin(operand)],
  ['$within', (operand) => geoWithin(operand)],
  ['$geoIntersects', (operand) => geoIntersects(operand)],
  ['$near', (_operand, c) => near(c.siblings)],
  ['$nearSphere', (_operand, c) => near(c.siblings)],
  ['$geoNear', (_operand, c) => near(c.siblings)],
]);

export const isFieldOperator = (name: string): boolean => OPERATORS.has(name);

function optionsOf(siblings: Doc): undefined {
  if (!siblings.has('$regex')) throw new CommandError('BadValue', '$options needs a $regex');
}

function negation(operand: Value, context: OperatorContext): Predicate {
  if (operand instanceof BSONRegExp) {
    return not(anyOf(compileRegExp(operand.pattern, operand.options, context.timeLeft)));
  }
  if (!isDoc(operand)) throw new CommandError('BadValue', '$not needs a regex or a document');
  if (operand.size === 0) throw new CommandError('BadValue', '$not cannot be empty');
  return not(compileOperators(context.field, operand, context.collation, context));
}

/** Compiles the operators on one field, such as `{ $gt: 5, $lt: 8 }`. */
export function compileOperators(
  field: string,
  operators: Doc,
  collation: Collation | undefined,
  compiler: ElementCompiler,
): Predicate {
  const context: OperatorContext = { ...compiler, field, collation, siblings: operators };
  const predicates: Predicate[] = [];
  for (const [name, operand] of operators) {
    const operator = OPERATORS.get(name);
    if (!operator) {
      if (isNearLimit(name) && isNear(operators)) continue;
      throw new CommandError(
        'BadValue',
        name === '$where' ? '$where cannot be applied to a field' : `unknown operator: ${name}`,
      );
    }
    const predicate = operator(operand, context);
    if (predicate) predicates.push(predicate);
  }
  return both(predicates);
}
