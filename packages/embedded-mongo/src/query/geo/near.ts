import { formatValue } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { type Path, visitPath } from '../../bson/path.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { badGeometry, isGeoJson, parseGeometry, parsePoint } from './geometry.js';
import { type Location, locationsIn } from './location.js';
import { angleTo } from './relations.js';
import { type Point, vectorOf } from './sphere.js';

export type GeoIndexKind = '2d' | '2dsphere';

/** A geospatial index, by the field it is on. */
export interface GeoIndexOn {
  readonly field: string;
  readonly kind: GeoIndexKind;
}

/** How far locations are from a point, and which kinds of index MongoDB can answer that with. */
export interface Measure {
  /** Metres from a GeoJSON point, radians from a pair on the sphere, else units of the plane. */
  distanceTo(location: Location): number | undefined;
  readonly indexKinds: readonly GeoIndexKind[];
  readonly center: Point;
  /** The unit in which it measures, in so many to the radian; undefined on the plane. */
  readonly perRadian: number | undefined;
}

/** The Earth's radius as MongoDB has it. */
const EARTH_RADIUS_METRES = 6_378_100;

/** Measures from a GeoJSON point or a legacy pair. @throws CommandError BadValue for what is neither */
export function measureFrom(center: Value, isOnSphere: boolean): Measure {
  if (!isGeoJson(center)) {
    const [x, y] = parsePoint(center);
    if (!isOnSphere) {
      return {
        distanceTo: ({ flat }) => flat && Math.hypot(flat[0] - x, flat[1] - y),
        indexKinds: ['2d'],
        center: [x, y],
        perRadian: undefined,
      };
    }
    return sphericalMeasure([x, y], 1, ['2d', '2dsphere']);
  }
  parseGeometry(center);
  if (center.get('type') !== 'Point') throw badGeometry(`$near requires a point, given ${formatValue(center)}`);
  return sphericalMeasure(parsePoint(center.get('coordinates')), EARTH_RADIUS_METRES, ['2dsphere']);
}

function sphericalMeasure(center: Point, radius: number, indexKinds: GeoIndexKind[]): Measure {
  const place = vectorOf(center);
  return {
    distanceTo: ({ spherical }) => spherical && angleTo(spherical, place) * radius,
    indexKinds,
    center,
    perRadian: radius,
  };
}

/** The nearest location of a field's value. */
export interface Nearest {
  readonly distance: number;
  readonly location: Location;
}

/** The nearest of the locations a value stands for. */
export function nearestIn(value: Value | undefined, measure: Measure): Nearest | undefined {
  let nearest: Nearest | undefined;
  for (const location of locationsIn(value)) {
    const distance = measure.distanceTo(location);
    if (distance !== undefined && (!nearest || distance < nearest.distance)) nearest = { distance, location };
  }
  return nearest;
}

/** The nearest of a document's locations at a path, which may lead through arrays. */
export function nearestAt(doc: Doc, path: Path, measure: Measure): Nearest | undefined {
  let nearest: Nearest | undefined;
  visitPath(doc, path, 'array', (value) => {
    const found = nearestIn(value, measure);
    if (found && (!nearest || found.distance < nearest.distance)) nearest = found;
    return false;
  });
  return nearest;
}

/** A `$near` or `$nearSphere` of a filter. */
export interface NearQuery {
  readonly measure: Measure;
  readonly least: number;
  readonly most: number;
  readonly isNearSphere: boolean;
}

/** How the planner's errors show it. */
export const nearText = (field: string, { most, isNearSphere }: NearQuery): string =>
  `GEONEAR  field=${field} maxdist=${Number(Math.min(most, Number.MAX_VALUE).toPrecision(6))} isNearSphere=${Number(isNearSphere)}`;

const NEAR_OPERATORS = ['$near', '$nearSphere', '$geoNear'];
const LIMITS = ['$minDistance', '$maxDistance'];

