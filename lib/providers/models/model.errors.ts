import { PolyMongoError } from '../../polymongo.errors.js';

/** A model name that was never registered. */
export class ModelNotRegisteredError extends PolyMongoError {
  constructor(
    /** The name that no model is registered under. */
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
  constructor(
    /** The name that both have; of a discriminator, its own. */
    readonly modelName: string,
  ) {
    super(
      `A model "${modelName}" is already registered with another schema or collection. Give one of them another name.`,
    );
  }
}

/** A compiled model was used by itself: it belongs to no database. */
export class BlueprintModelError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
    /** The method that was called, without parentheses, such as `find`. */
    readonly operation: string,
  ) {
    super(
      `${operation}() was called on ${modelName} itself, which PolyMongo compiled or took over and which has no database. ` +
        `Use the wrapped model, its .db(name), or \`this\` in statics and middleware. A static that is an arrow function and ` +
        `a plugin that keeps the model of the schema's 'init' event have this one: make it a function, use \`this\`.`,
    );
  }
}

/** A model was asked to leave its database. */
export class ModelBindingError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
    /** The method that was called, without parentheses, such as `useConnection`. */
    readonly operation: string,
    /** The database that the model stays on. */
    readonly dbName: string,
  ) {
    super(
      `${modelName}.${operation}() was called on the model of ${dbName}, which stays on its database. ` +
        `Use ${modelName}.db(name) for the model of another one.`,
    );
  }
}

/** A model of the current tenant was to be wrapped: it is another model for each tenant, and none of one database. */
export class TenantModelWrapError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
  ) {
    super(
      `wrapModel() was given the model ${modelName} of the current tenant, which tenantModel() or @InjectTenantModel() gave. ` +
        `It cannot lead to other databases. Wrap the model that it was made of, or inject that: @InjectPolyModel('${modelName}').`,
    );
  }
}

/** A class that extends a model was used where its own members would be lost. */
export class ModelExtensionError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
    /** The method that was called, without parentheses, such as `db`. */
    readonly operation: string,
  ) {
    super(
      `${operation}() was called on a class that extends ${modelName}, and would give a model without the members of that ` +
        `class. Extend the model of one database, as in \`class Admin extends users.db(name)\`, or give the members to the ` +
        `schema (statics, methods, virtuals, schema.loadClass()), which every database's model has.`,
    );
  }
}
