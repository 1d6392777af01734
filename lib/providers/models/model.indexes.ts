import type { IndexDefinition } from '../databases/database.indexes.js';
import { AUTOMATIC, nativeIndexing as native } from '../native/mongoose.private.js';
import { familyIndexes, nameOf, withIndexes, type IndexSpec } from './declared.indexes.js';
import { diffOf, listed, requireIndexes, restoreIndexes } from './index.making.js';
import type { AnyModel } from './model.types.js';

/** What the index statics need of the registry their models are of. */
export interface IndexHost {
  /** mongoose's own `Model.init()`, once for what is on the database now. */
  init(model: AnyModel): Promise<unknown>;
}

interface EnsureOptions {
  /** mongoose's own mark of what `Model.init()` does. */
  [AUTOMATIC]?: boolean;
  toCreate?: unknown[];
}
interface CleanOptions {
  toDrop: string[];
  hideIndexes?: boolean;
}
interface DiffOptions {
  indexOptionsToCreate?: boolean;
}

const searchFailures = new WeakSet<object>();

/** Whether an error says that a search index could not be made. */
export const isSearchFailure = (error: unknown): boolean => searchFailures.has(error as object);

/**
 * mongoose's index statics, on the indexes of a model as one of a family: a base model and its discriminators share
 * a collection, and none drops what another one declares.
 */
export function defineIndexStatics(template: AnyModel, blueprint: AnyModel, host: IndexHost): void {
  const statics = {
    /** Makes the collection and the indexes, as the options `autoCreate`, `autoIndex` and `autoSearchIndex` say. */
    init(this: AnyModel): Promise<unknown> {
      return host.init(this);
    },

    async createSearchIndex(this: AnyModel, description: object): Promise<unknown> {
      try {
        return await native.createSearchIndex.call(this as never, description);
      } catch (error) {
        searchFailures.add(error as object);
        throw error;
      }
    },

    /** The name by which mongoose 8.16's `Model.init()` calls `createSearchIndexes()`; there is none of it. */
    ensureSearchIndexes(this: AnyModel): Promise<unknown> {
      return (this as unknown as { createSearchIndexes(): Promise<unknown> }).createSearchIndexes();
    },

    async ensureIndexes(this: AnyModel, options: EnsureOptions = {}): Promise<void> {
      if (options.toCreate) return native.ensureIndexes.call(this as never, options);
      const own = await ownIndexes(this, options[AUTOMATIC]);
      if (options[AUTOMATIC]) return requireIndexes(this, own);
      return native.ensureIndexes.call(withIndexes(this, own) as never, options);
    },

    async diffIndexes(this: AnyModel, options?: DiffOptions): Promise<{ toDrop: string[]; toCreate: unknown[] }> {
      const family = await familyIndexes(this);
      const own = family.get(this.modelName)!;
      const ofModel = await native.diffIndexes.call(withIndexes(this, own) as never, options);
      if (family.size === 1) return ofModel;
      const ofFamily = await diffOf(this, [...family.values()].flat());
      const missing = own.filter((spec) => ofFamily.toCreate.includes(spec));
      const names = new Set([...ofModel.toDrop, ...missing.map(nameOf)]);
      return {
        toDrop: ofFamily.toDrop.filter((name) => names.has(name)),
        toCreate: options?.indexOptionsToCreate ? missing : missing.map(([key]) => key),
      };
    },

    /** What was dropped is put back when an index cannot be made. */
    async syncIndexes(this: AnyModel, options?: object): Promise<string[]> {
      let dropped: IndexDefinition[] = [];
      const cleanIndexes = async (given: CleanOptions): Promise<string[]> => {
        const { toDrop, hideIndexes } = given;
        if (toDrop.length > 0 && !hideIndexes)
          dropped = (await listed(this)).filter(({ name }) => toDrop.includes(name));
        return native.cleanIndexes.call(this as never, given);
      };
      const view = withIndexes(this, await ownIndexes(this), {
        createCollection: { value: (given?: object) => this.createCollection(given as never) },
        diffIndexes: { value: (given?: object) => this.diffIndexes(given as never) },
        cleanIndexes: { value: cleanIndexes },
      });
      try {
        const names = await native.syncIndexes.call(view as never, options);
        // An index that was the base's may have been in the way of a discriminator's.
        if (names.length > 0) for (const kind of kindsOf(this)) await kind.ensureIndexes();
        return names;
      } catch (error) {
        await restoreIndexes(this, dropped);
        throw error;
      }
    },
  };
  for (const [name, value] of Object.entries(statics)) {
    if (!Object.hasOwn(blueprint, name))
      // a static of the user's own
      Object.defineProperty(template, name, { value, writable: true, configurable: true });
  }
}

const kindsOf = (model: AnyModel): AnyModel[] => Object.values(model.discriminators ?? {}) as unknown as AnyModel[];

async function ownIndexes(model: AnyModel, isAutomatic = false): Promise<IndexSpec[]> {
  return (await familyIndexes(model, isAutomatic)).get(model.modelName)!;
}
