import type { Database } from '../databases/database.js';
import { type BoundModel, DATABASE, DISCRIMINATORS } from './model.binding.js';
import type { AnyModel } from './model.types.js';

interface ModelSource {
  modelOn(database: Database, blueprint: AnyModel): AnyModel;
}

/** The discriminators of a model, on its database; made again when more have been compiled. */
export function discriminatorsOn(
  model: BoundModel,
  blueprint: AnyModel,
  host: ModelSource,
): Record<string, AnyModel> | undefined {
  const compiled = blueprint.discriminators;
  if (!compiled) return undefined;
  const names = Object.keys(compiled);
  if (!Object.hasOwn(model, DISCRIMINATORS) || Object.keys(model[DISCRIMINATORS]!).length !== names.length) {
    model[DISCRIMINATORS] = Object.fromEntries(
      names.map((name) => [name, host.modelOn(model[DATABASE], compiled[name] as AnyModel)]),
    );
  }
  return model[DISCRIMINATORS];
}
