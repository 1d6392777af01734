import type { Database } from '../databases/database.js';
import type { AnyModel } from './model.types.js';

/** The models that `connection.model(name, schema)` made: each is on one database alone. */
export class ConnectionModels {
  readonly #made = new WeakMap<Database, Map<AnyModel, { isListed: boolean }>>();

  /** Says whether it is a new one. */
  add(database: Database, model: AnyModel): boolean {
    let made = this.#made.get(database);
    if (!made) this.#made.set(database, (made = new Map<AnyModel, { isListed: boolean }>()));
    if (made.has(model)) return false;
    made.set(model, { isListed: isListed(database, model) });
    return true;
  }

  /** Those of a collection that `deleteModel()` has not taken away. */
  of(database: Database, collection: string): AnyModel[] {
    const made = this.#made.get(database);
    if (!made) return [];
    for (const [model, added] of made) if (added.isListed && !isListed(database, model)) made.delete(model);
    return [...made.keys()].filter((model) => model.collection.name === collection);
  }
}

/** mongoose lists only the first model of a name. */
const isListed = ({ connection }: Database, model: AnyModel): boolean =>
  (connection.models[model.modelName] as unknown) === model;
