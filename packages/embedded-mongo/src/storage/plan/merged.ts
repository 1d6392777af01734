import type { Collation } from '../../bson/collation.js';
import type { Doc } from '../../bson/value.js';
import type { Candidate } from './candidate.js';
import { treeRanges } from './index-bounds.js';
import { type Interval, isPoint } from './interval.js';
import { directionFor } from './sort-direction.js';

/** How many scans a sort is merged of at most (mongod: `internalQueryMaxScansToExplode`). */
const MAX_SCANS = 200;

/**
 * A candidate whose first fields are bounded to several points, as one scan for each: in every one the documents come
 * in the order of `sort`, where in all together they do not. Undefined where that does not help.
 */
export function splitForSort(
  candidate: Candidate,
  sort: Doc,
  collation: Collation | undefined,
): readonly Candidate[] | undefined {
  const { index, bounds } = candidate;
  if (index.spec.kind !== 'btree') return undefined;
  let prefixes: Interval[][] = [[]];
  for (const intervals of bounds.fields) {
    if (!intervals.every((each) => isPoint(each, index.spec.collation))) break;
    prefixes = prefixes.flatMap((prefix) => intervals.map((each) => [...prefix, each]));
    if (prefixes.length > MAX_SCANS) return undefined;
  }
  if (prefixes.length < 2) return undefined;
  const parts: Candidate[] = [];
  for (const prefix of prefixes) {
    const fields = bounds.fields.map((intervals, i) => (prefix[i] ? [prefix[i]] : intervals));
    const part = { ...bounds, fields };
    const direction = directionFor(index, part, sort, collation);
    if (direction === undefined) return undefined;
    parts.push({
      index,
      bounds: part,
      ranges: treeRanges(index, part),
      isReversed: direction === -1,
      providesSort: true,
    });
  }
  return parts;
}
