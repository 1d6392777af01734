import { compareValues } from '../bson/compare.js';
import { isNumeric, toExactInt64 } from '../bson/number.js';
import { type Path, visitPath } from '../bson/path.js';
import { BsonUndefined, type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { display } from './expression/display.js';
import { parseFieldPath } from './expression/field-path.js';

/** Compares two documents by a sort specification. */
export type DocOrder = (a: Doc, b: Doc) => number;

interface SortPart {
  readonly path: Path;
  readonly direction: 1 | -1;
}

function parsePart(field: string, direction: Value): SortPart {
  const illegal = `Illegal key in $sort specification: ${field}: ${display(direction)}`;
  if (isDoc(direction)) {
    const meta = direction.get('$meta');
    if (direction.size !== 1 || meta === undefined)
      throw new CommandError(17312, '$meta is the only expression supported by $sort right now');
    throw new CommandError(31138, `${illegal} (no metadata to sort by)`);
  }
  if (!isNumeric(direction)) throw new CommandError(15974, illegal);
  const sign = toExactInt64(direction);
  if (sign !== 1n && sign !== -1n) {
    throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  return { path: parseFieldPath(field), direction: sign === 1n ? 1 : -1 };
}

/** An order of documents: what they are sorted by, and how two such keys compare. */
export interface SortOrder {
  /** The values a document is sorted by: of an array its least element, or its greatest where the order descends. */
  keyOf(doc: Doc): Value[];
  compareKeys(a: readonly Value[], b: readonly Value[]): number;
}

/** @throws CommandError for a specification that is empty or has a direction other than 1 and -1 */
export function sortOrder(spec: Doc, env: QueryEnv): SortOrder {
  if (spec.size === 0) throw new CommandError(15976, '$sort stage must have at least one sort key');
  const parts = [...spec].map(([field, direction]) => parsePart(field, direction));
  const compare = (a: Value, b: Value): number => compareValues(a, b, env.collation);
  return {
    keyOf: (doc) => parts.map((part) => keyPart(doc, part, compare)),
    compareKeys(a, b) {
      for (const [i, { direction }] of parts.entries()) {
        const order = compare(a[i] as Value, b[i] as Value);
        if (order !== 0) return direction * order;
      }
      return 0;
    },
  };
}

/** A missing field sorts as null, an empty array below it. */
function keyPart(doc: Doc, { path, direction }: SortPart, compare: (a: Value, b: Value) => number): Value {
  const [only] = path;
  const single = path.length === 1 ? doc.get(only as string) : undefined;
  if (single !== undefined && !Array.isArray(single)) return single;
  let key: Value | undefined;
  visitPath(doc, path, 'elements', (found) => {
    const value = found ?? null;
    if (key === undefined || direction * compare(value, key) < 0) key = value;
    return false;
  });
  return key === undefined ? BsonUndefined.value : key;
}

/** Compiles a sort specification such as `{ a: 1, 'b.c': -1 }`. */
export function compileSort(spec: Doc, env: QueryEnv): DocOrder {
  const order = sortOrder(spec, env);
  return (a, b) => order.compareKeys(order.keyOf(a), order.keyOf(b));
}

/** Sorts documents, those that are equal in their order of before. */
export function sortDocs(docs: Iterable<Doc>, order: SortOrder): Doc[] {
  return Array.from(docs, (doc) => ({ doc, key: order.keyOf(doc) }))
    .sort((a, b) => order.compareKeys(a.key, b.key))
    .map(({ doc }) => doc);
}
