import type { IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import { nativeIndexing as native } from '../native/mongoose.private.js';
import { familyIndexes, type IndexSpec } from './declared.indexes.js';
import { IndexMismatchError, type IndexDifference } from './index.errors.js';
import { definitionOf, diffOf, listed, makeIndexes, restoreIndexes } from './index.making.js';
import { databaseUnder } from './model.binding.js';
import type { AnyModel } from './model.types.js';

/** Makes a collection and all indexes that its models' schemas declare; gives back those that cannot be made. */
export async function ensureCollection(models: readonly AnyModel[]): Promise<IndexDifference[]> {
  await createCollection(models);
  const differences: IndexDifference[] = [];
  for (const model of models)
    differences.push(...(await makeIndexes(model, (await familyIndexes(model)).get(model.modelName)!)));
  return differences;
}

/**
 * Drops the indexes of a collection that no model of it declares and makes those that are missing; when one cannot be
 * made, those that were dropped are put back.
 * @throws IndexMismatchError
 */
export async function syncCollection(
  models: readonly AnyModel[],
  { dryRun = false }: SyncIndexesOptions,
): Promise<IndexPlan> {
  const [model] = models as [AnyModel];
  const specs = await indexesOf(models);
  const { toDrop, toCreate } = await diffOf(model, specs);
  const plan: IndexPlan = {
    database: databaseUnder(model).name,
    collection: model.collection.name,
    toDrop,
    toCreate: toCreate.map(definitionOf),
  };
  if (dryRun) return plan;
  await createCollection(models);
  const dropped = toDrop.length > 0 ? (await listed(model)).filter(({ name }) => toDrop.includes(name)) : [];
  try {
    for (const { name } of dropped) await drop(model, name);
    const differences = await makeIndexes(model, toCreate);
    if (differences.length > 0) throw new IndexMismatchError(differences);
  } catch (error) {
    await restoreIndexes(model, dropped);
    throw error;
  }
  return plan;
}

const rootsOf = (models: readonly AnyModel[]): AnyModel[] =>
  models.filter((model) => (model as { baseModelName?: string }).baseModelName === undefined);

async function createCollection(models: readonly AnyModel[]): Promise<void> {
  for (const model of rootsOf(models))
    if ((model.schema.options as { autoCreate?: boolean }).autoCreate !== false) await model.createCollection();
}

async function indexesOf(models: readonly AnyModel[]): Promise<IndexSpec[]> {
  const families = await Promise.all(rootsOf(models).map((root) => familyIndexes(root)));
  return families.flatMap((family) => [...family.values()].flat());
}

async function drop(model: AnyModel, name: string): Promise<void> {
  await native.cleanIndexes.call(model as never, { toDrop: [name] }).catch((error: unknown) => {
    if ((error as { codeName?: unknown }).codeName !== 'IndexNotFound') throw error; // another process was faster
  });
}
