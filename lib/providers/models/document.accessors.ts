import { documentSymbols } from '../native/mongoose.private.js';
import type { BoundModel } from './model.binding.js';
import type { AnyModel } from './model.types.js';

type Accessor = [string | symbol, (model: BoundModel) => unknown];

/** mongoose reads the connection and the collection from documents too, by name and by symbols of its own. */
export function defineDocumentAccessors(prototype: object, blueprint: AnyModel): void {
  const symbols = documentSymbols(blueprint.prototype as object);
  const accessors: Accessor[] = [
    ['db', (model) => model.db],
    ['collection', (model) => model.collection],
    ['$collection', (model) => model.collection],
    ['discriminators', (model) => model.discriminators],
    ...symbols.db.map((symbol): Accessor => [symbol, (model) => model.db]),
    ...symbols.collection.map((symbol): Accessor => [symbol, (model) => model.collection]),
  ];
  for (const [key, read] of accessors) {
    if (Object.getOwnPropertyDescriptor(blueprint.prototype, key)?.get) continue; // a field of the user's own
    Object.defineProperty(prototype, key, {
      configurable: true,
      get(this: { constructor: BoundModel }) {
        return read(this.constructor);
      },
      // mongoose puts fields that no schema knows (`strict: false`) on the document itself.
      set(this: object, value: unknown) {
        Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}
