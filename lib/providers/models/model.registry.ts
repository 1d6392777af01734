import type { Connection, Mongoose, Schema } from 'mongoose';
import mongoose from 'mongoose';
import { ModelAlreadyRegisteredError, ModelNotRegisteredError } from './model.errors.js';
import { PolyMongoError, PolyMongoOptionsError } from '../../polymongo.errors.js';
import type { Plugin } from '../../polymongo.options.js';
import type { CollectionPreparation } from '../databases/database.equipment.js';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { MODEL, staticHooksOf } from '../native/mongoose.private.js';
import { createBlueprintConnection, takeOver } from './blueprint.connection.js';
import { DatabaseIndexer } from './database.indexer.js';
import { DatabaseModels } from './database.models.js';
import { warnOfIndexes } from './declared.indexes.js';
import { IndexBuilder } from './index.builder.js';
import { ConnectionModels } from './connection.models.js';
import { boundModel, isBound } from './model.binding.js';
import { createChild } from './model.child.js';
import { defineIndexStatics } from './model.indexes.js';
import type { ScopeCapture } from './model.scope.js';
import { createTemplate, type ModelExtension, type TemplateHost } from './model.template.js';
import type { AnyModel } from './model.types.js';

/** A schema to register, as @nestjs/mongoose's `forFeature` takes it. */
export interface ModelDefinition {
  /** The name that it is injected by, usually `User.name`; no two definitions have the same. */
  name: string;
  /** A mongoose schema, as `SchemaFactory.createForClass()` or `new Schema()` makes it. */
  schema: Schema;
  /** The collection. Default: what the schema says, else the plural of the name, as mongoose makes it. */
  collection?: string;
  /** Models of the same collection, told apart by the schema's discriminator key: `value`, by default the name. */
  discriminators?: { name: string; schema: Schema; value?: string }[];
}

/** All schemas of one PolyMongo, each compiled once, and their models on every database. */
export class ModelRegistry implements TemplateHost, CollectionPreparation<Database> {
  readonly #pools: PolyMongoPools;
  readonly #indexes: IndexBuilder;
  readonly #blueprints = new Map<string, AnyModel>();
  readonly #collections = new Map<string, AnyModel[]>();
  /** What each definition said; mongoose may compile a clone of the schema. */
  readonly #sources = new WeakMap<AnyModel, { schema: Schema; collection?: string | undefined }>();
  readonly #models = new DatabaseModels();
  readonly #made = new ConnectionModels();
  #connection: Connection | undefined;
  readonly #plugins: Plugin[];

  /** What mongoose's `Model.init()` reads on a connection. */
  readonly #initOptions: Partial<Record<'autoIndex' | 'autoCreate' | 'autoSearchIndex', boolean>>;

