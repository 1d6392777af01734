import { PolyMongoError } from '../../polymongo.errors.js';

/** A model of one database was given to another database's connection. */
export class ModelDatabaseError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
    /** The database of the model that was given. */
    readonly modelDb: string,
    /** The database of the connection that was to write. */
    readonly dbName: string,
  ) {
    super(
      `bulkWrite() of the connection to ${dbName} was given the model ${modelName} of ${modelDb}, and would have written ` +
        `there. Give it the model's name, or ${modelName}.db('${dbName}').`,
    );
  }
}

/** A plugin was given to a connection; schemas are compiled before any connection exists. */
export class ConnectionPluginError extends PolyMongoError {
  constructor(
    /** The database that the connection is to. */
    readonly dbName: string,
  ) {
    super(
      `connection.plugin() was called on ${dbName}, after the schemas were compiled, and would do nothing. Give the ` +
        'plugin to the `plugins` option of PolyMongo ([[plugin, options]]), or to schema.plugin().',
    );
  }
}

/** A model that every database has was to be deleted on one of them. */
export class ModelDeletionError extends PolyMongoError {
  constructor(
    /** The name that the model is registered under. */
    readonly modelName: string,
    /** The database whose connection was to forget it. */
    readonly dbName: string,
  ) {
    super(
      `connection.deleteModel() was called on ${dbName} for ${modelName}, which is registered with PolyMongo and which ` +
        'every database has. Only models that connection.model(name, schema) made can be deleted.',
    );
  }
}
