import { formatValue } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type Predicate, whole } from './predicate.js';

/** A position: longitude and latitude, or x and y. */
export type Point = readonly [number, number];
/** An outer ring and the holes in it. */
type Polygon = readonly (readonly Point[])[];
type Region = (point: Point) => boolean;

const bad = (message: string): CommandError => new CommandError('BadValue', message);

export function pointOf(value: Value | undefined): Point | undefined {
  const pair = isDoc(value) ? [...value.values()] : value;
  if (!Array.isArray(pair) || pair.length < 2) return undefined;
  const [x, y] = pair;
  return isNumeric(x) && isNumeric(y) ? [toNumber(x), toNumber(y)] : undefined;
}

function requirePoint(value: Value | undefined): Point {
  const point = pointOf(value);
  if (!point) throw bad(`Point must be an array or object${value === undefined ? '' : `: ${formatValue(value)}`}`);
  return point;
}

const requireArray = (value: Value | undefined, what: string): Value[] => {
  if (!Array.isArray(value)) throw bad(`${what} must be an array`);
  return value;
};

/** Whether a point lies within a ring or on its edge. */
function inRing([x, y]: Point, ring: readonly Point[]): boolean {
  let isInside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i]!;
    const [xj, yj] = ring[j]!;
    const cross = (x - xi) * (yj - yi) - (y - yi) * (xj - xi);
    const isBetween = Math.min(xi, xj) <= x && x <= Math.max(xi, xj) && Math.min(yi, yj) <= y && y <= Math.max(yi, yj);
    if (cross === 0 && isBetween) return true;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isInside = !isInside;
  }
  return isInside;
}

const inPolygon = (point: Point, [outer, ...holes]: Polygon): boolean =>
  inRing(point, outer!) && !holes.some((hole) => inRing(point, hole));

function ringOf(value: Value): Point[] {
  const ring = requireArray(value, 'Polygon coordinates').map(requirePoint);
  if (ring.length < 4) throw bad(`Loop must have at least 3 different vertices: ${formatValue(value)}`);
  const [first, last] = [ring[0]!, ring[ring.length - 1]!];
  if (first[0] !== last[0] || first[1] !== last[1]) throw bad(`Loop is not closed: ${formatValue(value)}`);
  return ring;
}

const polygonOf = (value: Value): Polygon => requireArray(value, 'Polygon coordinates').map(ringOf);

function geometryRegion(geometry: Value): Region {
  if (!isDoc(geometry)) throw bad('$geometry must be an object');
  const coordinates = geometry.get('coordinates');
  const kind = geometry.get('type');
  const polygons =
    kind === 'Polygon'
      ? [polygonOf(coordinates ?? null)]
      : kind === 'MultiPolygon'
        ? requireArray(coordinates, 'MultiPolygon coordinates').map(polygonOf)
        : undefined;
  if (!polygons) throw bad(`$geoWithin not supported with provided geometry: ${formatValue(geometry)}`);
  return (point) => polygons.some((polygon) => inPolygon(point, polygon));
}

function circle(operand: Value, distance: (a: Point, b: Point) => number): Region {
  const [center, radius] = requireArray(operand, '$center');
  const middle = requirePoint(center);
  if (!isNumeric(radius) || toNumber(radius) < 0) throw bad('radius must be a non-negative number');
  return (point) => distance(middle, point) <= toNumber(radius);
}

/** The angle between two places on the sphere, in radians. */
export function sphericalDistance(a: Point, b: Point): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const [lat1, lat2] = [radians(a[1]), radians(b[1])];
  const h =
    Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(radians(b[0] - a[0]) / 2) ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The shapes `$geoWithin` takes. */
const SHAPES: ReadonlyMap<string, (operand: Value) => Region> = new Map<string, (operand: Value) => Region>([
  [
    '$box',
    (operand) => {
      const [a, b] = requireArray(operand, '$box').map(requirePoint) as [Point, Point];
      if (!b) throw bad('Point must be an array or object');
      const between = (n: number, p: number, q: number) => Math.min(p, q) <= n && n <= Math.max(p, q);
      return ([x, y]) => between(x, a[0], b[0]) && between(y, a[1], b[1]);
    },
  ],
  [
    '$polygon',
    (operand) => {
      const ring = (isDoc(operand) ? [...operand.values()] : requireArray(operand, '$polygon')).map(requirePoint);
      if (ring.length < 3) throw bad('Polygon must have at least 3 points');
      return (point) => inRing(point, ring);
    },
  ],
  ['$center', (operand) => circle(operand, (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]))],
  ['$centerSphere', (operand) => circle(operand, sphericalDistance)],
  ['$geometry', geometryRegion],
]);

/** The positions a stored value is made of: a legacy pair, or the coordinates of a GeoJSON geometry. */
function pointsOf(value: Value | undefined): Point[] {
  if (isDoc(value) && typeof value.get('type') === 'string') {
    return value.has('coordinates') ? positionsIn(value.get('coordinates')) : [];
  }
  const point = pointOf(value);
  return point ? [point] : [];
}

function positionsIn(value: Value | undefined): Point[] {
  const point = pointOf(value);
  if (point) return [point];
  return Array.isArray(value) ? value.flatMap(positionsIn) : [];
}

/** A value, or each of an array of values, as locations: an array of pairs is several places. */
const locationsOf = (value: Value | undefined): Point[][] =>
  Array.isArray(value) && !pointOf(value) ? value.map(pointsOf) : [pointsOf(value)];

/** `$geoWithin`: all of a location's positions lie in the shape. */
export function geoWithin(operand: Value): Predicate {
  if (!isDoc(operand)) throw bad('$geoWithin must be an object');
  const [name] = [...operand.keys()].filter((key) => key !== '$uniqueDocs');
  const shape = name === undefined ? undefined : SHAPES.get(name);
  if (!shape)
    throw bad(`unknown geo specifier: ${name === undefined ? '' : `${name}: ${formatValue(operand.get(name)!)}`}`);
  const isWithin = shape(operand.get(name!)!);
  return whole((value) => locationsOf(value).some((points) => points.length > 0 && points.every(isWithin)));
}

function segments(points: readonly Point[]): [Point, Point][] {
  return points.slice(1).map((point, i) => [points[i]!, point]);
}

function segmentsCross([a, b]: [Point, Point], [c, d]: [Point, Point]): boolean {
  const side = (p: Point, q: Point, r: Point) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

/** `$geoIntersects`, on the plane: a position of one lies in the other, or their lines cross. */
export function geoIntersects(operand: Value): Predicate {
  const geometry = isDoc(operand) ? operand.get('$geometry') : undefined;
  if (!isDoc(geometry)) throw bad('$geoIntersects must have a $geometry');
  const asked = shapeOf(geometry);
  return whole((value) => {
    const stored =
      isDoc(value) && value.has('coordinates') ? shapeOf(value) : { points: pointsOf(value), isIn: () => false };
    return (
      stored.points.some(asked.isIn) ||
      asked.points.some(stored.isIn) ||
      stored.points.some((p) => asked.points.some((q) => p[0] === q[0] && p[1] === q[1])) ||
      segments(stored.points).some((s) => segments(asked.points).some((t) => segmentsCross(s, t)))
    );
  });
}

function shapeOf(geometry: Doc): { points: Point[]; isIn: Region } {
  const kind = geometry.get('type');
  const isArea = kind === 'Polygon' || kind === 'MultiPolygon';
  return { points: positionsIn(geometry.get('coordinates')), isIn: isArea ? geometryRegion(geometry) : () => false };
}
