import type { Collection } from 'mongoose';
import type { Database, DatabaseConnection } from '../databases/database.js';
import type { AnyModel } from './model.types.js';

/** On a model: the database it is bound to. */
export const DATABASE = Symbol('polymongo.database');
/** On a model: its collection, made on first use. */
export const COLLECTION = Symbol('polymongo.collection');
/** On a model: its discriminators on the same database. */
export const DISCRIMINATORS = Symbol('polymongo.discriminators');

/** A compiled model on one database. */
export type BoundModel = AnyModel & {
  [DATABASE]: Database;
  [COLLECTION]?: Collection;
  [DISCRIMINATORS]?: Record<string, AnyModel>;
};

/** A model as what it is here; mongoose's own types do not say. */
export const bound = (model: unknown): BoundModel => model as BoundModel;

/** On a wrapper: its documents are those of the model that it inherits from. */
export const WRAPPER = Symbol('polymongo.wrapper');

export const isWrapper = (model: unknown): boolean => Object.hasOwn(model as object, WRAPPER);

/**
 * The model that a wrapper stands for. To the wrapper itself a document of another database is data to copy, not an
 * instance to save where it came from.
 */
export const unwrapped = (model: unknown): BoundModel =>
  bound(isWrapper(model) ? Object.getPrototypeOf(model as object) : model);

/** The model of a database that a wrapper, or a class that extends either, comes from. */
export function boundModel(model: unknown): BoundModel {
  let at = model as object;
  while (!Object.hasOwn(at, DATABASE)) at = Object.getPrototypeOf(at) as object;
  return at as BoundModel;
}

/** What the models of all databases inherit of one schema. */
export const templateOf = (model: unknown): AnyModel => Object.getPrototypeOf(boundModel(model)) as AnyModel;

/** The compiled model that a model of a database comes from, with the template between the two. */
export const compiledModel = (model: AnyModel): AnyModel => Object.getPrototypeOf(templateOf(model)) as AnyModel;

/** What each model has for itself of Node's emitters. */
export const EMITTER_METHODS = [
  'on',
  'once',
  'off',
  'emit',
  'addListener',
  'removeListener',
  'removeAllListeners',
  'prependListener',
] as const;

/** The database of a model that is on one, whether it is registered or was made by `connection.model(name, schema)`. */
export const databaseUnder = (model: AnyModel): Database => (model.db as DatabaseConnection).database;

/** It is a model of a database, or a wrapped one, and not the compiled model. */
export const isBound = (model: AnyModel): boolean => DATABASE in model;

/** The database a document was read from or will be saved to. */
export const databaseOf = (document: unknown): Database | undefined =>
  (document as { constructor?: BoundModel } | null | undefined)?.constructor?.[DATABASE];

/** Whether a value is a document of a blueprint, on whatever database. */
export const isInstanceOf = (blueprint: AnyModel, document: unknown): boolean =>
  typeof document === 'object' &&
  document !== null &&
  Object.prototype.isPrototypeOf.call(blueprint.prototype, document);
