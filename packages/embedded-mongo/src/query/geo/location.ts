import { isNumeric } from '../../bson/number.js';
import { isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { type Geometry, isGeoJson, parseGeometry, parsePoint } from './geometry.js';
import { type Point, vectorOf } from './sphere.js';

/** Where a stored value is: on the plane if it is a point, on the sphere if it can be there. */
export interface Location {
  readonly value: Value;
  readonly flat: Point | undefined;
  readonly spherical: Geometry | undefined;
}

const isPair = (value: Value): boolean => {
  if (!isDoc(value) && !Array.isArray(value)) return false;
  const [x, y] = value.values();
  return isNumeric(x) && isNumeric(y);
};

/**
 * Reads one location: GeoJSON, or a legacy pair of coordinates.
 * @throws CommandError BadValue for what is neither
 */
export function parseLocation(value: Value): Location {
  if (isGeoJson(value)) {
    const spherical = parseGeometry(value);
    return { value, flat: value.get('type') === 'Point' ? parsePoint(value.get('coordinates')) : undefined, spherical };
  }
  const flat = parsePoint(value);
  const isOnSphere = Math.abs(flat[0]) <= 180 && Math.abs(flat[1]) <= 90;
  const spherical = isOnSphere ? { places: [vectorOf(flat)], lines: [], polygons: [] } : undefined;
  return { value, flat, spherical };
}

/** The locations a field's value stands for: itself, or each element of an array that is no pair. Others are left out. */
export function locationsIn(value: Value | undefined): Location[] {
  if (value === undefined || value === null) return [];
  const candidates = Array.isArray(value) && !isPair(value) ? value : [value];
  return candidates.flatMap((candidate) => {
    try {
      return [parseLocation(candidate)];
    } catch (error) {
      if (error instanceof CommandError) return [];
      throw error;
    }
  });
}
