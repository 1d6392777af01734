import type { Geometry } from '../../query/geo/geometry.js';
import { angle, arcsOf, cross, dot, length, ringEncloses, scaled, type Vector } from '../../query/geo/sphere.js';
import { type Box, boxOf, hull } from './box.js';

/** The six places where an axis meets the unit sphere. */
const AXES: readonly Vector[] = [
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
  [0, 0, 1],
  [0, 0, -1],
];

/** The box, in three dimensions, around a geometry on the unit sphere. */
export function boxOfGeometry({ places, lines, polygons }: Geometry): Box {
  const extremes: Vector[] = [...places];
  for (const line of [...lines, ...polygons.flat()]) {
    for (const [a, b] of arcsOf(line)) extremes.push(a, b, ...summitsOf(a, b));
  }
  // A coordinate is greatest on the edge of a region, or else where the axis meets the sphere inside of it.
  for (const [outer] of polygons) extremes.push(...AXES.filter((axis) => ringEncloses(outer!, axis)));
  return boxOf(extremes.length > 0 ? extremes : AXES);
}

/** Where a coordinate is greatest or least on the great circle of an arc, as far as that is on the arc. */
function summitsOf(a: Vector, b: Vector): Vector[] {
  const normal = cross(a, b);
  const size = length(normal);
  if (size === 0) return [];
  const unit = scaled(normal, 1 / size);
  return AXES.flatMap((axis) => {
    const along = dot(axis, unit);
    const foot: Vector = [axis[0] - along * unit[0], axis[1] - along * unit[1], axis[2] - along * unit[2]];
    const distance = length(foot);
    if (distance === 0) return [];
    const summit = scaled(foot, 1 / distance);
    const isOnArc = dot(cross(a, summit), normal) >= 0 && dot(cross(summit, b), normal) >= 0;
    return isOnArc ? [summit] : [];
  });
}

/** The box around all places within so many radians of one. */
export function boxOfCap(center: Vector, radius: number): Box {
  const boxes = [0, 2, 4].map((i) => {
    const theta = angle(center, AXES[i]!);
    return { low: Math.cos(Math.min(Math.PI, theta + radius)), high: Math.cos(Math.max(0, theta - radius)) };
  });
  return { low: boxes.map(({ low }) => low), high: boxes.map(({ high }) => high) };
}

/** The box of longitudes and latitudes around all places within so many radians of one. */
export function planeBoxOfCap([longitude, latitude]: readonly [number, number], radius: number): Box {
  const degrees = 180 / Math.PI;
  const [south, north] = [latitude - radius * degrees, latitude + radius * degrees];
  const reach = Math.sin(Math.min(radius, Math.PI / 2)) / Math.cos(latitude / degrees);
  const span = south <= -90 || north >= 90 || reach >= 1 ? 360 : Math.asin(reach) * degrees;
  const [west, east] = [longitude - span, longitude + span];
  const isAcross = west < -180 || east > 180;
  return hull([{ low: [isAcross ? -180 : west, south], high: [isAcross ? 180 : east, north] }]);
}
