import type { Database } from '../pools/database.js';
import { DATABASE, type BoundModel, type TemplateHost } from './model.template.js';
import type { AnyModel } from './model.types.js';

/**
 * The model of one database: a constructor and a prototype that lead to the template, and the database. Compiling the
 * schema again would cost twenty times the memory.
 */
export function createChild(
  blueprint: AnyModel,
  template: AnyModel,
  database: Database,
  host: TemplateHost,
): BoundModel {
  const child = function (document?: unknown, fields?: unknown, options?: unknown) {
    const kind = discriminatorFor(blueprint, document);
    const Kind = kind && host.modelOn(database, kind);
    if (Kind && Kind !== (child as unknown)) return new Kind(document, fields as object, options as object);
    return Reflect.construct(blueprint, [document, fields, options], new.target ?? child) as unknown;
  } as unknown as BoundModel;
  Object.setPrototypeOf(child, template);
  Object.setPrototypeOf(child.prototype, template.prototype as object);
  child[DATABASE] = database;
  return child;
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
