import { getPath } from '../../bson/path.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { display } from '../expression/display.js';
import { parseFieldPath } from '../expression/field-path.js';
import { compileFilter } from '../filter.js';
import { pointOf, sphericalDistance, type Point } from '../filter/geo.js';
import { withPath } from './document.js';
import { docSpec, type StageDefinition } from './stage.js';

const FIELDS = [
  'near',
  'distanceField',
  'spherical',
  'maxDistance',
  'minDistance',
  'query',
  'distanceMultiplier',
  'includeLocs',
  'key',
];
const EARTH_RADIUS_METERS = 6_378_100;

/** How far a place is from `near`: metres for GeoJSON, radians for a pair on the sphere, else plane units. */
type Distance = (place: Point) => number;

function distanceFrom(near: Value | undefined, isSpherical: boolean): Distance {
  const isGeoJson = isDoc(near) && near.has('coordinates');
  const center = isGeoJson ? pointOf(near.get('coordinates')) : pointOf(near);
  if (center === undefined) {
    throw new CommandError(
      5860400,
      `$geoNear requires near point to be a numeric pair or a GeoJSON point, found ${display(near)}`,
    );
  }
  if (isGeoJson) return (place) => sphericalDistance(center, place) * EARTH_RADIUS_METERS;
  if (isSpherical) return (place) => sphericalDistance(center, place);
  return (place) => Math.hypot(center[0] - place[0], center[1] - place[1]);
}

function number(fields: Doc, field: string, otherwise: number): number {
  const value = fields.get(field);
  if (value === undefined) return otherwise;
  if (isNumeric(value) && toNumber(value) >= 0) return toNumber(value);
  throw new CommandError(
    'TypeMismatch',
    `$geoNear requires '${field}' to be a nonnegative number, found ${display(value)}`,
  );
}

/** The place a document is at: in the field `key`, or else in the first that holds a place. */
function placeOf(doc: Doc, key: readonly string[] | undefined): { place: Point; value: Value } | undefined {
  for (const value of key ? [getPath(doc, key)] : doc.values()) {
    const place = isDoc(value) && value.get('type') === 'Point' ? pointOf(value.get('coordinates')) : pointOf(value);
    if (place !== undefined && value !== undefined) return { place, value };
  }
  return undefined;
}

function optionalPath(fields: Doc, field: string): readonly string[] | undefined {
  const path = fields.get(field);
  if (path === undefined) return undefined;
  if (typeof path === 'string') return parseFieldPath(path);
  throw new CommandError(
    'TypeMismatch',
    `$geoNear parameter '${field}' must be of type string but found type: ${typeName(path)}`,
  );
}

/** Documents by their distance; here from a scan, where MongoDB wants a geospatial index. */
export const geoNearStage: StageDefinition = {
  position: 'first',
  forbiddenIn: ['$facet'],
  compile(spec, { env }) {
    const fields = docSpec(spec, 10065, (type) => `$geoNear requires an object, found ${type}`);
    for (const field of fields.keys()) {
      if (!FIELDS.includes(field)) throw new CommandError(40415, `BSON field '$geoNear.${field}' is an unknown field.`);
    }
    const distanceField = optionalPath(fields, 'distanceField');
    if (distanceField === undefined) {
      throw new CommandError(16605, "$geoNear requires a 'distanceField' option as a String");
    }
    if (!fields.has('near')) throw new CommandError(5860400, '$geoNear requires a near option');
    const distance = distanceFrom(fields.get('near'), fields.get('spherical') === true);
    const [least, most] = [number(fields, 'minDistance', 0), number(fields, 'maxDistance', Infinity)];
    const multiplier = number(fields, 'distanceMultiplier', 1);
    const [key, includeLocs] = [optionalPath(fields, 'key'), optionalPath(fields, 'includeLocs')];
    const query = fields.get('query');
    const isWanted = isDoc(query) ? compileFilter(query, env) : () => true;
    return function* (docs) {
      const found: { doc: Doc; far: number }[] = [];
      for (const doc of docs) {
        const at = isWanted(doc) ? placeOf(doc, key) : undefined;
        const far = at && distance(at.place);
        if (at === undefined || far === undefined || far < least || far > most) continue;
        const measured = withPath(doc, distanceField, far * multiplier);
        found.push({ doc: includeLocs ? withPath(measured, includeLocs, at.value) : measured, far });
      }
      found.sort((a, b) => a.far - b.far);
      for (const { doc } of found) yield doc;
    };
  },
};
