import { isDeepStrictEqual } from 'node:util';
import { AUTOMATIC, nativeIndexing as native } from '../native/mongoose.private.js';
import type { AnyModel } from './model.types.js';

export type IndexSpec = readonly [key: Record<string, unknown>, options: Record<string, unknown>];

interface IndexedSchema {
  options: { discriminatorKey: string };
  discriminatorMapping?: { value: unknown };
  indexes(): [IndexSpec[0], IndexSpec[1]][];
}
const schemaOf = (model: AnyModel) => model.schema as unknown as IndexedSchema;

/** A model as mongoose's index code sees it, with other indexes than its schema lists. */
export function withIndexes(
  model: AnyModel,
  indexes: readonly IndexSpec[],
  own: PropertyDescriptorMap = {},
  ownOfSchema: PropertyDescriptorMap = {},
): AnyModel {
  const schema = Object.create(model.schema, { indexes: { value: () => [...indexes] }, ...ownOfSchema }) as unknown;
  return Object.create(model, { schema: { value: schema }, ...own }) as AnyModel;
}

/**
 * The indexes that a model and its discriminators have, as mongoose makes them: discriminators' with their partial
 * filter, all with the schema's collation. What a discriminator repeats of its base is the base's; where two have an
 * index of one name, the later one's gets another (plain mongoose fails on both with IndexKeySpecsConflict).
 * @param isAutomatic without those that `autoIndex: false` keeps for an explicit call
 */
export async function familyIndexes(model: AnyModel, isAutomatic = false): Promise<Map<string, IndexSpec[]>> {
  const root = rootOf(model);
  const kinds = Object.values(root.discriminators ?? {}) as unknown as AnyModel[];
  const ofRoot = await declaredBy(root, false);
  const family = new Map([[root.modelName, isAutomatic ? await declaredBy(root, true) : ofRoot]]);
  const names = new Set(ofRoot.map(nameOf));
  for (const kind of kinds) {
    const { options, discriminatorMapping } = schemaOf(kind);
    const filterKey = options.discriminatorKey;
    const own = (await declaredBy(kind, isAutomatic)).filter(
      (spec) => !ofRoot.some((rootSpec) => isDeepStrictEqual(plain(rootSpec), plain(spec, filterKey))),
    );
    const named = own.map((spec): IndexSpec => {
      const name = nameOf(spec);
      return names.has(name) ? [spec[0], { ...spec[1], name: `${name}_${String(discriminatorMapping?.value)}` }] : spec;
    });
    for (const spec of named) names.add(nameOf(spec));
    family.set(kind.modelName, named);
  }
  return family;
}

/** The base of a discriminator on the same database; a model that is none. */
function rootOf(model: AnyModel): AnyModel {
  const { baseModelName, db } = model as AnyModel & { baseModelName?: string };
  const base = baseModelName === undefined ? undefined : (db.models[baseModelName] as unknown as AnyModel | undefined);
  return base?.discriminators?.[model.modelName] ? base : model;
}

/** The name of an index; MongoDB's default when it has none. */
export const nameOf = ([key, { name }]: IndexSpec): string =>
  typeof name === 'string' ? name : Object.entries(key).flat().join('_');

const declaredBy = (model: AnyModel, isAutomatic: boolean): Promise<IndexSpec[]> =>
  madeOf(model, withoutIgnored(schemaOf(model).indexes()), isAutomatic);

/** Has mongoose say once what it warns of (duplicates, an index on `_id`), not for every database. */
export async function warnOfIndexes(model: AnyModel): Promise<void> {
  await madeOf(model, schemaOf(model).indexes(), false);
}

/** What mongoose makes of indexes: its own `ensureIndexes()`, on a collection that only notes what it is asked for. */
async function madeOf(model: AnyModel, specs: readonly IndexSpec[], isAutomatic: boolean): Promise<IndexSpec[]> {
  const declared: IndexSpec[] = [];
  const collection = {
    collection: {}, // connected
    async createIndex(...spec: [IndexSpec[0], IndexSpec[1]]): Promise<void> {
      declared.push(spec);
    },
  };
  const view = withIndexes(model, specs, { collection: { value: collection }, emit: { value: () => false } });
  await native.ensureIndexes.call(view as never, { [AUTOMATIC]: isAutomatic });
  return declared;
}

/** What MongoDB ignores or refuses: one on `_id` alone, and of two unnamed ones with one key all but the first. */
function withoutIgnored(specs: readonly IndexSpec[]): IndexSpec[] {
  const isUnnamed = ([, { name }]: IndexSpec) => name === undefined || name === null;
  return specs.filter((spec, at) => {
    const name = nameOf(spec);
    const first = specs.findIndex((other) => isUnnamed(other) && nameOf(other) === name);
    return !isUnnamed(spec) || (first === at && name !== '_id_1' && name !== '_id_-1');
  });
}

/** An index without the filter of its discriminator, to compare it with another one's. */
function plain([key, options]: IndexSpec, filterKey?: string): unknown {
  const { partialFilterExpression, ...others } = options;
  const { [filterKey ?? '']: _, ...filter } = (partialFilterExpression ?? {}) as Record<string, unknown>;
  return [Object.entries(key), others, filter];
}
