/** The command that a method of the driver sends, where it has another name. */
const COMMANDS: Readonly<Record<string, string>> = {
  findOne: 'find',
  insertOne: 'insert',
  insertMany: 'insert',
  updateOne: 'update',
  updateMany: 'update',
  replaceOne: 'update',
  deleteOne: 'delete',
  deleteMany: 'delete',
  findOneAndUpdate: 'findAndModify',
  findOneAndReplace: 'findAndModify',
  findOneAndDelete: 'findAndModify',
  countDocuments: 'aggregate',
  estimatedDocumentCount: 'count',
  createIndex: 'createIndexes',
  dropIndex: 'dropIndexes',
  indexes: 'listIndexes',
  indexExists: 'listIndexes',
  indexInformation: 'listIndexes',
  isCapped: 'listCollections',
  options: 'listCollections',
  rename: 'renameCollection',
};

/**
 * What `db.operation.name` is: the name of the command.
 * @see https://opentelemetry.io/docs/specs/semconv/db/mongodb/
 */
export const commandOf = (method: string): string => COMMANDS[method] ?? method;
