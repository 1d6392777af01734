import { type Doc, docOf, isDoc, type Value } from '../../bson/value.js';

/** The order in which MongoDB asks the conditions of a conjunction: by kind, those of a kind by path. */
const KINDS = [
  ...['$or', '$elemMatch', '$size', '$eq', '$lte', '$lt', '$gt', '$gte', '$regex', '$mod', '$exists', '$in'],
  ...['$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear', '$not', '$nor', '$type'],
];

const kindOf = (operator: string): number => {
  const kind = KINDS.indexOf(operator === '$all' ? '$eq' : operator);
  return kind < 0 ? KINDS.length : kind;
};

interface Condition {
  readonly path: string;
  readonly kind: number;
  readonly filter: Doc;
}

/**
 * A filter with its conditions in MongoDB's order: the last that passes through an array says which element the
 * positional `$` stands for.
 */
export function inMatchOrder(filter: Doc, isOperatorDoc: (condition: Value) => condition is Doc): Doc {
  const conditions: Condition[] = [];
  const add = (path: string, operator: string, condition: Value): void => {
    conditions.push({ path, kind: kindOf(operator), filter: docOf([path, condition]) });
  };
  const collect = (part: Doc): void => {
    for (const [name, condition] of part) {
      if (name === '$and' && Array.isArray(condition)) condition.filter((each) => isDoc(each)).forEach(collect);
      else if (name.startsWith('$')) add(name, name, condition);
      else if (!isOperatorDoc(condition)) add(name, '$eq', condition);
      else if (condition.has('$regex')) add(name, '$regex', condition);
      else for (const [operator, operand] of condition) add(name, operator, docOf([operator, operand]));
    }
  };
  collect(filter);
  if (conditions.length < 2) return filter;
  conditions.sort((a, b) => a.kind - b.kind || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return docOf(['$and', conditions.map((condition) => condition.filter)]);
}
