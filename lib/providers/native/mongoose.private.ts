/**
 * The private places of mongoose that this package touches; the only file that names them. Read in 8.16, 8.24, 9.0 and
 * 9.12; {@link missingInMongoose} says which of them another version lacks.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import mongoose from 'mongoose';
import type { Collection, Connection, Model, Mongoose, mongo, Schema } from 'mongoose';
// @ts-expect-error -- has no types; only mongoose 8 needs it
import applyStaticHooks from 'mongoose/lib/helpers/model/applyStaticHooks.js';
import { lacking } from './private.places.js';

type Listener = (...args: unknown[]) => unknown;
/** A model as this file looks at it: mongoose's own type is invariant in its parameters. */
type AnyModel = Pick<Model<unknown>, 'modelName'> & { prototype: object; schema: object };

/** Of a connection: that it has been open, and what operations wait by while it is not. */
export const CONNECTION = { hasOpened: '_hasOpened', waitForConnect: '_waitForConnect' } as const;

/** What would give a connection a client of its own, or take it away. */
export const CLIENT_OPERATIONS = [
  ...['openUri', 'setClient', 'createClient', 'doClose', 'removeDb', 'onOpen', 'onClose'],
] as const;

/** Of an aggregate that a connection made: `exec` reads `.client.db()` of it, `cursor` its `.db`. */
export const AGGREGATE = { connection: '_connection' } as const;

/** Of a collection: what waits for the connection, and where it finds the driver's collection. */
export const COLLECTION = {
  putOff: 'addQueue',
  doPutOff: 'doQueue',
  onOpen: 'onOpen',
  driversCollection: '_getCollection',
  shouldBuffer: '_shouldBufferCommands',
} as const;

/** Of a model. */
export const MODEL = {
  /** The collection that mongoose's own code uses. */
  collection: '$__collection',
  /** The promise of `init()`. */
  init: '$init',
  /** Somebody hears of what `init()` fails with. */
  isCaught: '$caught',
  /** What `connection.model(name)` makes of a model of another connection. */
  subclass: '__subclass',
  /** Node's, which mongoose gives each model. */
  events: '_events',
  eventsCount: '_eventsCount',
  maxListeners: '_maxListeners',
} as const;

/** Of a document: what `save()` does once it has validated; mongoose 8 gives it a callback. */
export const DOCUMENT = { save: '$__save' } as const;

/** Of the options of `ensureIndexes()`: that `init()` called it. */
export const AUTOMATIC = '_automatic';

