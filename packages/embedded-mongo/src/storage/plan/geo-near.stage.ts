import { splitPath } from '../../bson/path.js';
import { type Doc, int32, type Value } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import {
  type GeoIndexKind,
  type GeoIndexOn,
  nearIn,
  type NearQuery,
  nearestAt,
  nearText,
} from '../../query/geo/near.js';
import type { Collection } from '../collection.js';
import type { RecordId } from '../record-store.js';
import type { StoredIndex } from '../stored-index.js';
import { plannerError } from './access.stages.js';
import { residualOf } from './candidates.js';
import { implies } from './implication.js';
import type { TreeRange } from './index-bounds.js';
import { KeyWalk } from './key-walk.js';
import { NearSearch } from './near-search.js';
import { collected, PAUSE, type Pause } from '../../bson/pause.js';
import { isPauseDue } from '../../bson/work.js';
import { Match, PlanStage, type RunContext } from './stage.js';
import type { PlannedFilter } from './candidate.js';

interface Found {
  readonly match: Match;
  readonly distance: number;
}

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
  if (!fit) {
    const what = 'unable to find index for $geoNear query';
    throw plannerError(collection, 'NoQueryExecutionPlans', what, nearText(field, near));
  }
  return new GeoNear(collection, fit, near, residualOf(filter, env));
}

/** How much further each look goes than the one before. */
const GROWTH = 4;

/** The matching records by distance: those nearby first, then those in ever wider circles. */
class GeoNear extends PlanStage {
  private readonly seen = new Set<RecordId>();

  constructor(
    private readonly collection: Collection,
    private readonly geo: GeoIndex,
    private readonly near: NearQuery,
    private readonly residual: PlannedFilter['residual'],
  ) {
    super(geo.kind === '2d' ? 'GEO_NEAR_2D' : 'GEO_NEAR_2DSPHERE');
  }

  *run(context: RunContext): Generator<Match | Pause> {
    let pending: Found[] = [];
    const search = new NearSearch(this.geo.index, this.geo.field, this.near.measure);
    for (let radius = search.firstRadius; ; radius *= GROWTH) {
      const isLast = radius >= search.greatest || radius >= this.near.most;
      const ranges = search.rangesUpTo(isLast ? this.near.most : radius);
      for (const found of yield* collected(this.look(ranges, context))) pending.push(found);
      pending.sort((a, b) => a.distance - b.distance || a.match.id - b.match.id);
      const far = isLast ? -1 : pending.findIndex(({ distance }) => distance > radius);
      const ready = far === -1 ? pending : pending.slice(0, far);
      pending = far === -1 ? [] : pending.slice(far);
      for (const { match } of ready) {
        this.returned++;
        yield match;
      }
      if (isLast) return;
    }
  }

  /** The matches that no look has found before. */
  private *look(ranges: readonly TreeRange[], context: RunContext): Generator<Found | Pause> {
    const { collection, residual } = this;
    const { index, field } = this.geo;
    const walk = new KeyWalk({ collection, index, ranges, isReversed: false }, context, this);
    while (walk.next()) {
      if (isPauseDue()) yield PAUSE;
      if (this.seen.has(walk.id)) continue;
      this.seen.add(walk.id);
      this.docsExamined++;
      const match = new Match(walk.id, walk.bytes);
      if (residual && !residual.matches(match.doc)) continue;
      yield { match, distance: nearestAt(match.doc, splitPath(field), this.near.measure)?.distance ?? Infinity };
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

  protected override counters(): [string, Value][] {
    return [
      ['keysExamined', int32(this.keysExamined)],
      ['docsExamined', int32(this.docsExamined)],
    ];
  }
}
