import { BSONRegExp } from 'bson';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { isOperatorDoc } from '../../query/filter.js';

/** One condition of a filter: an operator on a path. */
export interface Predicate {
  readonly path: string;
  readonly operator: string;
  readonly operand: Value;
  /** The `$elemMatch` it stands in: the conditions of one are about one and the same element. */
  readonly elemMatch?: ElemMatch;
  /** Among the conditions of a `$regex`: its options. */
  readonly options?: string;
}

/** One `$elemMatch`, told from others by identity. */
interface ElemMatch {
  /** The length of the path to its array, in components. */
  readonly depth: number;
}

/** A filter as a list of conditions that all have to hold. */
export interface Conjunction {
  readonly predicates: readonly Predicate[];
  /** The clauses of each `$or`. */
  readonly alternatives: readonly (readonly Doc[])[];
  /** Whether these are all the filter's conditions; otherwise more is left to the filter itself. */
  readonly isComplete: boolean;
}

/** Takes a valid filter apart as far as an index can help. */
export function conjunctionOf(filter: Doc): Conjunction {
  const collector = new Collector();
  collector.filter(filter);
  return collector;
}

class Collector implements Conjunction {
  readonly predicates: Predicate[] = [];
  readonly alternatives: (readonly Doc[])[] = [];
  isComplete = true;

  filter(filter: Doc, prefix = '', elemMatch?: ElemMatch): void {
    for (const [name, condition] of filter) {
      if (name === '$and') for (const clause of condition as Doc[]) this.filter(clause, prefix, elemMatch);
      else if (name === '$or' && prefix === '') this.alternatives.push(condition as Doc[]);
      else if (name === '$comment') continue;
      else if (name.startsWith('$')) this.isComplete = false;
      else this.condition(prefix + name, condition, elemMatch);
    }
  }

  private condition(path: string, condition: Value, elemMatch?: ElemMatch): void {
    if (isOperatorDoc(condition)) this.operators(path, condition, elemMatch);
    else if (condition instanceof BSONRegExp) {
      this.add({
        path,
        operator: '$regex',
        operand: condition.pattern,
        options: condition.options,
        ...group(elemMatch),
      });
    } else this.add({ path, operator: '$eq', operand: condition, ...group(elemMatch) });
  }

  private operators(path: string, operators: Doc, elemMatch?: ElemMatch): void {
    for (const [operator, operand] of operators) {
      if (operator === '$elemMatch') this.elements(path, operand as Doc);
      else if (operator === '$all') this.all(path, operand as Value[]);
      else if (operator === '$regex') this.add({ path, operator, ...regex(operand, operators), ...group(elemMatch) });
      else if (operator === '$not' && isDoc(operand) && operand.size === 1 && operand.has('$eq')) {
        this.add({ path, operator: '$ne', operand: operand.get('$eq')!, ...group(elemMatch) });
      } else if (operator !== '$options' && operator !== '$comment') {
        this.add({ path, operator, operand, ...group(elemMatch) });
      }
    }
  }

  private elements(path: string, condition: Doc): void {
    this.isComplete = false;
    const element = { depth: path.split('.').length };
    if (isOperatorDoc(condition) && !['$and', '$or', '$nor'].includes(condition.keys().next().value as string)) {
      this.operators(path, condition, element);
    } else this.filter(condition, `${path}.`, element);
  }

  private all(path: string, values: Value[]): void {
    this.isComplete = false;
    for (const value of values) {
      if (isDoc(value) && value.has('$elemMatch')) this.elements(path, value.get('$elemMatch') as Doc);
      else this.condition(path, value);
    }
  }

  private add(predicate: Predicate): void {
    this.predicates.push(predicate);
  }
}

const group = (elemMatch: ElemMatch | undefined): { elemMatch?: ElemMatch } => (elemMatch ? { elemMatch } : {});

const regex = (operand: Value, operators: Doc): { operand: Value; options: string } => {
  const isRegExp = operand instanceof BSONRegExp;
  const options = (operators.get('$options') as string | undefined) ?? (isRegExp ? operand.options : '');
  return { operand: isRegExp ? operand.pattern : operand, options };
};
