import mongoose from 'mongoose';
import type { IndexDefinition } from '../databases/database.indexes.js';
import { RETRYABLE_CODES } from '../pools/retryable.codes.js';
import { MODEL, nativeIndexing as native } from '../native/mongoose.private.js';
import { nameOf, withIndexes, type IndexSpec } from './declared.indexes.js';
import { IndexMismatchError, type IndexDifference } from './index.errors.js';
import { databaseUnder } from './model.binding.js';
import type { AnyModel } from './model.types.js';

interface IndexFailure {
  spec: IndexSpec;
  error: Error;
}

/** Answers of a server that is busy, shutting down or no longer the primary: another attempt may well succeed. */
const PASSING = new Set<unknown>([...RETRYABLE_CODES, 24, 50, 112, 117, 276, 11601]);
/** The server has looked at the index and will not have it. */
const isRefusal = (error: Error): boolean =>
  error instanceof mongoose.mongo.MongoServerError && !PASSING.has(error.code);

/**
 * Makes indexes of a model with mongoose's own code, which goes on after one that fails.
 * @returns those that are not there as the schema says; one under another name is
 * @throws whatever else kept one from being made
 */
export async function makeIndexes(model: AnyModel, specs: readonly IndexSpec[]): Promise<IndexDifference[]> {
  const failures = await attempt(model, specs);
  if (failures.length === 0) return [];
  const other = failures.find(({ error }) => !isRefusal(error));
  if (other) throw other.error;
  const { toCreate: missing } = await diffOf(model, specs);
  const found = await listed(model);
  return failures
    .filter(({ spec }) => missing.some((index) => nameOf(index) === nameOf(spec)))
    .map(({ spec, error }) => differenceOf(model, spec, found, error));
}

/** As {@link makeIndexes}. @throws IndexMismatchError when one is not there as the schema says */
export async function requireIndexes(model: AnyModel, specs: readonly IndexSpec[]): Promise<void> {
  const differences = await makeIndexes(model, specs);
  if (differences.length > 0) throw new IndexMismatchError(differences);
}

/**
 * What mongoose says a collection lacks and has too much, when its indexes are to be these and no others, whichever
 * models they are of.
 */
export async function diffOf(
  model: AnyModel,
  specs: readonly IndexSpec[],
): Promise<{ toDrop: string[]; toCreate: IndexSpec[] }> {
  const view = withIndexes(model, specs, {}, { discriminatorMapping: { value: undefined } });
  const { toDrop, toCreate } = await native.diffIndexes.call(view as never);
  return { toDrop, toCreate: specs.filter(([key]) => toCreate.includes(key)) };
}

/** The indexes of a model's collection. */
export async function listed(model: AnyModel): Promise<IndexDefinition[]> {
  try {
    return (await model.collection.listIndexes().toArray()) as unknown as IndexDefinition[];
  } catch (error) {
    if ((error as { codeName?: unknown }).codeName === 'NamespaceNotFound') return [];
    throw error;
  }
}

/** Puts back indexes that were dropped for others that could not be made: one in a wrong form is more than none. */
export async function restoreIndexes(model: AnyModel, dropped: readonly IndexDefinition[]): Promise<void> {
  for (const { key, v: _, ns: __, ...options } of dropped)
    await model.collection.createIndex(key as never, options).catch(() => {}); // its successor has been made
}

async function attempt(model: AnyModel, specs: readonly IndexSpec[]): Promise<IndexFailure[]> {
  const failures: IndexFailure[] = [];
  const emit = (event: string, ...args: [error?: Error, key?: object, options?: object]): boolean => {
    const [error, key, options] = args;
    if (event === 'index-single-done' && error) failures.push({ error, spec: [key, options] as never });
    return model.emit(event, ...args);
  };
  // Caught: mongoose need not raise an 'error' event, somebody hears of it.
  const view = withIndexes(model, specs, { emit: { value: emit }, [MODEL.isCaught]: { value: true } });
  await native.ensureIndexes.call(view as never).catch((error: unknown) => {
    if (failures.length === 0) throw error;
  });
  return failures;
}

function differenceOf(
  model: AnyModel,
  spec: IndexSpec,
  indexes: readonly IndexDefinition[],
  cause: Error,
): IndexDifference {
  const index = nameOf(spec);
  const isSameKey = ({ key }: IndexDefinition) => JSON.stringify(key) === JSON.stringify(spec[0]);
  const found = indexes.find(({ name }) => name === index) ?? indexes.find(isSameKey);
  return {
    database: databaseUnder(model).name,
    collection: model.collection.name,
    model: model.modelName,
    index,
    expected: definitionOf(spec),
    ...(found && { found }),
    cause,
  };
}

/** An index as plans and errors tell of it. */
export const definitionOf = (spec: IndexSpec): IndexDefinition => ({
  name: nameOf(spec),
  key: { ...spec[0] },
  ...spec[1],
});
