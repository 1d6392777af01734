import { badGeometry, type Geometry } from './geometry.js';
import { arcsCross, arcsOf, type Vector } from './sphere.js';

/**
 * Refuses polygons with a ring that touches or crosses itself, as MongoDB does where one is stored in a 2dsphere index
 * or asked for. It compares every two sides, so it is not for reading what is stored.
 *
 * @throws CommandError BadValue
 */
export function assertSimpleLoops({ polygons }: Geometry): void {
  for (const ring of polygons.flat()) {
    assertDistinct(ring.slice(1));
    const arcs = arcsOf(ring);
    arcs.forEach(([a, b], i) => {
      const last = i === 0 ? arcs.length - 2 : arcs.length - 1; // neighbours meet at a corner
      const other = arcs.findIndex(([c, d], j) => j > i + 1 && j <= last && arcsCross(a, b, c, d));
      if (other !== -1) throw badGeometry(`Loop is not valid: Edges ${i} and ${other} cross`);
    });
  }
}

function assertDistinct(places: readonly Vector[]): void {
  const seen = new Map<string, number>();
  places.forEach((place, i) => {
    const key = place.join();
    const other = seen.get(key);
    if (other !== undefined) throw badGeometry(`Loop is not valid: Duplicate vertices: ${other} and ${i}`);
    seen.set(key, i);
  });
}
