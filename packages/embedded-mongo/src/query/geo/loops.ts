import { spend } from '../../bson/work.js';
import { badGeometry, type Geometry } from './geometry.js';
import { arcsCross, arcsOf, reachOfArc, type Vector } from './sphere.js';

/**
 * Refuses polygons with a ring that touches or crosses itself, as MongoDB does where one is stored in a 2dsphere index
 * or asked for.
 *
 * @throws CommandError BadValue
 */
export function assertSimpleLoops({ polygons }: Geometry): void {
  for (const ring of polygons.flat()) {
    assertDistinct(ring.slice(1));
    const crossing = firstCrossing(arcsOf(ring));
    if (crossing) throw badGeometry(`Loop is not valid: Edges ${crossing.join(' and ')} cross`);
  }
}

function assertDistinct(places: readonly Vector[]): void {
  spend(places.length);
  const seen = new Map<string, number>();
  places.forEach((place, i) => {
    const key = place.join();
    const other = seen.get(key);
    if (other !== undefined) throw badGeometry(`Loop is not valid: Duplicate vertices: ${other} and ${i}`);
    seen.set(key, i);
  });
}

/** Two sides of a ring that cross, the first ones: only sides are compared that reach over the same stretch of an axis. */
function firstCrossing(arcs: readonly [Vector, Vector][]): [number, number] | undefined {
  const sides = arcs.map(([a, b], place) => ({ a, b, place, ...reachOfArc(a, b) })).sort((s, t) => s.low - t.low);
  const isNeighbour = (i: number, j: number): boolean => j - i <= 1 || j - i === arcs.length - 1;
  let first: [number, number] | undefined;
  sides.forEach((side, at) => {
    for (let next = at + 1; next < sides.length && sides[next]!.low <= side.high; next++) {
      spend(1);
      const other = sides[next]!;
      const [i, j] = side.place < other.place ? [side.place, other.place] : [other.place, side.place];
      const isLater = first && (i > first[0] || (i === first[0] && j > first[1]));
      if (isLater || isNeighbour(i, j)) continue; // neighbours meet at a corner
      spend(4);
      if (arcsCross(side.a, side.b, other.a, other.b)) first = [i, j];
    }
  });
  return first;
}
