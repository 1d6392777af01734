import { geoFieldsOf, geoRanges } from '../geo/geo-index.js';
import { queryBox } from '../geo/query-box.js';
import type { StoredIndex } from '../stored-index.js';
import type { Candidate } from './candidate.js';
import { ALL, interval } from './interval.js';
import type { Predicate } from './predicate.js';

/** How a geospatial index serves the first condition on one of its fields; what it finds has to be checked. */
export function geoCandidate(index: StoredIndex, predicates: readonly Predicate[]): Candidate | undefined {
  for (const field of geoFieldsOf(index.spec)) {
    for (const predicate of predicates) {
      const box = predicate.path === field.path && !predicate.elemMatch ? queryBox(predicate, field.kind) : undefined;
      if (!box) continue;
      const stretches = geoRanges(field, box);
      const { edge } = index.format;
      const intervals = stretches.map(({ from, to }) => interval(from, true, to, false));
      const fields = index.spec.fields.map((_, i) => (i === field.position ? intervals : ALL));
      const ranges = stretches.map(({ from, to }) => ({ from: edge(from, false), to: edge(to, false) }));
      return { index, bounds: { fields, exact: new Set() }, ranges, isReversed: false, providesSort: false };
    }
  }
  return undefined;
}