  /**
   * @param extensions what features right of the models add to every model
   * @param captureScope what queries, aggregates and cursors remember of where they were made
   */
  constructor(
    pools: PolyMongoPools,
    readonly extensions: Readonly<Record<string, ModelExtension>> = {},
    readonly captureScope: ScopeCapture = () => undefined,
  ) {
    this.#pools = pools;
    this.#plugins = [...pools.options.plugins];
    const { autoIndex, autoCreate, autoSearchIndex } = pools.options;
    const isGiven = ([, value]: [string, unknown]) => value !== undefined;
    this.#initOptions = Object.fromEntries(Object.entries({ autoIndex, autoCreate, autoSearchIndex }).filter(isGiven));
    this.#indexes = new IndexBuilder(pools.events);
    pools.onDatabase((database) => this.#attach(database));
    pools.onIndexes(new DatabaseIndexer(this, this.#indexes));
  }

  /** Compiles a schema. The same definition again gives the same model. @throws ModelAlreadyRegisteredError */
  define({ name, schema, collection, discriminators = [] }: ModelDefinition): AnyModel {
    let blueprint = this.#blueprints.get(name);
    if (blueprint) {
      this.#assertSame(blueprint, schema, collection);
    } else {
      blueprint = this.#blueprintConnection.model(name, schema, collection) as unknown as AnyModel;
      this.#sources.set(blueprint, { schema, collection });
      void warnOfIndexes(blueprint);
      this.adopt(blueprint);
    }
    for (const kind of discriminators) this.#defineKind(blueprint, kind);
    return blueprint;
  }

  /** Takes a model that was compiled elsewhere, with its discriminators; from then on it has no database of its own. */
  adopt(blueprint: AnyModel, isReplacing = false): void {
    const name = blueprint.modelName;
    if (this.#blueprints.get(name) === blueprint) return;
    if (isReplacing) this.#forget(name);
    else if (this.#blueprints.has(name)) throw new ModelAlreadyRegisteredError(name);
    if (!Object.prototype.isPrototypeOf.call(mongoose.Model, blueprint)) {
      throw new PolyMongoError(
        `${name} is no model of the mongoose that nestjs-polymongo uses. Is mongoose installed twice? See npm ls mongoose.`,
      );
    }
    this.#pools.useMongoose(blueprint.base as Mongoose);
    takeOver(blueprint, this.#blueprintConnection);
    this.#blueprints.set(name, blueprint);
    const template = createTemplate(blueprint, this);
    const bindStaticHooks = staticHooksOf(blueprint);
    this.#models.register(name, (database) => createChild(blueprint, template, database, this, bindStaticHooks));
    this.#addToCollection(blueprint);
    for (const kind of Object.values(blueprint.discriminators ?? {})) this.adopt(kind as unknown as AnyModel);
  }

  /** A schema of `plugins` has to be compiled here. @throws PolyMongoOptionsError */
  assertTakesPlugins(blueprint: AnyModel): void {
    if (this.#plugins.length === 0 || this.#blueprints.get(blueprint.modelName) === blueprint) return;
    throw new PolyMongoOptionsError(
      'plugins',
      `${blueprint.modelName} was compiled before wrapModel() saw it, so \`plugins\` cannot be applied to its schema. ` +
        'Give them to schema.plugin() or mongoose.plugin() before the model is made.',
    );
  }

  /** The compiled model of a name. @throws ModelNotRegisteredError */
  blueprint(name: string): AnyModel {
    const blueprint = this.#blueprints.get(name);
    if (!blueprint) throw new ModelNotRegisteredError(name, [...this.#blueprints.keys()]);
    return blueprint;
  }

  modelOn(database: Database, blueprint: AnyModel): AnyModel {
    return database.connection.models[blueprint.modelName] as AnyModel;
  }

  /** The collections of the registered models. */
  get collections(): Iterable<string> {
    return this.#collections.keys();
  }

  /** The registered models of a collection, on a database; a base model comes before its discriminators. */
  modelsOf(database: Database, collection: string): AnyModel[] {
    return (this.#collections.get(collection) ?? []).map((blueprint) => this.modelOn(database, blueprint));
  }

  init(model: AnyModel): Promise<unknown> {
    return this.#indexes.init(boundModel(model));
  }

  /** mongoose has begun to make it, and may be long done when somebody writes first. */
  include(database: Database, made: object): void {
    const model = made as AnyModel & { [MODEL.init]: Promise<unknown> };
    if (isBound(model) || !this.#made.add(database, model)) return;
    defineIndexStatics(model, model, { init: () => this.#indexes.init(model) });
    void this.#indexes.started(model, model[MODEL.init]);
    database.contents.prepared.delete(model.collection.name);
  }

  /** Makes the collections and indexes of every registered model on a database, as before its first write. */
  async prepareAll(database: Database): Promise<void> {
    await Promise.all([...this.collections].map((collection) => this.prepare(database, collection)));
  }

  isNeeded(database: Database, collection: string): boolean {
    return this.#indexes.isNeeded(this.#preparedWith(database, collection));
  }

  prepare(database: Database, collection: string): Promise<void> {
    return this.#indexes.prepare(database, collection, this.#preparedWith(database, collection));
  }

  #preparedWith(database: Database, collection: string): AnyModel[] {
    return [...this.modelsOf(database, collection), ...this.#made.of(database, collection)];
  }

  #addToCollection(blueprint: AnyModel): void {
    const { name } = blueprint.collection;
    this.#collections.set(name, [...(this.#collections.get(name) ?? []), blueprint]);
    for (const database of this.#pools.databases.values()) database.contents.prepared.delete(name);
  }

  /** A plugin for all schemas that are compiled from now on. @throws PolyMongoError when one is compiled already */
  usePlugin(plugin: Plugin): void {
    if (this.#connection) {
      throw new PolyMongoError(
        'connectionFactory came too late with a plugin: schemas are compiled already. Give it to the option plugins.',
      );
    }
    this.#plugins.push(plugin);
    for (const { connection } of this.#pools.databases.values()) connection.plugins.push(plugin as never);
  }

  /** Another model takes the name of one. */
  #forget(name: string): void {
    const old = this.#blueprints.get(name);
    if (!old) return;
    for (const { connection } of this.#pools.databases.values()) Reflect.deleteProperty(connection.models, name);
    const collection = old.collection.name;
    this.#collections.set(
      collection,
      this.#collections.get(collection)!.filter((blueprint) => blueprint !== old),
    );
  }

  get #blueprintConnection(): Connection {
    return (this.#connection ??= createBlueprintConnection(this.#pools.mongoose, this.#plugins));
  }

  /** @throws ModelAlreadyRegisteredError */
  #assertSame(known: AnyModel, schema: Schema, collection: string | undefined): void {
    const source = this.#sources.get(known) ?? { schema: known.schema, collection: known.collection.name };
    const isSame =
      source.schema === schema && (source.collection === collection || known.collection.name === collection);
    if (!isSame) throw new ModelAlreadyRegisteredError(known.modelName);
  }

  /** @throws ModelAlreadyRegisteredError */
  #defineKind(base: AnyModel, { name, schema, value }: { name: string; schema: Schema; value?: string }): void {
    const known = this.#blueprints.get(name);
    if (known && this.#sources.get(known)?.schema !== schema) throw new ModelAlreadyRegisteredError(name);
    if (known) return;
    const kind = base.discriminator(name, schema, value) as unknown as AnyModel;
    this.#sources.set(kind, { schema });
    this.adopt(kind);
  }

  #attach(database: Database): void {
    const { connection } = database;
    Object.assign(connection, { models: this.#models.on(database), plugins: [...this.#plugins] });
    Object.assign(connection.config, this.#initOptions);
    database.equip({ preparation: this });
  }
}
