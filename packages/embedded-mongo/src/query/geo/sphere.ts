import { spend } from '../../bson/work.js';

/** A longitude and a latitude in degrees, or an x and a y on the plane. */
export type Point = readonly [number, number];

/** A place on the unit sphere. */
export type Vector = readonly [number, number, number];

/** Angles below this count as none: some millimetres on the Earth. */
export const TOLERANCE_RADIANS = 1e-9;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export function vectorOf([longitude, latitude]: Point): Vector {
  const [lambda, phi] = [radians(longitude), radians(latitude)];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vector): number => Math.hypot(...a);
export const scaled = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** The angle between two places, in radians. */
export const angle = (a: Vector, b: Vector): number => Math.atan2(length(cross(a, b)), dot(a, b));

/** The angle from a place to the nearest one on the shorter arc from `a` to `b`. */
export function angleToArc(place: Vector, a: Vector, b: Vector): number {
  const normal = cross(a, b);
  const size = length(normal);
  if (size > 0) {
    const foot = minus(place, scaled(normal, dot(place, normal) / size ** 2));
    const isBetween = dot(cross(a, foot), normal) >= 0 && dot(cross(foot, b), normal) >= 0;
    if (isBetween && length(foot) > 0) return angle(place, scaled(foot, 1 / length(foot)));
  }
  return Math.min(angle(place, a), angle(place, b));
}

/** Whether the arcs from `a` to `b` and from `c` to `d` cross at a place inside both. */
export function arcsCross(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  const [ab, cd] = [cross(a, b), cross(c, d)];
  const sides = [-dot(ab, c), dot(ab, d), dot(cd, a), -dot(cd, b)]; // of one sign when they cross on this side
  return sides.every((side) => side > 0) || sides.every((side) => side < 0);
}

/** The stretch of the first axis that an arc lies in: none of its places is farther from its chord than its middle. */
export function reachOfArc(a: Vector, b: Vector): { low: number; high: number } {
  const half = Math.min(1, length(minus(a, b)) / 2);
  const bulge = 1 - Math.sqrt(1 - half ** 2);
  return { low: Math.min(a[0], b[0]) - bulge, high: Math.max(a[0], b[0]) + bulge };
}

/** The arcs of a line, or of a ring that ends where it begins. */
export const arcsOf = (places: readonly Vector[]): [Vector, Vector][] =>
  places.slice(1).map((place, i) => [places[i]!, place]);

/**
 * Whether a ring encloses a place, or has it on its edge. The ring's inside is its smaller part, as MongoDB takes it.
 * An arc from the place to one that is surely outside crosses the ring an odd number of times.
 */
export function ringEncloses(ring: readonly Vector[], place: Vector): boolean {
  spend(4 * ring.length);
  const arcs = arcsOf(ring);
  if (arcs.some(([a, b]) => angleToArc(place, a, b) < TOLERANCE_RADIANS)) return true;
  const sum = arcs.reduce<Vector>((total, [a]) => minus(total, a), [0, 0, 0]);
  // Opposite of the ring's middle, and a little aside so that the arc to it is no edge's continuation.
  const outside: Vector = [sum[0] + 1.7e-4, sum[1] - 2.3e-4, sum[2] + 3.1e-4];
  const far = scaled(outside, 1 / length(outside));
  return arcs.filter(([a, b]) => arcsCross(place, far, a, b)).length % 2 === 1;
}
