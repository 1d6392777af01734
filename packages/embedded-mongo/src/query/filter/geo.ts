import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { badGeometry, parseGeometry } from '../geo/geometry.js';
import { assertSimpleLoops } from '../geo/loops.js';
import { locationsIn } from '../geo/location.js';
import { nearestIn, parseNear } from '../geo/near.js';
import { parseRegion } from '../geo/regions.js';
import { intersects } from '../geo/relations.js';
import { type Predicate, whole } from './predicate.js';

/** `$geoWithin`: a location lies wholly in the region. */
export function geoWithin(operand: Value): Predicate {
  const isIn = parseRegion(operand);
  return whole((value) => locationsIn(value).some(isIn));
}

/** `$geoIntersects`: a location shares a place with the geometry. */
export function geoIntersects(operand: Value): Predicate {
  const [shape] = isDoc(operand) ? operand : [];
  if (!shape) throw badGeometry('$geoIntersects must have a $geometry');
  if (shape[0] !== '$geometry') throw badGeometry(`unknown geo specifier: ${shape[0]}`);
  const geometry = parseGeometry(shape[1]);
  assertSimpleLoops(geometry);
  return whole((value) =>
    locationsIn(value).some(({ spherical }) => spherical !== undefined && intersects(spherical, geometry)),
  );
}

/** `$near` and `$nearSphere`: the nearest location lies between the distances. The planner puts them in order. */
export function near(operators: Doc): Predicate {
  const { measure, least, most } = parseNear(operators);
  return whole((value) => {
    const nearest = nearestIn(value, measure);
    return nearest !== undefined && nearest.distance >= least && nearest.distance <= most;
  });
}
