import { isNumeric, toNumber } from '../../bson/number.js';
import type { Path } from '../../bson/path.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import { display } from '../expression/display.js';
import { parseFieldPath } from '../expression/field-path.js';
import { compileFilter } from '../filter.js';
import { type GeoIndexOn, type Measure, measureFrom, nearestAt } from '../geo/near.js';
import { withPath } from './document.js';
import { docSpec, holding, type StageContext, type StageDefinition } from './stage.js';

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
function measureOf(near: Value | undefined, isSpherical: boolean): Measure {
  try {
    return measureFrom(near ?? null, isSpherical);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      5860400,
      `$geoNear requires near point to be a numeric pair or a GeoJSON point, found ${display(near)}`,
    );
  }
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

/**
 * The field to measure at: `key`, or that of the only geospatial index.
 * @throws CommandError NamespaceNotFound (26), IndexNotFound (27), NoQueryExecutionPlans (291)
 */
function fieldToMeasure(key: Path | undefined, measure: Measure, { host, namespace }: StageContext): Path {
  const ns = { db: namespace.db, coll: namespace.coll ?? '' };
  const indexes = host.geoIndexes(ns);
  const required = '$geoNear requires a 2d or 2dsphere index, but';
  if (!indexes) {
    throw new CommandError('NamespaceNotFound', `${required} namespace ${ns.db}.${ns.coll} does not exist`);
  }
  const field = key?.join('.') ?? onlyField(indexes, `${required} none were found`, `${ns.db}.${ns.coll}`);
  if (!indexes.some((index) => index.field === field && measure.indexKinds.includes(index.kind))) {
    throw new CommandError(
      'NoQueryExecutionPlans',
      `error processing query: ns=${ns.db}.${ns.coll} planner returned error :: caused by :: unable to find index for $geoNear query`,
    );
  }
  return field.split('.');
}

/** A 2d index is preferred to a 2dsphere one; there must not be two of a kind. */
function onlyField(indexes: readonly GeoIndexOn[], none: string, ns: string): string {
  for (const kind of ['2d', '2dsphere'] as const) {
    const [first, ...more] = indexes.filter((index) => index.kind === kind);
    if (more.length > 0) {
      throw new CommandError(
        'IndexNotFound',
        `There is more than one ${kind} index on ${ns}; unsure which to use for $geoNear`,
      );
    }
    if (first) return first.field;
  }
  throw new CommandError('IndexNotFound', none);
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

/** Documents by their distance. It reads them all: a geospatial index holds no keys here. */
export const geoNearStage: StageDefinition = {
  position: 'first',
  forbiddenIn: ['$facet'],
  compile(spec, context) {
    const { env } = context;
    const fields = docSpec(spec, 10065, (type) => `$geoNear requires an object, found ${type}`);
    assertKnownFields(fields, '$geoNear', FIELDS);
    const distanceField = optionalPath(fields, 'distanceField');
    if (distanceField === undefined) {
      throw new CommandError(16605, "$geoNear requires a 'distanceField' option as a String");
    }
    if (!fields.has('near')) throw new CommandError(5860400, '$geoNear requires a near option');
    const measure = measureOf(fields.get('near'), fields.get('spherical') === true);
    const [least, most] = [number(fields, 'minDistance', 0), number(fields, 'maxDistance', Infinity)];
    const multiplier = number(fields, 'distanceMultiplier', 1);
    const [key, includeLocs] = [optionalPath(fields, 'key'), optionalPath(fields, 'includeLocs')];
    const query = fields.get('query');
    const isWanted = isDoc(query) ? compileFilter(query, env) : () => true;
    const nearestFirst = function* (docs: Iterable<Doc>, path: Path): Iterable<Doc> {
      const found: { doc: Doc; distance: number }[] = [];
      for (const doc of docs) {
        const nearest = isWanted(doc) ? nearestAt(doc, path, measure) : undefined;
        if (!nearest || nearest.distance < least || nearest.distance > most) continue;
        const { distance, location } = nearest;
        const measured = withPath(doc, distanceField, distance * multiplier);
        const shown = includeLocs ? withPath(measured, includeLocs, location.value) : measured;
        env.metadata?.set(shown, 'geoNearDistance', distance);
        env.metadata?.set(shown, 'geoNearPoint', location.value);
        found.push({ doc: shown, distance });
      }
      found.sort((a, b) => a.distance - b.distance);
      for (const { doc } of found) yield doc;
    };
    return holding((docs) => nearestFirst(docs, fieldToMeasure(key, measure, context)));
  },
};
