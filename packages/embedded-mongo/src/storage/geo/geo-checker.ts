import { formatDoc, formatValue } from '../../bson/format.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import { splitPath, visitPath } from '../../bson/path.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError, isInterruption } from '../../errors.js';
import { parseLocation } from '../../query/geo/location.js';
import { assertSimpleLoops } from '../../query/geo/loops.js';
import type { IndexSpec } from '../index.spec.js';
import { numberOr } from './geo-index.js';

/**
 * Gives what refuses a document that a geospatial index cannot hold (manual: 2dsphere Indexes, 2d Indexes). A missing
 * field, null and an empty array are no location and are let through.
 */
export function geoChecker({ key, doc: listed }: IndexSpec): (doc: Doc) => void {
  const fields = [...key].map(([field, kind]) => ({ path: splitPath(field), kind }));
  const bounds = { min: numberOr(listed.get('min'), -180), max: numberOr(listed.get('max'), 180) };
  return (doc) => {
    for (const { path, kind } of fields) {
      if (kind !== '2d' && kind !== '2dsphere') continue;
      visitPath(doc, path, 'array', (value) => {
        if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return false;
        if (kind === '2d') checkPlane(value, bounds);
        else checkSphere(value, doc);
        return false;
      });
    }
  };
}

/** @throws CommandError 16755 */
function checkSphere(value: Value, doc: Doc): void {
  const refuse = (reason: string): CommandError =>
    new CommandError(16755, `Can't extract geo keys: ${formatDoc(doc)} ${reason}`);
  if (!isDoc(value) && !Array.isArray(value)) {
    throw refuse(` geo element must be an array or object: ${formatValue(value)}`);
  }
  try {
    const { spherical } = parseLocation(value);
    if (spherical) return assertSimpleLoops(spherical);
  } catch (error) {
    if (!(error instanceof CommandError) || isInterruption(error)) throw error;
    throw refuse(` ${error.message}`);
  }
  throw refuse(` longitude/latitude is out of bounds: ${formatValue(value)}`);
}

/** @throws CommandError 13026, 13027, 13654 */
function checkPlane(value: Value, bounds: { readonly min: number; readonly max: number }): void {
  if (!isDoc(value) && !Array.isArray(value)) {
    throw new CommandError(
      13654,
      `location object expected, location array not in correct format: ${formatValue(value)}`,
    );
  }
  const [first] = value.values();
  const pairs = Array.isArray(value) && (isDoc(first) || Array.isArray(first)) ? value : [value];
  for (const pair of pairs) {
    const [x, y] = isDoc(pair) || Array.isArray(pair) ? pair.values() : [];
    if (!isNumeric(x) || !isNumeric(y)) {
      throw new CommandError(13026, `geo values must be 'legacy coordinate pairs' for 2d indexes`);
    }
    const isInside = [x, y].every((coordinate) => {
      const number = toNumber(coordinate);
      return number >= bounds.min && number < bounds.max;
    });
    if (isInside) continue;
    throw new CommandError(
      13027,
      `point not in interval of [ ${bounds.min}, ${bounds.max} ] :: caused by :: ${formatValue(pair)}`,
    );
  }
}
