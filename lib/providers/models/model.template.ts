import type { Aggregate, Collection, Connection, mongo } from 'mongoose';
import { compileOn, DOCUMENT, leaveConnectionBy, MODEL, userOptionsOf } from '../native/mongoose.private.js';
import { PoolInitializingError } from '../pools/pool.errors.js';
import type { Database } from '../databases/database.js';
import { defineDocumentAccessors } from './document.accessors.js';
import { deleteOneOf, joined, saveInTransaction, type SessionOptions } from './document.writes.js';
import {
  bound,
  type BoundModel,
  COLLECTION,
  DATABASE,
  databaseOf,
  isInstanceOf,
  isWrapper,
  unwrapped,
} from './model.binding.js';
import { aggregateIn } from './model.aggregate.js';
import { discriminatorsOn } from './model.discriminators.js';
import { defineIndexStatics, type IndexHost } from './model.indexes.js';
import { ModelBindingError } from './model.errors.js';
import { createQueryClass, type QueryClass } from './model.query.js';
import type { ScopeCapture } from './model.scope.js';
import type { AnyModel } from './model.types.js';

/** What templates need of the registry they are made for. */
export interface TemplateHost extends IndexHost {
  /** The model compiled as `blueprint`, on a database. */
  modelOn(database: Database, blueprint: AnyModel): AnyModel;
  /** Takes in a model that was compiled beside the registered ones (a discriminator). */
  adopt(blueprint: AnyModel, isReplacing?: boolean): void;
  /** What features right of the models add to every model, by name; called with the model and its arguments. */
  readonly extensions: Readonly<Record<string, ModelExtension>>;
  /** Queries, aggregates and cursors run in the scope they were made in. */
  readonly captureScope: ScopeCapture;
}

export type ModelExtension = (model: BoundModel, ...args: never[]) => unknown;

/** A compiled model as this file uses it; mongoose's own types cannot be extended by a class. */
interface Blueprint {
  new (...args: unknown[]): {
    [DOCUMENT.save](options?: object, callback?: (error?: unknown) => void): Promise<unknown> | void;
    $session(session?: mongo.ClientSession): mongo.ClientSession | null | undefined;
  };
  create(...args: unknown[]): Promise<unknown>;
  insertOne(...args: unknown[]): Promise<unknown>;
  insertMany(...args: unknown[]): Promise<unknown>;
  bulkWrite(...args: unknown[]): Promise<unknown>;
  bulkSave(...args: unknown[]): Promise<unknown>;
  aggregate(...args: unknown[]): Aggregate<unknown[]>;
  discriminator(...args: unknown[]): AnyModel;
  Query: QueryClass;
}

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** None for the template itself, where tests put their spies: it answers as the compiled model. */
const databaseIn = (model: unknown): Database | undefined => bound(model)[DATABASE];

/** Called without a model, or with `new`, they have mongoose say what is wrong. */
const STATICS = ['create', 'insertOne', 'insertMany', 'bulkWrite', 'bulkSave', 'aggregate', 'discriminator'] as const;

/** What a model does not have of the compiled one. */
const OWN_STATE = {
  [MODEL.events]: undefined, // the compiled one's listeners would hear of every database
  [MODEL.eventsCount]: 0,
  [MODEL.init]: undefined, // nothing was made yet
  [MODEL.isCaught]: true, // as after the `init()` of mongoose's own `model()`: an index that fails is no uncaught 'error'
};

/**
 * Stands between a compiled model and its children on the databases, one per schema: whatever depends on the database
 * is an accessor here, so that a child holds nothing but its database. A call counts as started, and holds a lease,
 * from `exec()`, `save()`, `create()` … on.
 */
