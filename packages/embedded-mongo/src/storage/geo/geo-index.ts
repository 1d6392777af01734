import { isNumeric, toNumber } from '../../bson/number.js';
import { splitPath, visitPath } from '../../bson/path.js';
import type { Doc, Value } from '../../bson/value.js';
import { type Location, locationsIn } from '../../query/geo/location.js';
import type { IndexSpec } from '../index.spec.js';
import { type Box, boxOf, padded } from './box.js';
import { CellSpace } from './cells.js';
import { boxOfGeometry } from './sphere-box.js';

/** More than geometry here is rounded by, and than places may be apart that count as one. */
const PADDING = 1e-8;

const SPHERE = new CellSpace({ low: [-1, -1, -1], high: [1, 1, 1] });

/** The cells of one field of a geospatial index. */
export interface GeoField {
  /** Its position in the index, which its keys begin with. */
  readonly position: number;
  readonly path: string;
  readonly kind: '2d' | '2dsphere';
  readonly space: CellSpace;
}

export const geoFieldsOf = ({ key, doc }: IndexSpec): GeoField[] =>
  [...key].flatMap(([path, kind], position): GeoField[] => {
    if (kind === '2dsphere') return [{ position, path, kind: '2dsphere', space: SPHERE }];
    if (kind !== '2d') return [];
    const [min, max] = [numberOr(doc.get('min'), -180), numberOr(doc.get('max'), 180)];
    return [{ position, path, kind: '2d', space: new CellSpace({ low: [min, min], high: [max, max] }) }];
  });

export const numberOr = (value: Value | undefined, otherwise: number): number =>
  isNumeric(value) ? toNumber(value) : otherwise;

/** The keys of a document: for each cell of each of its locations the field's position, the level and the code. */
export function geoKeys(fields: readonly GeoField[], doc: Doc): Value[][] {
  const keys = new Map<string, Value[]>();
  for (const { position, path, kind, space } of fields) {
    visitPath(doc, splitPath(path), 'array', (value) => {
      for (const location of locationsIn(value)) {
        const box = boxIn(kind, location);
        for (const { level, code } of box ? space.cellsOf(box) : []) {
          keys.set(`${position} ${level} ${code}`, [position, level, code]);
        }
      }
      return false;
    });
  }
  return [...keys.values()];
}

function boxIn(kind: GeoField['kind'], { flat, spherical }: Location): Box | undefined {
  if (kind === '2d') return flat && boxOf([flat]);
  return spherical && padded(boxOfGeometry(spherical), PADDING);
}

/** The stretches of keys of all that may reach a box. */
export const geoRanges = ({ position, space }: GeoField, box: Box): { from: Value[]; to: Value[] }[] =>
  space
    .rangesOf(padded(box, PADDING))
    .map(({ level, from, to }) => ({ from: [position, level, from], to: [position, level, to] }));
