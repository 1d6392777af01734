import type { DatabaseIndexes, IndexPlan, SyncIndexesOptions } from '../databases/database.indexes.js';
import type { Database } from '../databases/database.js';
import type { IndexBuilder } from './index.builder.js';
import { IndexMismatchError, type IndexDifference } from './index.errors.js';
import { ensureCollection, syncCollection } from './index.sync.js';
import type { AnyModel } from './model.types.js';

/** Which models there are, by collection. */
export interface ModelCollections {
  readonly collections: Iterable<string>;
  modelsOf(database: Database, collection: string): AnyModel[];
}

/** The indexes of all registered models on a database, by collection. */
export class DatabaseIndexer implements DatabaseIndexes {
  constructor(
    readonly models: ModelCollections,
    readonly builder: IndexBuilder,
  ) {}

  async ensure(database: Database): Promise<void> {
    const differences = await this.#each(database, (models) => ensureCollection(models));
    if (differences.flat().length > 0) throw new IndexMismatchError(differences.flat());
  }

  async sync(database: Database, options: SyncIndexesOptions): Promise<IndexPlan[]> {
    const differences: IndexDifference[] = [];
    const plans = await this.#each(database, async (models) => {
      try {
        return await syncCollection(models, options);
      } catch (error) {
        if (!(error instanceof IndexMismatchError)) throw error;
        differences.push(...error.differences);
        return undefined;
      }
    });
    if (differences.length > 0) throw new IndexMismatchError(differences);
    return plans.filter((plan) => plan !== undefined).filter(isChange);
  }

  #each<T>(database: Database, work: (models: AnyModel[]) => Promise<T>): Promise<T[]> {
    return Promise.all(
      [...this.models.collections].map((collection) =>
        this.builder.inTurn(database, () => work(this.models.modelsOf(database, collection))),
      ),
    );
  }
}

const isChange = ({ toDrop, toCreate }: IndexPlan): boolean => toDrop.length + toCreate.length > 0;
