import { formatDoc, formatValue } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { type Doc, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type Point, type Vector, vectorOf } from './sphere.js';

/** The outer ring of a polygon, and the holes in it. */
export type Polygon = readonly (readonly Vector[])[];

/** A geometry on the sphere. */
export interface Geometry {
  readonly places: readonly Vector[];
  readonly lines: readonly (readonly Vector[])[];
  readonly polygons: readonly Polygon[];
}

const NOTHING: Geometry = { places: [], lines: [], polygons: [] };

export const badGeometry = (message: string): CommandError => new CommandError('BadValue', message);

/** A pair of numbers, as an array or the first two fields of a document. @throws CommandError BadValue */
export function parsePoint(value: Value | undefined): Point {
  if (!isDoc(value) && !Array.isArray(value)) {
    throw badGeometry(`Point must be an array or object, instead got type ${typeName(value)}`);
  }
  const [x, y, ...more] = value.values();
  for (const coordinate of [x, y]) {
    if (isNumeric(coordinate)) continue;
    throw badGeometry(`Point must only contain numeric elements, instead got type ${typeName(coordinate)}`);
  }
  if (more.length > 0 && !more.every(isNumeric)) throw badGeometry('Point must only contain two numeric elements');
  const point: Point = [toNumber(x as number), toNumber(y as number)];
  if (!point.every(Number.isFinite)) throw badGeometry('Point coordinates must be finite numbers');
  return point;
}

/** A point that is a longitude and a latitude. @throws CommandError BadValue */
function parsePosition(value: Value | undefined): Vector {
  const [longitude, latitude] = parsePoint(value);
  if (Math.abs(longitude) > 180 || Math.abs(latitude) > 90) {
    throw badGeometry(`Longitude/latitude is out of bounds, lng: ${String(longitude)} lat: ${String(latitude)}`);
  }
  return vectorOf([longitude, latitude]);
}

function listOf<T>(value: Value | undefined, what: string, parse: (element: Value) => T): T[] {
  if (!Array.isArray(value)) throw badGeometry(`${what} coordinates must be an array`);
  return value.map(parse);
}

const isSame = (a: Vector, b: Vector): boolean => a.every((coordinate, i) => coordinate === b[i]);

function parseRing(value: Value): Vector[] {
  const ring = listOf(value, 'Polygon', parsePosition);
  if (ring.length === 0 || !isSame(ring[0]!, ring.at(-1)!)) {
    throw badGeometry(`Loop is not closed: ${formatValue(value)}`);
  }
  const different = ring.filter((place, i) => i === 0 || !isSame(place, ring[i - 1]!));
  if (different.length < 4) throw badGeometry(`Loop must have at least 3 different vertices: ${formatValue(value)}`);
  return different;
}

function parsePolygon(value: Value): Polygon {
  const rings = listOf(value, 'Polygon', parseRing);
  if (rings.length === 0) throw badGeometry('Polygon has no loops.');
  return rings;
}

function parseLine(value: Value): Vector[] {
  const line = listOf(value, 'LineString', parsePosition);
  const different = line.filter((place, i) => i === 0 || !isSame(place, line[i - 1]!));
  if (different.length < 2) {
    throw badGeometry(`GeoJSON LineString must have at least 2 vertices: ${formatValue(value)}`);
  }
  return different;
}

/** GeoJSON's types by name (RFC 7946). */
const PARSERS: ReadonlyMap<string, (coordinates: Value) => Partial<Geometry>> = new Map<
  string,
  (coordinates: Value) => Partial<Geometry>
>([
  ['Point', (value) => ({ places: [parsePosition(value)] })],
  ['MultiPoint', (value) => ({ places: listOf(value, 'MultiPoint', parsePosition) })],
  ['LineString', (value) => ({ lines: [parseLine(value)] })],
  ['MultiLineString', (value) => ({ lines: listOf(value, 'MultiLineString', parseLine) })],
  ['Polygon', (value) => ({ polygons: [parsePolygon(value)] })],
  ['MultiPolygon', (value) => ({ polygons: listOf(value, 'MultiPolygon', parsePolygon) })],
]);

/** Whether a value claims to be GeoJSON, rather than a legacy pair of coordinates. */
export const isGeoJson = (value: Value | undefined): value is Doc =>
  isDoc(value) && typeof value.get('type') === 'string';

/** Reads a GeoJSON geometry. @throws CommandError BadValue for what is none */
export function parseGeometry(value: Value | undefined): Geometry {
  if (!isDoc(value)) throw badGeometry('geometry must be an object');
  const kind = value.get('type');
  if (kind === 'GeometryCollection') {
    const parts = value.get('geometries');
    if (!Array.isArray(parts)) throw badGeometry('GeometryCollection geometries must be an array');
    if (parts.length === 0) throw badGeometry('GeometryCollection geometries must have at least 1 element');
    return union(parts.map(parseGeometry));
  }
  const parse = typeof kind === 'string' ? PARSERS.get(kind) : undefined;
  if (!parse) throw badGeometry(`unknown GeoJSON type: ${formatDoc(value)}`);
  const coordinates = value.get('coordinates');
  if (coordinates === undefined || (kind === 'Point' && !Array.isArray(coordinates) && !isDoc(coordinates))) {
    throw badGeometry(`Point must be an array or object, instead got type ${typeName(coordinates)}`);
  }
  return { ...NOTHING, ...parse(coordinates) };
}

const union = (geometries: readonly Geometry[]): Geometry => ({
  places: geometries.flatMap(({ places }) => places),
  lines: geometries.flatMap(({ lines }) => lines),
  polygons: geometries.flatMap(({ polygons }) => polygons),
});
