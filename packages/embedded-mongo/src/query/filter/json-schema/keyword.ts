import { type Doc, isDoc, type Value } from '../../../bson/value.js';
import type { TimeLeft } from '../../javascript/time-limit.js';
import { parseNonNegativeInteger } from '../integer.js';
import { mismatch, type SchemaTest } from './operands.js';

/** Compiles a schema inside of a keyword's operand. */
export interface SchemaCompiler {
  (schema: Doc): SchemaTest;
  /** How long the search for a pattern may take. */
  readonly timeLeft: TimeLeft | undefined;
}

/** Compiles a keyword; undefined for one that demands nothing by itself. `schema` is the one it stands in. */
export type Keyword = (operand: Value, schema: Doc, name: string, compile: SchemaCompiler) => SchemaTest | undefined;

export type KeywordFamily = Readonly<Record<string, Keyword>>;

/** A keyword that bounds a measure of some values; the others have none. */
export const count =
  (measure: (value: Value) => number | undefined, accepts: (n: number, bound: number) => boolean): Keyword =>
  (operand, _schema, name) => {
    const bound = Number(parseNonNegativeInteger(name, operand));
    return (value) => {
      const n = measure(value);
      return n === undefined || accepts(n, bound);
    };
  };

export const atLeast = (n: number, bound: number): boolean => n >= bound;
export const atMost = (n: number, bound: number): boolean => n <= bound;

/** A boolean, or a schema for what nothing else describes. */
export function rest(operand: Value, name: string, compile: SchemaCompiler): SchemaTest {
  if (typeof operand === 'boolean') return () => operand;
  if (!isDoc(operand)) throw mismatch(name, 'either an object or a boolean');
  return compile(operand);
}
