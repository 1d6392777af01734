import type { Measure } from '../../query/geo/near.js';
import { vectorOf } from '../../query/geo/sphere.js';
import type { Box } from '../geo/box.js';
import { type GeoField, geoFieldsOf, geoRanges, numberOr } from '../geo/geo-index.js';
import { boxAround } from '../geo/query-box.js';
import { boxOfCap, planeBoxOfCap } from '../geo/sphere-box.js';
import type { StoredIndex } from '../stored-index.js';
import type { TreeRange } from './index-bounds.js';

/** Some 600 m on the Earth, which is where to look first. */
const FIRST_RADIANS = 1e-4;

/** Finds the stretches of a geospatial index that have all within a distance. */
export class NearSearch {
  private readonly field: GeoField;

  constructor(
    private readonly index: StoredIndex,
    path: string,
    private readonly measure: Measure,
  ) {
    this.field = geoFieldsOf(index.spec).find((field) => field.path === path)!;
  }

  get firstRadius(): number {
    const { perRadian } = this.measure;
    return perRadian === undefined ? (this.max - this.min) / 4096 : FIRST_RADIANS * perRadian;
  }

  /** The distance within which everything is. */
  get greatest(): number {
    const { perRadian } = this.measure;
    if (perRadian !== undefined) return Math.PI * perRadian;
    const corner = this.measure.center.map((value) => Math.max(Math.abs(value - this.min), Math.abs(value - this.max)));
    return Math.hypot(...corner);
  }

  rangesUpTo(distance: number): TreeRange[] {
    const { format } = this.index;
    const { position } = this.field;
    if (distance >= this.greatest) return [{ from: format.edge([position], false), to: format.edge([position], true) }];
    return geoRanges(this.field, this.boxWithin(distance)).map(({ from, to }) => ({
      from: format.edge(from, false),
      to: format.edge(to, false),
    }));
  }

  private boxWithin(distance: number): Box {
    const { center, perRadian } = this.measure;
    if (perRadian === undefined) return boxAround(center, distance);
    const radius = distance / perRadian;
    return this.field.kind === '2d' ? planeBoxOfCap(center, radius) : boxOfCap(vectorOf(center), radius);
  }

  /** The bounds of a 2d index. */
  private get min(): number {
    return numberOr(this.index.spec.doc.get('min'), -180);
  }

  private get max(): number {
    return numberOr(this.index.spec.doc.get('max'), 180);
  }
}
