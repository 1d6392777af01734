import { compareValues } from '../bson/compare.js';
import { isNumeric, toExactInt64 } from '../bson/number.js';
import { multikeyOf, walkTo } from '../bson/multikey.js';
import type { Path } from '../bson/path.js';
import { type Doc, isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { display } from './expression/display.js';
import { parseFieldPath } from './expression/field-path.js';
import { NO_METADATA, type QueryMetadata } from './metadata.js';

/** Compares two documents by a sort specification. */
export type DocOrder = (a: Doc, b: Doc) => number;

interface SortPart {
  readonly path: Path;
  readonly direction: 1 | -1;
  /** Sorts by metadata instead of a field. */
  readonly metadata?: string;
}

/** What `$sort` can take from `$meta`; the best score comes first. */
const SORTED_METADATA = ['textScore', 'randVal', 'geoNearDistance'];

function parsePart(field: string, direction: Value): SortPart {
  const illegal = `Illegal key in $sort specification: ${field}: ${display(direction)}`;
  if (isDoc(direction)) {
    const meta = direction.get('$meta');
    if (direction.size !== 1 || meta === undefined)
      throw new CommandError(17312, '$meta is the only expression supported by $sort right now');
    if (typeof meta !== 'string' || !SORTED_METADATA.includes(meta)) {
      throw new CommandError(31138, `Illegal $meta sort: $meta: ${display(meta)}`);
    }
    return { path: [], direction: meta === 'geoNearDistance' ? 1 : -1, metadata: meta };
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
  /**
   * The values a document is sorted by: of arrays the elements that come first in this order.
   * @throws CommandError BadValue (2) when two fields lead through different arrays
   */
  keyOf(doc: Doc): Value[];
  compareKeys(a: readonly Value[], b: readonly Value[]): number;
}

/** @throws CommandError for a specification that is empty or has a direction other than 1 and -1 */
export function sortOrder(spec: Doc, env: QueryEnv): SortOrder {
  if (spec.size === 0) throw new CommandError(15976, '$sort stage must have at least one sort key');
  const parts = [...spec].map(([field, direction]) => parsePart(field, direction));
  const { metadata = NO_METADATA } = env;
  for (const part of parts) if (part.metadata) metadata.want(part.metadata);
  if (parts.some((part) => part.metadata !== undefined)) return metadataOrder(parts, metadata, env);
  return fieldOrder(parts, env);
}

/** An order in which metadata takes part: it stands in the keys where the sort names it. */
function metadataOrder(parts: readonly SortPart[], metadata: QueryMetadata, env: QueryEnv): SortOrder {
  const fields = fieldOrder(
    parts.filter((part) => part.metadata === undefined),
    env,
  );
  return {
    keyOf(doc) {
      const values = fields.keyOf(doc);
      return parts.map(({ metadata: name }) => {
        if (name === undefined) return values.shift()!;
        return name === 'randVal' ? Math.random() : (metadata.get(doc, name) ?? null);
      });
    },
    compareKeys: comparerOf(parts, env),
  };
}

const comparerOf =
  (parts: readonly SortPart[], { collation }: QueryEnv) =>
  (a: readonly Value[], b: readonly Value[]): number => {
    for (const [i, { direction }] of parts.entries()) {
      const order = compareValues(a[i] as Value, b[i] as Value, collation);
      if (order !== 0) return direction * order;
    }
    return 0;
  };

function fieldOrder(parts: readonly SortPart[], env: QueryEnv): SortOrder {
  const paths = parts.map(({ path }) => path);
  const compareKeys = comparerOf(parts, env);
  const keyOf = (doc: Doc): Value[] => {
    const plain = plainKey(doc, paths);
    if (plain) return plain;
    const keys = multikeyOf(doc, paths, parallelArrays).keys.map((key) => key.map((value) => value ?? null));
    return keys.reduce((least, key) => (compareKeys(key, least) < 0 ? key : least));
  };
  return { keyOf, compareKeys };
}

const parallelArrays = (): CommandError =>
  new CommandError('BadValue', 'cannot sort with keys that are parallel arrays');

/** The key of a document without an array on the way; a missing field sorts as null. */
function plainKey(doc: Doc, paths: readonly Path[]): Value[] | undefined {
  const key: Value[] = [];
  for (const path of paths) {
    const stop = path.length === 1 ? undefined : walkTo(doc, path);
    const value = path.length === 1 ? doc.get(path[0]!) : stop && 'value' in stop ? stop.value : undefined;
    if (Array.isArray(value) || (stop && 'array' in stop)) return undefined;
    key.push(value ?? null);
  }
  return key;
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
