import { type LeafArrays, type Path, visitPath } from '../../bson/path.js';
import type { Doc, Value } from '../../bson/value.js';
import { spend } from '../../bson/work.js';

/** What a match tells besides true: the position of the array element that matched, for the positional `$`. */
export interface MatchDetails {
  /** The index in the array the query passed through, -1 when it passed through none. */
  index: number;
}

/** A compiled filter, or part of one. */
export type Filter = (doc: Doc, details?: MatchDetails) => boolean;

/** Whether one value, taken by itself, satisfies an operator. */
export type ValueTest = (value: Value | undefined, details?: MatchDetails) => boolean;

/** What an operator demands of a field, before it is known by which path the field is reached. */
export type Predicate =
  | { readonly kind: 'test'; readonly leaf: LeafArrays; readonly test: ValueTest }
  | { readonly kind: 'and'; readonly parts: readonly Predicate[] }
  | { readonly kind: 'not'; readonly part: Predicate };

/** Holds when the test holds for the field, or for an element of it where it is an array. */
export const anyOf = (test: ValueTest): Predicate => ({ kind: 'test', leaf: 'elementsAndArray', test });
/** Holds when the test holds for the field itself, be it an array or not. */
export const whole = (test: ValueTest): Predicate => ({ kind: 'test', leaf: 'array', test });
export const both = (parts: readonly Predicate[]): Predicate =>
  parts.length === 1 ? parts[0]! : { kind: 'and', parts };
export const not = (part: Predicate): Predicate => ({ kind: 'not', part });
export const never: Predicate = whole(() => false);

export const allOf = (filters: readonly Filter[]): Filter => {
  const [first, second] = filters;
  if (!first) return () => true;
  if (!second) return first;
  if (filters.length === 2) return (doc, details) => first(doc, details) && second(doc, details);
  return (doc, details) => {
    spend(filters.length);
    for (const filter of filters) if (!filter(doc, details)) return false;
    return true;
  };
};

/** The filter that demands a predicate of the field at a path. */
export function onPath(path: Path, predicate: Predicate): Filter {
  switch (predicate.kind) {
    case 'and':
      return allOf(predicate.parts.map((part) => onPath(path, part)));
    case 'not': {
      const inner = onPath(path, predicate.part);
      return (doc) => !inner(doc);
    }
    case 'test':
      return path.length === 1 ? onField(path[0]!, predicate) : onDottedPath(path, predicate);
  }
}

type TestPredicate = Extract<Predicate, { kind: 'test' }>;

/** A top-level field needs no walk: most filters, and those by `_id`, are of this kind. */
function onField(name: string, { leaf, test }: TestPredicate): Filter {
  if (leaf === 'array') return (doc, details) => test(doc.get(name), details);
  return (doc, details) => {
    const value = doc.get(name);
    if (!Array.isArray(value)) return test(value, details);
    for (let i = 0; i < value.length; i++) {
      spend(1);
      if (test(value[i])) {
        if (details) details.index = i;
        return true;
      }
    }
    return leaf === 'elementsAndArray' && test(value);
  };
}

function onDottedPath(path: Path, { leaf, test }: TestPredicate): Filter {
  return (doc, details) =>
    visitPath(doc, path, leaf, (value, index) => {
      if (!test(value, details)) return false;
      if (details && index !== -1) details.index = index;
      return true;
    });
}

/** The test a predicate makes of a single value, as an element under `$elemMatch`. */
export function asValueTest(predicate: Predicate): ValueTest {
  switch (predicate.kind) {
    case 'test':
      return predicate.test;
    case 'not': {
      const inner = asValueTest(predicate.part);
      return (value) => !inner(value);
    }
    case 'and': {
      const tests = predicate.parts.map(asValueTest);
      return (value) => {
        spend(tests.length);
        return tests.every((test) => test(value));
      };
    }
  }
}