/** Whether the operators on a field are a `$near` with what may stand beside it. */
export function isNear(operators: Doc): boolean {
  const [first] = operators.keys();
  return first !== undefined && NEAR_OPERATORS.includes(first);
}

export const isNearLimit = (name: string): boolean => LIMITS.includes(name);

function limitOf(fields: Doc, name: string, otherwise: number): number {
  const value = fields.get(name);
  if (value === undefined) return otherwise;
  const [notANumber, negative] = name === '$minDistance' ? [16893, 16894] : [16895, 16896];
  if (!isNumeric(value)) throw new CommandError(notANumber, `${name} must be a number`);
  if (!(toNumber(value) >= 0)) throw new CommandError(negative, `${name} must be non-negative`);
  return toNumber(value);
}

/** Reads a `$near` in any of its forms (manual: $near, $nearSphere). @throws CommandError */
export function parseNear(operators: Doc): NearQuery {
  const [[name, operand]] = operators as unknown as [[string, Value]];
  return { ...limitedNear(operand, operators, name === '$nearSphere'), isNearSphere: name === '$nearSphere' };
}

type LimitedNear = Omit<NearQuery, 'isNearSphere'>;

function limitedNear(operand: Value, operators: Doc, isOnSphere: boolean): LimitedNear {
  if (isDoc(operand) && operand.has('$geometry')) {
    const center = operand.get('$geometry')!;
    const point = isDoc(center) && !center.has('type') && center.has('coordinates') ? asPoint(center) : center;
    return {
      measure: inNear(() => measureFrom(point, true)),
      least: limitOf(operand, '$minDistance', 0),
      most: limitOf(operand, '$maxDistance', Infinity),
    };
  }
  if (isGeoJson(operand)) return withLimits(measureFrom(operand, true), operators);
  const pair = Array.isArray(operand) && operand.length === 3 ? operand.slice(0, 2) : operand;
  const third = Array.isArray(operand) ? operand[2] : undefined;
  const near = withLimits(
    inNear(() => measureFrom(pair, isOnSphere)),
    operators,
  );
  return isNumeric(third) ? { ...near, most: toNumber(third) } : near;
}

const withLimits = (measure: Measure, operators: Doc): LimitedNear => ({
  measure,
  least: limitOf(operators, '$minDistance', 0),
  most: limitOf(operators, '$maxDistance', Infinity),
});

/** A `$geometry` may leave out its type. */
const asPoint = (center: Doc): Doc => new Map([['type', 'Point'], ...center]);

function inNear(parse: () => Measure): Measure {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CommandError) || error.message.startsWith('$near')) throw error;
    throw badGeometry(`invalid point in geo near query $geometry argument: ${error.message}`);
  }
}

/**
 * The one `$near` of a filter and the field it is on. Its documents come in the order of their distance, so it may stand
 * only where that has a meaning.
 *
 * @throws CommandError BadValue for more than one, or for one below `$or`, `$nor`, `$not` or `$elemMatch`
 */
export function nearIn(filter: Doc): { readonly field: string; readonly near: NearQuery } | undefined {
  const found = [...topLevelNears(filter)];
  if (found.length > 1) throw badGeometry('Too many geoNear expressions');
  return found[0] && { field: found[0].field, near: parseNear(found[0].operators) };
}

function* topLevelNears(filter: Doc): Generator<{ field: string; operators: Doc }> {
  for (const [name, condition] of filter) {
    if (name === '$and' && Array.isArray(condition)) {
      for (const part of condition) if (isDoc(part)) yield* topLevelNears(part);
    } else if (name === '$or' || name === '$nor') {
      if (hasNear(condition)) throw badGeometry('geo $near must be top-level expr');
    } else if (isDoc(condition)) {
      if (isNear(condition)) yield { field: name, operators: condition };
      else if ((condition.has('$not') || condition.has('$elemMatch')) && hasNear(condition)) {
        throw badGeometry('geo $near must be top-level expr');
      }
    }
  }
}

function hasNear(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasNear);
  return isDoc(value) && (isNear(value) || [...value.values()].some(hasNear));
}