/** mongoose's connection class, as far as ours touches it; the rest is inherited as it is. */
export interface NativeConnection {
  base: Mongoose;
  name: string;
  models: Record<string, unknown>;
  collections: Record<string, Collection>;
  config: object;
  plugins: unknown[];
  [CONNECTION.hasOpened]: boolean;
  on(event: string, listener: Listener): unknown;
  prependListener(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  aggregate(pipeline?: object[], options?: object): { exec(): Promise<unknown> };
  bulkWrite(...args: unknown[]): Promise<unknown>;
  collection(name: string, options?: object): Collection;
  createCollection(...args: unknown[]): Promise<unknown>;
  deleteModel(name: string | RegExp): unknown;
  model(this: object, ...args: unknown[]): object;
  modelNames(): string[];
  dropDatabase(): Promise<unknown>;
  dropCollection(name: string): Promise<unknown>;
  listCollections(): Promise<unknown>;
  listDatabases(): Promise<unknown>;
  transaction(...args: unknown[]): Promise<unknown>;
  withSession(work: (session: mongo.ClientSession) => Promise<unknown>): Promise<unknown>;
}
interface NativeConnectionClass {
  new (base: Mongoose): NativeConnection;
  prototype: NativeConnection;
}

const connectionClassOf = (base: Mongoose): NativeConnectionClass =>
  base.connection.constructor as unknown as NativeConnectionClass;

/** The class of mongoose's connections; exported is only the one that it extends. */
export const Native = connectionClassOf(mongoose);

/** mongoose's class of collections, as far as ours touches it. */
export interface NativeCollection extends Collection {
  get buffer(): boolean;
  set buffer(_: boolean);
  conn: Connection;
  collection: mongo.Collection | null;
  [COLLECTION.onOpen](): void;
  [COLLECTION.putOff](...call: unknown[]): unknown;
  [COLLECTION.doPutOff](): unknown;
  [COLLECTION.driversCollection](): mongo.Collection;
}
type NativeCollectionClass = new (name: string, connection: Connection, options: object) => NativeCollection;

/**
 * mongoose exports no name for the class of a connection's collections, and its `constructor` property is taken by a
 * driver method; a connection that is never opened gives the prototype, and the exported base class constructs.
 */
export const NativeCollection = ((): NativeCollectionClass => {
  const construct = mongoose.Collection as unknown as (this: object, ...args: unknown[]) => void;
  const Class = function (this: Record<string, unknown>, name: string, of: Connection, given: { modelName?: string }) {
    this['collection'] = null;
    this['modelName'] = given.modelName;
    construct.call(this, name, of, given);
  };
  Class.prototype = Object.getPrototypeOf(new Native(mongoose).collection('probe')) as object;
  return Class as unknown as NativeCollectionClass;
})();

/** Where mongoose looks for the session of the transaction around a call that names none; from its version 8.4 on. */
export interface SessionStore {
  session?: mongo.ClientSession;
}
/** On the mongoose instance, from the moment that `mongoose.set('transactionAsyncLocalStorage', true)` is called. */
export const SESSION_STORAGE = 'transactionAsyncLocalStorage';
export const sessionStorageOf = (base: Mongoose): AsyncLocalStorage<SessionStore> | undefined =>
  (base as unknown as { [SESSION_STORAGE]?: AsyncLocalStorage<SessionStore> })[SESSION_STORAGE];

interface TransactionHost {
  startSession(): Promise<mongo.ClientSession>;
  base: unknown;
}
type Transaction = (
  this: TransactionHost,
  fn: () => Promise<unknown>,
  options: mongo.TransactionOptions,
) => Promise<unknown>;

/** Runs mongoose's `connection.transaction()`, which asks its connection for a session and its `base` and for nothing else. */
export const transactionBy: (host: TransactionHost, ...args: Parameters<Transaction>) => Promise<unknown> = (
  host,
  ...args
) => (mongoose.Connection.prototype as unknown as { transaction: Transaction }).transaction.apply(host, args);

const { useConnection } = mongoose.Model as unknown as { useConnection(this: object, connection: unknown): unknown };

/** Runs mongoose's `Model.useConnection()` up to where it would leave the connection: `stay` is called there, and throws. */
export const leaveConnectionBy = (from: object, to: unknown, stay: () => never): unknown =>
  useConnection.call(
    { db: Object.defineProperty({ base: (from as { base: Mongoose }).base }, 'models', { get: stay }) },
    to,
  );

/** Compiles a schema on a connection that keeps nothing of it, as mongoose's `model()` does. */
export const compileOn = <M>(connection: object, name: string, schema: unknown, collection: string): M => {
  const { base } = connection as { base: { _model(...args: unknown[]): M } };
  return base._model(name, schema, collection, { connection, cache: false });
};

/** mongoose's index code, as it runs on any model or view of one. */
export interface NativeIndexing {
  init(): Promise<unknown>;
  ensureIndexes(options?: object): Promise<void>;
  diffIndexes(options?: object): Promise<{ toDrop: string[]; toCreate: unknown[] }>;
  cleanIndexes(options: object): Promise<string[]>;
  syncIndexes(options?: object): Promise<string[]>;
  createSearchIndex(description: object): Promise<unknown>;
}
export const nativeIndexing = mongoose.Model as unknown as NativeIndexing;

/** A schema tells those who listen when it is compiled. */
export const emitterOf = (schema: object): EventEmitter => schema as EventEmitter;

/** The options that a schema was given, without mongoose's defaults. */
export const userOptionsOf = (schema: object): object =>
  (schema as { _userProvidedOptions?: object })._userProvidedOptions ?? {};

/** By what document members mongoose's own code reads the connection and the collection: symbols of its own. */
export function documentSymbols(prototype: object): Record<'db' | 'collection', symbol[]> {
  const described = (description: string) =>
    Object.getOwnPropertySymbols(prototype).filter((symbol) => symbol.description === description);
  return { db: described('mongoose#Model#db'), collection: described('mongoose#Model#collection') };
}

interface Hooks {
  hasHooks(name: string): boolean;
}
interface SchemaPlaces {
  s: { hooks: Hooks };
  statics: Readonly<Record<string, unknown>>;
}
/**
 * mongoose 8 wraps `insertMany` and the schema's statics in their middleware when it compiles a model, and has them run on
 * that very model for good. mongoose 9 takes `this`.
 */
const INSERT_MANY = '$__insertMany';
const bindsWhenCompiling = INSERT_MANY in mongoose.Model;

/** Gives a function that has mongoose wrap them once more, for the model of one database; undefined where nothing is wrapped. */
export function staticHooksOf(blueprint: { schema: object }): ((model: object) => void) | undefined {
  if (!bindsWhenCompiling) return undefined;
  const { s, statics } = blueprint.schema as unknown as SchemaPlaces;
  const names = Object.keys(statics).filter((name) => s.hooks.hasHooks(name));
  if (names.length === 0 && !s.hooks.hasHooks('insertMany')) return undefined;
  const own = Object.fromEntries(names.map((name) => [name, statics[name]]));
  const insertMany = (mongoose.Model as unknown as Record<string, unknown>)[INSERT_MANY];
  return (model) => {
    Object.assign(model, own, { [INSERT_MANY]: insertMany });
    (applyStaticHooks as (model: object, hooks: Hooks, statics: object) => void)(model, s.hooks, own);
  };
}

type Compile = (name: string, schema: Schema, collection: string, connection: object, base: Mongoose) => AnyModel;

/** Which of the places above an instance of mongoose lacks, such as `Connection._waitForConnect`. It makes a model that nobody keeps. */
export function missingInMongoose(base: Mongoose): string[] {
  const connection = new (connectionClassOf(base))(base);
  const collection = connection.collection('probe');
  const { compile } = base.Model as unknown as { compile?: Compile };
  const schema = new base.Schema();
  const model = compile?.call(base.Model, 'Probe', schema, 'probe', connection, base);
  const symbols = documentSymbols(model?.prototype ?? {});
  return [
    ...lacking('Mongoose', base, ['_model']),
    ...lacking('Connection', connection, [...Object.values(CONNECTION), ...CLIENT_OPERATIONS]),
    ...lacking('Connection', connection, ['base', 'config', 'plugins', 'models', 'collections']),
    ...lacking('Aggregate', connection.aggregate([]), Object.values(AGGREGATE)),
    ...lacking('Collection', collection, [...Object.values(COLLECTION), 'conn', 'collection', 'buffer']),
    ...lacking('Model', base.Model, ['compile', 'useConnection', MODEL.subclass]),
    ...lacking('Model', model, [MODEL.collection]),
    ...lacking('Document', base.Model.prototype as object, Object.values(DOCUMENT)),
    ...lacking('Schema', schema, ['_userProvidedOptions', 's']),
    ...Object.entries(symbols).flatMap(([name, found]) =>
      found.length > 0 ? [] : [`Document[mongoose#Model#${name}]`],
    ),
  ];
}
