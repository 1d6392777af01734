import mongoose from 'mongoose';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import type { DatabaseContents } from '../databases/database.contents.js';
import type { Database } from '../databases/database.js';
import { MODEL, nativeIndexing as native } from '../native/mongoose.private.js';
import { IndexMismatchError } from './index.errors.js';
import { emittingView } from './init.event.js';
import { IndexQueues } from './index.queue.js';
import { databaseUnder } from './model.binding.js';
import { isSearchFailure } from './model.indexes.js';
import type { AnyModel } from './model.types.js';

/** Makes the collections and indexes of models on a database, once, before the first write there. */
export class IndexBuilder {
  /** By what is on the server now: what was dropped, or is on another cluster, is made anew. */
  readonly #inits = new WeakMap<DatabaseContents, Map<AnyModel, Promise<unknown>>>();
  readonly #queues = new IndexQueues();
  /** Failures that all writes which waited for one attempt have in common. */
  readonly #told = new WeakSet<object>();

  constructor(readonly events: PolyMongoEvents) {}

  /**
   * mongoose's own `Model.init()`. Callers at the same time share one attempt; one that failed is made again by the
   * next.
   * @throws IndexMismatchError
   */
  init(model: AnyModel): Promise<unknown> {
    const database = databaseUnder(model);
    // The pool is open before a place in its queue is taken: one that cannot be opened fails all that wait at once.
    return (
      this.#initsOn(database).get(model) ??
      this.started(
        model,
        this.inTurn(database, () => initialize(model)),
      )
    );
  }

  /** An attempt that counts as one of {@link init}. */
  started(model: AnyModel, attempt: Promise<unknown>): Promise<unknown> {
    const inits = this.#initsOn(databaseUnder(model));
    inits.set(model, attempt);
    attempt.catch(() => inits.delete(model));
    return attempt;
  }

  #initsOn({ contents }: Database): Map<AnyModel, Promise<unknown>> {
    let inits = this.#inits.get(contents);
    if (!inits) this.#inits.set(contents, (inits = new Map<AnyModel, Promise<unknown>>()));
    return inits;
  }

  /**
   * Has the models of a collection made there, so that its writes wait no more. A write is kept back by what it needs alone:
   * unique indexes, and a collection with options.
   * @throws IndexMismatchError when a unique index is not there; what the server says of anything else that has to be
   */
  async prepare(database: Database, collection: string, models: readonly AnyModel[]): Promise<void> {
    const { contents } = database;
    let isToBeTriedAgain = false;
    for (const model of models) {
      await this.#initOrAgain(model).catch((error: unknown) => {
        const during = isSearchFailure(error) ? 'create search indexes' : 'create indexes';
        if (!isSearchFailure(error) && !isHarmless(error) && (isNeededBy(model) || !isOfServer(error))) throw error;
        isToBeTriedAgain ||= error instanceof MongoNetworkError;
        if (!this.#told.has(error as object)) this.events.emit('error', { db: database.name, error, during });
        this.#told.add(error as object);
      });
    }
    if (!isToBeTriedAgain) contents.prepared.add(collection);
  }

  /** What is made can be asked for twice, so that a connection that breaks meanwhile fails no write. */
  #initOrAgain(model: AnyModel): Promise<unknown> {
    return this.init(model).catch((error: unknown) => {
      if (error instanceof MongoNetworkError) return this.init(model);
      throw error;
    });
  }

  /** What is to be made is more than a collection that a write would make by itself. */
  isNeeded(models: readonly AnyModel[]): boolean {
    return models.some((model) => hasIndexes(model) || hasOptions(model));
  }

  /** Runs work on a database that is heavy on its server, when it is its turn there. */
  inTurn<T>(database: Database, work: () => Promise<T>): Promise<T> {
    return database.run(() => this.#queues.of(database.pool).run(work));
  }
}

/** A write without it would do what no later one could put right. */
function isNeededBy(model: AnyModel): boolean {
  const { indexes } = model.schema as unknown as PreparedSchema;
  return hasOptions(model) || indexes.call(model.schema).some(([, { unique }]) => unique);
}

const { MongoNetworkError, MongoServerError } = mongoose.mongo;
const isOfServer = (error: unknown): boolean => error instanceof MongoServerError || error instanceof MongoNetworkError;

/** An index that is not there, and that no document can contradict. */
const isHarmless = (error: unknown): boolean => error instanceof IndexMismatchError && !error.isUnique;

async function initialize(model: AnyModel): Promise<unknown> {
  // mongoose keeps the promise on the model, for good; here the server may have been changed since.
  Object.assign(model, { [MODEL.init]: undefined });
  return emittingView(model, () => native.init.call(model as never));
}

interface PreparedSchema {
  options: Record<'autoIndex' | 'autoCreate' | CollectionOption, unknown>;
  indexes(): (readonly [object, { unique?: boolean }])[];
}
const COLLECTION_OPTIONS = ['capped', 'timeseries', 'collation', 'collectionOptions', 'clusteredIndex'] as const;
type CollectionOption = (typeof COLLECTION_OPTIONS)[number];

function hasIndexes(model: AnyModel): boolean {
  const { options, indexes } = model.schema as unknown as PreparedSchema;
  const { autoIndex } = model.db.config as { autoIndex?: boolean };
  return (
    (options.autoIndex ?? autoIndex ?? model.base.get('autoIndex')) !== false && indexes.call(model.schema).length > 0
  );
}

function hasOptions(model: AnyModel): boolean {
  const { options } = model.schema as unknown as PreparedSchema;
  return options.autoCreate !== false && COLLECTION_OPTIONS.some((name) => Boolean(options[name]));
}
