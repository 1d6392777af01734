import type { StoredIndex } from '../stored-index.js';
import type { PlannedFilter } from './candidate.js';
import { rootOf } from '../../bson/path.js';

/** What is wanted of the matches: their documents, values at some paths of them, or only how many there are. */
export type Wanted = 'documents' | 'count' | readonly string[];

/**
 * The top-level fields to read of each record where an index has the values of all that a query is about; undefined
 * where the documents have to be fetched (manual: Covered Query). Keys of arrays and of strings under a collation do
 * not tell the values.
 */
export function coveredBy(
  { spec, isMultikey }: StoredIndex,
  { predicates, alternatives, isComplete }: PlannedFilter,
  wanted: 'documents' | readonly string[],
): ReadonlySet<string> | undefined {
  if (wanted === 'documents' || spec.kind !== 'btree' || isMultikey || spec.collation) return undefined;
  if (!isComplete || alternatives.length > 0) return undefined;
  const paths = [...wanted, ...predicates.map(({ path }) => path)];
  return paths.every((path) => spec.fields.includes(path)) ? new Set(spec.fields.map(rootOf)) : undefined;
}
