import { BSONRegExp } from 'bson';
import type { Collation } from '../../bson/collation.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { equality } from './comparison.js';
import { parseNonNegativeInteger } from './integer.js';
import { anyOf, asValueTest, both, type Filter, never, type Predicate, type ValueTest, whole } from './predicate.js';
import type { TimeLeft } from '../javascript/time-limit.js';
import { compileRegExp } from './regex.js';
import { spend } from '../../bson/work.js';

/** How the compiler of filters is called back for the filters inside an operator. */
export interface ElementCompiler {
  /** A filter of documents inside an array. */
  filter(filter: Doc): Filter;
  /** Operators on an array's element itself. */
  operators(operators: Doc): Predicate;
  /** Whether a `$` name stands for an operator on documents, such as `$or`. */
  isDocumentOperator(name: string): boolean;
  /** Whether a `$` name stands for an operator on a field, such as `$gt`. */
  isFieldOperator(name: string): boolean;
  /** How long the search for a regular expression may take. */
  readonly timeLeft: TimeLeft | undefined;
}

const DBREF_FIELDS = ['$ref', '$id', '$db'];

function isElementOperators(operand: Doc, compiler: ElementCompiler): boolean {
  const [first] = operand.keys();
  if (!first?.startsWith('$') || DBREF_FIELDS.some((field) => operand.has(field))) return false;
  return !compiler.isDocumentOperator(first);
}

/** An array is matched as a document whose fields are its indexes. */
const asDoc = (array: Value[]): Doc => {
  spend(array.length);
  return new Map(array.map((value, i) => [String(i), value]));
};

export function elemMatch(operand: Value, compiler: ElementCompiler): Predicate {
  if (!isDoc(operand)) throw new CommandError('BadValue', '$elemMatch needs an Object');
  const test = isElementOperators(operand, compiler)
    ? asValueTest(compiler.operators(operand))
    : documentTest(compiler.filter(operand));
  return whole((value, details) => {
    if (!Array.isArray(value)) return false;
    const index = value.findIndex((element) => {
      spend(1);
      return test(element);
    });
    if (index === -1) return false;
    if (details) details.index = index;
    return true;
  });
}

const documentTest =
  (filter: Filter): ValueTest =>
  (element) =>
    isDoc(element) ? filter(element) : Array.isArray(element) && filter(asDoc(element));

const firstKey = (value: Value | undefined): string | undefined =>
  isDoc(value) ? (value.keys().next().value as string | undefined) : undefined;

/** `$all`: equal to, or matching, each of the values; of none nothing. */
export function all(operand: Value, collation: Collation | undefined, compiler: ElementCompiler): Predicate {
  if (!Array.isArray(operand)) throw new CommandError('BadValue', '$all needs an array');
  if (operand.length === 0) return never;
  if (firstKey(operand[0]) === '$elemMatch') {
    return both(
      operand.map((value) => {
        if (firstKey(value) !== '$elemMatch')
          throw new CommandError('BadValue', '$all/$elemMatch has to be consistent');
        return elemMatch((value as Doc).get('$elemMatch')!, compiler);
      }),
    );
  }
  return both(
    operand.map((value) => {
      const name = firstKey(value);
      if (name !== undefined && compiler.isFieldOperator(name)) {
        throw new CommandError('BadValue', 'no $ expressions in $all');
      }
      return anyOf(
        value instanceof BSONRegExp
          ? compileRegExp(value.pattern, value.options, compiler.timeLeft)
          : equality(value, collation),
      );
    }),
  );
}

/** `$size`: the array has exactly so many elements. */
export function size(operand: Value): Predicate {
  const length = Number(parseSize(operand));
  return whole((value) => Array.isArray(value) && value.length === length);
}

function parseSize(operand: Value): bigint {
  try {
    return parseNonNegativeInteger('$size', operand);
  } catch (error) {
    throw new CommandError('BadValue', `Failed to parse $size. ${(error as CommandError).message}`);
  }
}
