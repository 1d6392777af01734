import { formatField, formatValue } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { isDoc, type Value } from '../../bson/value.js';
import { badGeometry, isGeoJson, parseGeometry, parsePoint } from './geometry.js';
import { assertSimpleLoops } from './loops.js';
import type { Location } from './location.js';
import { isWithin } from './relations.js';
import { angle, type Point, vectorOf } from './sphere.js';
import { spend } from '../../bson/work.js';

/** Whether a location lies in the region a `$geoWithin` asks for. */
export type Region = (location: Location) => boolean;

/** A region of the plane: only points have a place in it. */
const flat =
  (isInside: (point: Point) => boolean): Region =>
  (location) =>
    location.flat !== undefined && isInside(location.flat);

const pointsOf = (operand: Value, name: string): Point[] => {
  if (!Array.isArray(operand) && !isDoc(operand)) throw badGeometry(`${name} must be an array or object`);
  return [...operand.values()].map(parsePoint);
};

function box(operand: Value): Region {
  const [a, b] = pointsOf(operand, '$box');
  if (!a || !b) throw badGeometry('Point must be an array or object, instead got type missing');
  const isBetween = (n: number, p: number, q: number): boolean => Math.min(p, q) <= n && n <= Math.max(p, q);
  return flat(([x, y]) => isBetween(x, a[0], b[0]) && isBetween(y, a[1], b[1]));
}

/** Whether a point lies within a ring, whose last side closes it, or on its edge. */
function isInRing([x, y]: Point, ring: readonly Point[]): boolean {
  spend(ring.length);
  let isInside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [ring[i]!, ring[j]!];
    const cross = (x - xi) * (yj - yi) - (y - yi) * (xj - xi);
    const isBetween = Math.min(xi, xj) <= x && x <= Math.max(xi, xj) && Math.min(yi, yj) <= y && y <= Math.max(yi, yj);
    if (cross === 0 && isBetween) return true;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isInside = !isInside;
  }
  return isInside;
}

function polygon(operand: Value): Region {
  const ring = pointsOf(operand, '$polygon');
  if (ring.length < 3) throw badGeometry('Polygon must have at least 3 points');
  return flat((point) => isInRing(point, ring));
}

function circleOf(operand: Value): { center: Point; radius: number } {
  if (!Array.isArray(operand) && !isDoc(operand)) throw badGeometry('Circle must be an array or object');
  const [center, radius] = [...operand.values()];
  const point = parsePoint(center);
  if (!isNumeric(radius) || !(toNumber(radius) >= 0)) throw badGeometry('radius must be a non-negative number');
  return { center: point, radius: toNumber(radius) };
}

function center(operand: Value): Region {
  const { center, radius } = circleOf(operand);
  return flat(([x, y]) => Math.hypot(x - center[0], y - center[1]) <= radius);
}

/** Within so many radians; a line or polygon with all its vertices. */
function centerSphere(operand: Value): Region {
  const { center, radius } = circleOf(operand);
  const middle = vectorOf(center);
  return ({ spherical }) => {
    if (!spherical) return false;
    const { places, lines, polygons } = spherical;
    return [...places, ...lines.flat(), ...polygons.flat(2)].every((place) => angle(middle, place) <= radius);
  };
}

function geometry(operand: Value): Region {
  if (!isDoc(operand)) throw badGeometry('$geometry must be an object');
  if (!isGeoJson(operand)) throw badGeometry(`unknown GeoJSON type: ${formatValue(operand)}`);
  const asked = parseGeometry(operand);
  assertSimpleLoops(asked);
  const { polygons } = asked;
  if (polygons.length === 0) {
    throw badGeometry(`$geoWithin not supported with provided geometry: ${formatField('$geometry', operand)}`);
  }
  return ({ spherical }) => spherical !== undefined && isWithin(spherical, polygons);
}

const REGIONS: ReadonlyMap<string, (operand: Value) => Region> = new Map<string, (operand: Value) => Region>([
  ['$box', box],
  ['$polygon', polygon],
  ['$center', center],
  ['$centerSphere', centerSphere],
  ['$geometry', geometry],
]);

/** Reads the operand of `$geoWithin` (manual: $geoWithin). @throws CommandError BadValue */
export function parseRegion(operand: Value): Region {
  if (!isDoc(operand)) throw badGeometry(`geometry must be an object`);
  const [shape, ...more] = [...operand].filter(([name]) => name !== '$uniqueDocs');
  if (!shape) throw badGeometry('$geoWithin must have a shape');
  const [name, value] = shape;
  const parse = REGIONS.get(name);
  if (!parse || more.length > 0) throw badGeometry(`unknown geo specifier: ${formatField(name, value)}`);
  return parse(value);
}
