import type { BoundModel } from './model.binding.js';
import { cursorIn } from './model.cursor.js';
import type { ScopeCapture, Scoped } from './model.scope.js';

/** A model's class of queries as this file uses it; mongoose's own type cannot be extended by a class. */
export type QueryClass = new (...args: unknown[]) => {
  model: BoundModel;
  exec(op?: unknown): Promise<unknown>;
  cursor(options?: object): object;
  clone(): object;
  toConstructor(): { prototype: object };
};

/** On the prototype of a query class: the scope of the query that it was made of. */
const CLASS_SCOPE = Symbol('polymongo.scope');

/**
 * The queries of all models of a schema: they run in the scope they were made in.
 * @param start begins a call on the database of a model
 */
export function createQueryClass(
  Base: QueryClass,
  captureScope: ScopeCapture,
  start: <T>(model: unknown, fn: () => Promise<T>) => Promise<T>,
): QueryClass {
  class Query extends Base {
    #scoped = captureScope();

    override exec(op?: unknown): Promise<unknown> {
      const run = () => super.exec(op);
      if (!this.model) return run(); // mongoose says what is missing
      const begin = () => start(this.model, run);
      const scoped = Query.#scopeOf(this);
      return scoped ? scoped(begin) : begin();
    }

    override cursor(options?: object): object {
      return cursorIn(Query.#scopeOf(this), () => super.cursor(options));
    }

    override clone(): object {
      const clone = super.clone() as Query;
      if (#scoped in clone) clone.#scoped = Query.#scopeOf(this);
      return clone;
    }

    override toConstructor(): { prototype: object } {
      const made = super.toConstructor();
      Object.defineProperty(made.prototype, CLASS_SCOPE, { value: Query.#scopeOf(this) });
      return made;
    }

    /** What the class of `toConstructor()` constructs has no field of this class. */
    static #scopeOf(query: object & { [CLASS_SCOPE]?: Scoped }): Scoped | undefined {
      return #scoped in query ? query.#scoped : query[CLASS_SCOPE];
    }
  }

  Query.prototype.constructor = Base.prototype.constructor; // mongoose.Query, as on every model's queries
  return Query;
}
