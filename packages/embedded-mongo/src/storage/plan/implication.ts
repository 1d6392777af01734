import { compareValues, equalValues } from '../../bson/compare.js';
import { typeRank } from '../../bson/compare.js';
import { type Doc, type Value } from '../../bson/value.js';
import { conjunctionOf, type Predicate } from './predicate.js';

/**
 * Whether every document a query matches is in a partial index: each condition of the index's filter follows from a
 * condition of the query on the same path. When in doubt it says no, and the index is not used.
 */
export function implies(query: Doc, partialFilter: Doc): boolean {
  const wanted = conjunctionOf(partialFilter);
  const given = conjunctionOf(query);
  if (!wanted.isComplete) return false;
  const isTold = (condition: Predicate): boolean =>
    given.predicates.some(
      (predicate) => predicate.path === condition.path && !predicate.elemMatch && follows(predicate, condition),
    );
  return (
    wanted.predicates.every(isTold) &&
    wanted.alternatives.every((clauses) => clauses.some((clause) => implies(query, clause)))
  );
}

/** Whether `condition` holds wherever `given` does. */
function follows(given: Predicate, condition: Predicate): boolean {
  if (given.operator === condition.operator && equalValues(given.operand, condition.operand)) {
    return given.options === condition.options;
  }
  if (given.operator === '$in') {
    const values = given.operand as Value[];
    return values.length > 0 && values.every((operand) => follows({ ...given, operator: '$eq', operand }, condition));
  }
  switch (condition.operator) {
    case '$exists':
      return condition.operand !== false && Number(condition.operand) !== 0 && isAboutExisting(given);
    case '$in':
      return (condition.operand as Value[]).some((operand) =>
        follows(given, { ...condition, operator: '$eq', operand }),
      );
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return isWithin(given, condition);
    default:
      return false;
  }
}

const isAboutExisting = ({ operator, operand }: Predicate): boolean =>
  operand !== null && ['$eq', '$gt', '$gte', '$lt', '$lte', '$regex', '$type', '$mod', '$size'].includes(operator);

/** Range conditions: `given` is an equality or a range of the same direction that goes no further. */
function isWithin(given: Predicate, condition: Predicate): boolean {
  if (typeRank(given.operand) !== typeRank(condition.operand)) return false;
  const order = compareValues(given.operand, condition.operand);
  const isUpward = condition.operator.startsWith('$gt');
  const isInside = isUpward ? order > 0 : order < 0;
  if (given.operator === '$eq') return isInside || (order === 0 && condition.operator.endsWith('e'));
  if (given.operator.startsWith('$gt') !== isUpward || !/^\$[gl]te?$/.test(given.operator)) return false;
  return isInside || (order === 0 && (condition.operator.endsWith('e') || !given.operator.endsWith('e')));
}
