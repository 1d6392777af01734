import { type Collation, isSameCollation } from '../../bson/collation.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import type { Doc } from '../../bson/value.js';
import type { StoredIndex } from '../stored-index.js';
import type { IndexBounds } from './index-bounds.js';
import { isAll, isPoint } from './interval.js';

/** The direction in which the index gives the documents in the order of `sort`: 1, -1, or undefined. */
export function directionFor(
  index: StoredIndex,
  { fields: bounds }: IndexBounds,
  sort: Doc,
  queryCollation: Collation | undefined,
): number | undefined {
  const { spec } = index;
  if (!isSameCollation(spec.collation, queryCollation)) return undefined;
  const isFixed = (field: number): boolean =>
    bounds[field]!.length === 1 && isPoint(bounds[field]![0]!, spec.collation);
  let field = 0;
  let direction: number | undefined;
  for (const [path, order] of sort) {
    if (!isNumeric(order)) return undefined;
    while (field < bounds.length && spec.fields[field] !== path && isFixed(field)) field++;
    if (spec.fields[field] !== path) {
      const earlier = spec.fields.indexOf(path);
      if (earlier >= 0 && earlier < field && isFixed(earlier) && !index.multikeyPaths.has(earlier)) continue;
      return undefined;
    }
    if (spec.isHashed[field] || (index.multikeyPaths.has(field) && !(isAll(bounds[field]!) && sort.size === 1)))
      return undefined;
    if (!isFixed(field)) {
      const wanted = Math.sign(toNumber(order)) * (spec.isDescending[field] ? -1 : 1);
      if (direction !== undefined && direction !== wanted) return undefined;
      direction = wanted;
    }
    field++;
  }
  return direction ?? 1;
}
