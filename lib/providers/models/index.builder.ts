import type { Database } from '../pools/database.js';
import { bound, DATABASE, type BoundModel } from './model.template.js';
import type { AnyModel } from './model.types.js';

/** How many databases get collections and indexes at the same time; createIndexes is heavy on the server. */
const MAX_CONCURRENT = 4;

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
  readonly #done = new WeakMap<Database, Map<string, Promise<void>>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  /** @param isAutomatic whether a first write causes it (option `autoIndex`) */
  constructor(readonly isAutomatic: boolean) {}

  /**
   * Resolves when they are there. Callers at the same time share one attempt; one that failed is made again by the next.
   * @param isExplicit somebody asked for it, so `autoIndex: false` does not count
   */
  prepare(model: BoundModel, isExplicit = false): Promise<void> {
    const { [DATABASE]: database } = model;
    const { autoIndex } = (model.schema as unknown as SchemaIndexing).options;
    if (!isExplicit && !(autoIndex ?? this.isAutomatic)) return DONE;
    let done = this.#done.get(database);
    if (!done) this.#done.set(database, (done = new Map()));
    let work = done.get(model.modelName);
    if (!work) {
      work = this.#limited(() => build(model, isExplicit));
      done.set(model.modelName, work);
      work.catch(() => done.delete(model.modelName));
    }
    return work;
  }

  async #limited(work: () => Promise<void>): Promise<void> {
    if (this.#running >= MAX_CONCURRENT) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
    try {
      await work();
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }
}

const DONE = Promise.resolve();

async function build(model: BoundModel, isExplicit: boolean): Promise<void> {
  const { options } = model.schema as unknown as SchemaIndexing;
  const isSpecial =
    options.capped ?? options.timeseries ?? options.collation ?? options.collectionOptions ?? options.clusteredIndex;
  if ((isExplicit || isSpecial !== undefined) && options.autoCreate !== false) await model.createCollection();
  const specs = indexesOf(model);
  if (specs.length > 0) await model.collection.createIndexes(specs as never);
}

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
