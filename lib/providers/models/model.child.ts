import type { Database } from '../databases/database.js';
import { DATABASE, type BoundModel } from './model.binding.js';
import type { TemplateHost } from './model.template.js';
import type { AnyModel } from './model.types.js';

type Constructor = new (document?: unknown, fields?: unknown, options?: unknown) => object;

/**
 * The model of one database: it adds nothing to the template but the database. Compiling the schema again would cost
 * twenty times the memory. Its documents are made by a class, because V8 keeps the shape of what a derived class
 * constructs, and makes a new one for every single document of a function with its prototype set (8 times as slow). The
 * function around it lets a model be called without `new`, as mongoose's can.
 */
export function createChild(
  blueprint: AnyModel,
  template: AnyModel,
  database: Database,
  host: TemplateHost,
  bindStaticHooks?: (model: object) => void,
): BoundModel {
  const Documents = class extends (template as unknown as Constructor) {
    constructor(document?: unknown, fields?: unknown, options?: unknown) {
      const kind = discriminatorFor(blueprint, document);
      if (kind) return new (host.modelOn(database, kind) as unknown as Constructor)(document, fields, options);
      super(document, fields, options);
    }
  };
  const model = function model(document?: unknown, fields?: unknown, options?: unknown): object {
    return new.target === undefined || new.target === (model as unknown)
      ? new Documents(document, fields, options)
      : (Reflect.construct(Documents, [document, fields, options], new.target) as object); // a class that extends the model
  } as unknown as BoundModel;
  Object.setPrototypeOf(model, template);
  model.prototype = Documents.prototype as never;
  Documents.prototype.constructor = model;
  if (blueprint.name !== 'model') Object.defineProperty(model, 'name', { value: blueprint.name, configurable: true });
  model[DATABASE] = database;
  bindStaticHooks?.(model);
  return model;
}

/** The discriminator whose key or value a plain document carries. mongoose would construct the one it compiled, on no database. */
function discriminatorFor(blueprint: AnyModel, document: unknown): AnyModel | undefined {
  const { discriminators } = blueprint;
  if (!discriminators || typeof document !== 'object' || document === null) return undefined;
  const key = (blueprint.schema.options as { discriminatorKey: string }).discriminatorKey;
  const value = (document as Record<string, unknown>)[key];
  if (value === undefined || value === null) return undefined;
  const all = Object.values(discriminators) as (AnyModel & { schema: { discriminatorMapping?: { value: unknown } } })[];
  return all.find((model) => model.modelName === value || model.schema.discriminatorMapping?.value === value);
}
