import { PolyMongoError } from '../../polymongo.errors.js';

/** A model name that was never registered. */
export class ModelNotRegisteredError extends PolyMongoError {
  constructor(
    readonly modelName: string,
    known: readonly string[],
  ) {
    super(
      `No model "${modelName}" is registered. Register it with PolyMongoModule.forFeature([{ name: '${modelName}', ` +
        `schema }]) or wrapper.wrapModel(model). Registered: ${known.join(', ') || 'none'}.`,
    );
  }
}

/** Two different schemas were registered under one model name. */
export class ModelAlreadyRegisteredError extends PolyMongoError {
  constructor(readonly modelName: string) {
    super(
      `A model "${modelName}" is already registered with another schema or collection. Give one of them another name.`,
    );
  }
}
