import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { toNumber } from '../../bson/number.js';
import { parseGeometry, parsePoint } from '../../query/geo/geometry.js';
import { vectorOf } from '../../query/geo/sphere.js';
import type { Predicate } from '../plan/predicate.js';
import { type Box, boxOf } from './box.js';
import type { GeoField } from './geo-index.js';
import { boxOfCap, boxOfGeometry, planeBoxOfCap } from './sphere-box.js';

/** The box of all that can fulfil a valid geospatial condition; undefined where that kind of index does not help. */
export function queryBox({ operator, operand }: Predicate, kind: GeoField['kind']): Box | undefined {
  if (!['$geoWithin', '$within', '$geoIntersects'].includes(operator) || !isDoc(operand)) return undefined;
  const [shape] = [...operand].filter(([name]) => name !== '$uniqueDocs');
  if (!shape) return undefined;
  return kind === '2d' ? flatBox(...shape) : sphericalBox(...shape);
}

function sphericalBox(name: string, shape: Value): Box | undefined {
  if (name === '$geometry') return boxOfGeometry(parseGeometry(shape));
  if (name !== '$centerSphere') return undefined;
  const { center, radius } = circleOf(shape);
  return boxOfCap(vectorOf(center), radius);
}

function flatBox(name: string, shape: Value): Box | undefined {
  if (name === '$box' || name === '$polygon') return boxOf([...(shape as Doc | Value[]).values()].map(parsePoint));
  if (name !== '$center' && name !== '$centerSphere') return undefined;
  const { center, radius } = circleOf(shape);
  if (name === '$centerSphere') return planeBoxOfCap(center, radius);
  return boxAround(center, radius);
}

export const boxAround = ([x, y]: readonly [number, number], radius: number): Box => ({
  low: [x - radius, y - radius],
  high: [x + radius, y + radius],
});

function circleOf(shape: Value): { center: readonly [number, number]; radius: number } {
  const [center, radius] = [...(shape as Doc | Value[]).values()];
  return { center: parsePoint(center), radius: toNumber(radius as number) };
}
