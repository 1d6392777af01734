import mongoose from 'mongoose';
// @ts-expect-error -- has no types; read in mongoose 8.9 to 9.12
import applyStaticHooks from 'mongoose/lib/helpers/model/applyStaticHooks.js';
import type { AnyModel } from './model.types.js';

/** What mongoose keeps of a schema's middleware and statics; the same in 8 and 9. */
interface SchemaParts {
  s: { hooks: { hasHooks(name: string): boolean } };
  statics: Readonly<Record<string, unknown>>;
}

type Wrap = (model: object, hooks: SchemaParts['s']['hooks'], statics: SchemaParts['statics']) => void;

/**
 * mongoose 8 wraps `insertMany` and the schema's statics in their middleware when it compiles a model, and has them run on
 * that very model for good. mongoose 9 takes `this`.
 */
const INSERT_MANY = '$__insertMany';
const bindsWhenCompiling = INSERT_MANY in mongoose.Model;

/** Gives a function that has mongoose wrap them once more, for the model of one database; undefined where nothing is wrapped. */
export function staticHooksOf(blueprint: AnyModel): ((model: object) => void) | undefined {
  const { s, statics } = blueprint.schema as unknown as SchemaParts;
  const names = Object.keys(statics).filter((name) => s.hooks.hasHooks(name));
  if (!bindsWhenCompiling || (names.length === 0 && !s.hooks.hasHooks('insertMany'))) return undefined;
  const own = Object.fromEntries(names.map((name) => [name, statics[name]]));
  const insertMany = (mongoose.Model as unknown as Record<string, unknown>)[INSERT_MANY];
  return (model) => {
    Object.assign(model, own, { [INSERT_MANY]: insertMany });
    (applyStaticHooks as Wrap)(model, s.hooks, own);
  };
}
