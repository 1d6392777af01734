import { splitPath } from '../../bson/path.js';
import { type Doc, int32, type Value } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { type GeoIndexKind, type GeoIndexOn, nearIn, type NearQuery, nearestAt } from '../../query/geo/near.js';
import type { Collection } from '../collection.js';
import type { StoredIndex } from '../stored-index.js';
import { plannerError } from './access.stages.js';
import { type PlannedFilter, residualOf } from './candidate.js';
import { implies } from './implication.js';
import { Match, PlanStage, type RunContext } from './stage.js';

interface GeoIndex extends GeoIndexOn {
  readonly index: StoredIndex;
}

/** The geospatial indexes of a collection that are not hidden. */
export const geoIndexesOf = (collection: Collection): GeoIndex[] =>
  collection.indexes
    .list()
    .filter(({ spec }) => !spec.isHidden)
    .flatMap((index) =>
      [...index.spec.key]
        .filter(([, direction]) => direction === '2d' || direction === '2dsphere')
        .map(([field, direction]) => ({ index, field, kind: direction as GeoIndexKind })),
    );

/**
 * Reads for a filter with `$near`, the nearest first; undefined for one without.
 * @throws CommandError NoQueryExecutionPlans (291) without a geospatial index that fits
 */
export function geoNear(collection: Collection, filter: Doc, env: QueryEnv): PlanStage | undefined {
  const found = nearIn(filter);
  if (!found) return undefined;
  const { field, near } = found;
  const fit = geoIndexesOf(collection).find(
    ({ index, field: indexed, kind }) =>
      indexed === field &&
      near.measure.indexKinds.includes(kind) &&
      (!index.spec.partialFilter || implies(filter, index.spec.partialFilter)),
  );
  if (!fit) throw plannerError(collection, 'NoQueryExecutionPlans', 'unable to find index for $geoNear query');
  return new GeoNear(collection, fit, near, residualOf(filter, env));
}

/** The matching records by distance. It reads them all: a geospatial index holds no keys here. */
class GeoNear extends PlanStage {
  constructor(
    private readonly collection: Collection,
    private readonly geo: GeoIndex,
    private readonly near: NearQuery,
    private readonly residual: PlannedFilter['residual'],
  ) {
    super(geo.kind === '2d' ? 'GEO_NEAR_2D' : 'GEO_NEAR_2DSPHERE');
  }

  *run({ view, env }: RunContext): Generator<Match> {
    const { measure } = this.near;
    const path = splitPath(this.geo.field);
    const found: { match: Match; distance: number }[] = [];
    for (const { id, bytes } of this.collection.scan(view)) {
      this.works++;
      this.docsExamined++;
      env.checkInterrupt();
      const match = new Match(id, bytes);
      if (this.residual && !this.residual.matches(match.doc)) continue;
      found.push({ match, distance: nearestAt(match.doc, path, measure)?.distance ?? Infinity });
    }
    found.sort((a, b) => a.distance - b.distance);
    for (const { match } of found) {
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    const { spec } = this.geo.index;
    return [
      ['keyPattern', spec.key],
      ['indexName', spec.name],
      ['indexVersion', int32(2)],
    ];
  }
}
