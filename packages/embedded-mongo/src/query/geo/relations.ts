import type { Geometry, Polygon } from './geometry.js';
import { angle, angleToArc, arcsCross, arcsOf, ringEncloses, TOLERANCE_RADIANS, type Vector } from './sphere.js';
import { spend } from '../../bson/work.js';

const polygonEncloses = ([outer, ...holes]: Polygon, place: Vector): boolean =>
  ringEncloses(outer!, place) && !holes.some((hole) => ringEncloses(hole, place) && !isOnLine(hole, place));

function isOnLine(line: readonly Vector[], place: Vector): boolean {
  spend(line.length);
  return arcsOf(line).some(([a, b]) => angleToArc(place, a, b) < TOLERANCE_RADIANS);
}

/** All its lines and the rings of its polygons. */
const linesOf = ({ lines, polygons }: Geometry): (readonly Vector[])[] => [...lines, ...polygons.flat()];

const verticesOf = (geometry: Geometry): Vector[] => [...geometry.places, ...linesOf(geometry).flat()];

function linesCross(some: readonly Vector[], others: readonly Vector[]): boolean {
  const arcs = arcsOf(others);
  return arcsOf(some).some(([a, b]) => {
    spend(arcs.length);
    return arcs.some(([c, d]) => arcsCross(a, b, c, d));
  });
}

/** Whether a geometry has a place: inside of it, on a line or as a point. */
function covers(geometry: Geometry, place: Vector): boolean {
  spend(geometry.places.length);
  return (
    geometry.polygons.some((polygon) => polygonEncloses(polygon, place)) ||
    geometry.lines.some((line) => isOnLine(line, place)) ||
    geometry.places.some((other) => angle(other, place) < TOLERANCE_RADIANS)
  );
}

/** Whether two geometries share a place. */
export function intersects(a: Geometry, b: Geometry): boolean {
  return (
    verticesOf(a).some((place) => covers(b, place)) ||
    verticesOf(b).some((place) => covers(a, place)) ||
    linesOf(a).some((some) => linesOf(b).some((others) => linesCross(some, others)))
  );
}

/** Whether all of a geometry lies in one of the polygons. */
export const isWithin = (geometry: Geometry, polygons: readonly Polygon[]): boolean =>
  polygons.some(
    (polygon) =>
      verticesOf(geometry).every((place) => polygonEncloses(polygon, place)) &&
      !linesOf(geometry).some((line) => polygon.some((ring) => linesCross(line, ring))) &&
      !polygon.slice(1).some((hole) => geometry.polygons.some((inner) => polygonEncloses(inner, hole[0]!))),
  );

/** The angle from a place to the nearest one of a geometry, in radians; 0 inside of it. */
export function angleTo(geometry: Geometry, place: Vector): number {
  if (geometry.polygons.some((polygon) => polygonEncloses(polygon, place))) return 0;
  let least = Infinity;
  for (const other of geometry.places) least = Math.min(least, angle(other, place));
  for (const line of linesOf(geometry)) {
    spend(line.length);
    for (const [a, b] of arcsOf(line)) least = Math.min(least, angleToArc(place, a, b));
  }
  return least;
}
