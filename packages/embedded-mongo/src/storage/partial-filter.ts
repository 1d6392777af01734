import { BSONRegExp } from 'bson';
import { isNumeric, toNumber } from '../bson/number.js';
import { type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { isOperatorDoc } from '../query/filter.js';

const SUPPORTED = new Set(['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$type']);

const unsupported = (path: string, operator: string): CommandError =>
  new CommandError('CannotCreateIndex', `Expression not supported in partial index: ${path} ${operator}`.trim());

/**
 * A partial index takes equality, `$exists: true`, ranges, `$type`, `$in`, `$and` and `$or` (manual: Partial Indexes).
 * @throws CommandError CannotCreateIndex (67) for anything else
 */
export function checkPartialFilter(filter: Doc): void {
  for (const [name, condition] of filter) {
    if ((name === '$and' || name === '$or') && Array.isArray(condition)) {
      for (const clause of condition) if (isDoc(clause)) checkPartialFilter(clause);
    } else if (name.startsWith('$') && name !== '$comment') {
      throw unsupported('', name);
    } else if (isOperatorDoc(condition)) {
      for (const [operator, operand] of condition) checkOperator(name, operator, operand);
    } else if (condition instanceof BSONRegExp) {
      throw unsupported(name, '$regex');
    }
  }
}

function checkOperator(path: string, operator: string, operand: Value): void {
  if (operator === '$exists') {
    const isWanted = operand !== false && operand !== null && !(isNumeric(operand) && toNumber(operand) === 0);
    if (!isWanted) throw unsupported(path, '$not $exists');
  } else if (!SUPPORTED.has(operator)) {
    throw unsupported(path, operator);
  }
}
