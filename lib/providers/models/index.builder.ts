import { bound, DATABASE, type BoundModel } from './model.binding.js';
import { IndexQueues } from './index.queue.js';
import type { AnyModel } from './model.types.js';

interface SchemaIndexing {
  options: {
    autoIndex?: boolean;
    autoCreate?: boolean;
    capped?: unknown;
    timeseries?: unknown;
    collation?: unknown;
    collectionOptions?: unknown;
    clusteredIndex?: unknown;
  };
  indexes(): [object, object][];
}

/** Makes a model's collection and indexes on a database, once, before its first write there. */
export class IndexBuilder {
  /** By what is on the server now: what was dropped, or is on another cluster, is made anew. */
  readonly #done = new WeakMap<object, Map<string, Promise<void>>>();
  readonly #ready = new WeakMap<object, Set<string>>();
  readonly #queues = new IndexQueues();

  /** @param isAutomatic whether a first write causes it (option `autoIndex`) */
  constructor(readonly isAutomatic: boolean) {}

  /**
   * Resolves when they are there. Callers at the same time share one attempt; one that failed is made again by the next.
   * @param isExplicit somebody asked for it, so `autoIndex: false` does not count
   */
  prepare(model: BoundModel, isExplicit = false): Promise<void> {
    const { [DATABASE]: database } = model;
    if (!isExplicit && !this.#isWanted(model)) return DONE;
    let done = this.#done.get(database.contents);
    if (!done) this.#done.set(database.contents, (done = new Map()));
    let work = done.get(model.modelName);
    if (!work) {
      const { contents } = database;
      // The pool is open before a place in its queue is taken: one that cannot be opened fails all that wait at once.
      work = database.run(() => this.#queues.of(database.pool).run(() => build(model, isExplicit)));
      done.set(model.modelName, work);
      work.then(
        () => this.#readyOn(contents).add(model.modelName),
        () => done.delete(model.modelName),
      );
    }
    return work;
  }

  /** A write would wait for nothing. */
  isPrepared(model: BoundModel): boolean {
    return (
      this.#readyOn(model[DATABASE].contents).has(model.modelName) ||
      !this.#isWanted(model) ||
      (!isSpecial(model) && indexesOf(model).length === 0)
    );
  }

  #isWanted(model: BoundModel): boolean {
    return (model.schema as unknown as SchemaIndexing).options.autoIndex ?? this.isAutomatic;
  }

  #readyOn(contents: object): Set<string> {
    let ready = this.#ready.get(contents);
    if (!ready) this.#ready.set(contents, (ready = new Set()));
    return ready;
  }
}

const DONE = Promise.resolve();

async function build(model: BoundModel, isExplicit: boolean): Promise<void> {
  if ((isExplicit && isAutoCreated(model)) || isSpecial(model)) await model.createCollection();
  const specs = indexesOf(model);
  if (specs.length > 0) await model.collection.createIndexes(specs as never);
}

/** The collection has options that an implicitly made one would lack. */
function isSpecial(model: AnyModel): boolean {
  const { options } = model.schema as unknown as SchemaIndexing;
  const { capped, timeseries, collation, collectionOptions, clusteredIndex } = options;
  return [capped, timeseries, collation, collectionOptions, clusteredIndex].some(Boolean) && isAutoCreated(model);
}

const isAutoCreated = (model: AnyModel): boolean =>
  (model.schema as unknown as SchemaIndexing).options.autoCreate !== false;

/** The indexes of the schema, and of its discriminators' schemas, as createIndexes takes them. */
function indexesOf(model: AnyModel): object[] {
  const kinds = Object.values(bound(model).discriminators ?? {}) as AnyModel[];
  const specs = [model, ...kinds].flatMap(({ schema }) => (schema as unknown as SchemaIndexing).indexes());
  const seen = new Set<string>();
  return specs.flatMap(([key, { background: _, ...options }]: [object, { background?: boolean }]) => {
    const id = JSON.stringify([Object.entries(key), options]);
    if (seen.has(id)) return [];
    seen.add(id);
    return [{ key, ...options }];
  });
}
