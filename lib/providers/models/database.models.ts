import type { Model } from 'mongoose';
import type { Database } from '../databases/database.js';
import { DATABASE } from './model.binding.js';
import type { AnyModel } from './model.types.js';

/**
 * `connection.models` of every database. All registered models are in it, listed too, and each is made when somebody
 * first asks for it: most databases never use most models.
 */
export class DatabaseModels {
  /** What every database's object inherits: an accessor per model. */
  readonly #registered: Record<string, AnyModel> = {};
  readonly #listing: ProxyHandler<object> = {
    ownKeys: (models) => [...new Set([...Object.keys(this.#registered), ...Reflect.ownKeys(models)])],
    getOwnPropertyDescriptor: (models, key) => {
      Reflect.get(models, key); // makes it
      return Reflect.getOwnPropertyDescriptor(models, key);
    },
  };

  register(name: string, make: (database: Database) => AnyModel): void {
    const keep = (models: object, value: unknown) =>
      Object.defineProperty(models, name, { value, enumerable: true, configurable: true, writable: true });
    Object.defineProperty(this.#registered, name, {
      enumerable: true,
      configurable: true,
      get(this: { [DATABASE]: Database }) {
        const model = make(this[DATABASE]);
        keep(this, model);
        return model;
      },
      set(value: unknown) {
        keep(this as object, value);
      },
    });
  }

  on(database: Database): Record<string, Model<unknown>> {
    const models = Object.create(this.#registered, { [DATABASE]: { value: database } }) as object;
    return new Proxy(models, this.#listing) as Record<string, Model<unknown>>;
  }
}