export function createTemplate(blueprint: AnyModel, host: TemplateHost): AnyModel {
  const Base = blueprint as unknown as Blueprint;
  const collectionOptions = optionsOfCollection(blueprint);

  const start = <T>(model: unknown, fn: () => Promise<T>, how: 'run' | 'begin' = 'run'): Promise<T> => {
    const { [DATABASE]: database } = model as BoundModel;
    return mayWait(database, blueprint) ? database[how](fn) : Promise.reject(new PoolInitializingError(database.name));
  };
  /** Takes documents as they are now: what mongoose does at once is not put off until the pool is open. */
  const startAtOnce = <T>(model: unknown, fn: () => Promise<T>): Promise<T> => start(model, fn, 'begin');

  const Query = createQueryClass(Base.Query, host.captureScope, start);

  class Template extends Base {
    static override Query = Query;

    static get db(): Connection {
      return databaseIn(this)?.connection ?? blueprint.db;
    }

    static get collection(): Collection {
      const model = bound(this);
      if (!Object.hasOwn(model, COLLECTION)) {
        const database = databaseIn(model);
        if (!database) return blueprint.collection;
        model[COLLECTION] = database.connection.collection(
          blueprint.collection.name,
          collectionOptions,
        ) as unknown as Collection;
      }
      return model[COLLECTION]!;
    }

    static get [MODEL.collection](): Collection {
      return this.collection;
    }

    static get discriminators(): Record<string, AnyModel> | undefined {
      return discriminatorsOn(bound(this), blueprint, host);
    }

    /** A document is an instance of the model of its own database, as with models compiled per connection. */
    static override [Symbol.hasInstance](document: unknown): boolean {
      if (!isInstanceOf(blueprint, document)) return false;
      if (!(DATABASE in this) || isWrapper(this)) return true;
      if (databaseOf(document) !== bound(this)[DATABASE]) return false;
      return (
        Object.hasOwn(this, DATABASE) ||
        Object.prototype.isPrototypeOf.call(this.prototype as object, document as object)
      );
    }

    static override discriminator(...args: unknown[]): AnyModel {
      const child = Base.discriminator.apply(blueprint, args);
      host.adopt(child, true);
      return host.modelOn(bound(this)[DATABASE], child);
    }

    /** mongoose says first what is no connection. */
    static useConnection(connection: unknown): void {
      const { modelName, [DATABASE]: database } = bound(this);
      const stay = (): never => {
        throw new ModelBindingError(modelName, 'useConnection', database.name);
      };
      leaveConnectionBy(database.connection, connection, stay);
    }

    /** What `connection.model(name, schema, collection)` makes of a model that is there: another one, kept by nobody. */
    static [MODEL.subclass](connection: Connection, schema: unknown, collection: string): AnyModel {
      return compileOn<AnyModel>(connection, blueprint.modelName, schema || blueprint.schema, collection);
    }

    static override create(...args: unknown[]) {
      return startAtOnce(this, () => super.create.apply(unwrapped(this), args));
    }
    static override insertOne(...args: unknown[]) {
      return startAtOnce(this, () => super.insertOne.apply(unwrapped(this), args));
    }
    static override insertMany(...args: unknown[]) {
      return startAtOnce(this, () => super.insertMany.apply(unwrapped(this), args));
    }
    static override bulkWrite(...args: unknown[]) {
      return startAtOnce(this, () => super.bulkWrite(...args));
    }
    static override bulkSave(documents?: unknown, given?: SessionOptions) {
      const options = joined(this, given);
      return startAtOnce(this, () => super.bulkSave(documents, options));
    }

    static override aggregate(...args: unknown[]): Aggregate<unknown[]> {
      return aggregateIn(host.captureScope(), super.aggregate(...args), (fn) => start(this, fn));
    }

    /** Where `save()` and `$save()` have done what they do at once, and begin to wait. mongoose 8 gives a callback. */
    override [DOCUMENT.save](options: SessionOptions, callback?: (error?: unknown) => void): Promise<unknown> | void {
      const save = () =>
        callback
          ? new Promise<void>((resolve, reject) => {
              void super[DOCUMENT.save](options, (error) => (error ? reject(error as Error) : resolve()));
            })
          : (super[DOCUMENT.save](options) as Promise<unknown>);
      const saved = saveInTransaction(this, options, () => startAtOnce<unknown>(this.constructor, save));
      if (!callback) return saved;
      saved.then(() => callback(), callback);
    }
  }

  for (const key of ['db', 'collection', MODEL.collection, 'discriminators']) {
    const { get } = Object.getOwnPropertyDescriptor(Template, key)!;
    Object.defineProperty(Template, key, { get: get!, set: assign(key), configurable: true });
  }
  for (const [name, extension] of Object.entries(host.extensions)) {
    const value = function (this: BoundModel, ...args: never[]) {
      return extension(this, ...args);
    };
    Object.defineProperty(Template, name, { value, writable: true, configurable: true });
  }
  Object.assign(Template, OWN_STATE);
  defineIndexStatics(Template as unknown as AnyModel, blueprint, host);
  for (const name of STATICS) {
    const method = Template[name] as Callable;
    Template[name] = function (this: unknown, ...args: unknown[]) {
      return (typeof this === 'function' ? method : (Base[name] as Callable)).apply(this, args);
    } as never;
  }
  if (!Object.hasOwn(blueprint.prototype as object, 'deleteOne')) {
    // no path, and no method of the user's own
    const value = deleteOneOf(blueprint);
    Object.defineProperty(Template.prototype, 'deleteOne', { value, writable: true, configurable: true });
  }
  defineDocumentAccessors(Template.prototype, blueprint);
  return Template as unknown as AnyModel;
}

/** As on mongoose's models, where these are properties like any other: whoever replaces one has it so on that model. */
const assign = (key: string) =>
  function (this: object, value: unknown): void {
    Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
  };

function optionsOfCollection(blueprint: AnyModel): object {
  const { capped } = blueprint.schema.options as { capped?: unknown };
  return {
    schemaUserProvidedOptions: userOptionsOf(blueprint.schema),
    capped,
    modelName: blueprint.modelName,
  };
}

/** Who turned mongoose's buffering off wants an error instead of a wait; the pool opens meanwhile. */
function mayWait(database: Database, blueprint: AnyModel): boolean {
  if (database.pool.state === 'connected') return true;
  const { bufferCommands } = blueprint.schema.options as { bufferCommands?: boolean };
  if ((bufferCommands ?? blueprint.base.get('bufferCommands')) !== false) return true;
  database.enter('operation').then(
    (lease) => lease.release(),
    () => {}, // the next call tries again and tells its caller
  );
  return false;
}
