/** A call of a model or collection, as those who measure it see it: what it is and where, never what is in it. */
export interface ObservedOperation {
  /** The method of the driver, as in `countDocuments`; of the further commands of a cursor `getMore`. */
  readonly method: string;
  readonly database: string;
  /** Undefined for what is on a whole database. */
  readonly collection: string | undefined;
  /** The model whose collection it is; undefined for collections without one. */
  readonly model: string | undefined;
  /** The pool that serves it. */
  readonly pool: string;
}

/** Runs an operation, which it may look at from before to after; it gives and throws what the operation does. */
export type OperationObserver = <T>(operation: ObservedOperation, run: () => Promise<T>) => Promise<T>;

/** Who looks at operations. While nobody does, a call costs one comparison. */
export class OperationObservers {
  readonly #observers = new Set<OperationObserver>();
  #all: OperationObserver | undefined;

  /** All of them as one, the first one outermost; undefined without any. */
  get all(): OperationObserver | undefined {
    return this.#all;
  }

  /** Registers one; gives the function that takes it back. */
  add(observer: OperationObserver): () => void {
    this.#observers.add(observer);
    this.#compose();
    return () => {
      this.#observers.delete(observer);
      this.#compose();
    };
  }

  #compose(): void {
    this.#all = [...this.#observers].reduceRight<OperationObserver | undefined>(
      (inner, outer) => (inner ? (operation, run) => outer(operation, () => inner(operation, run)) : outer),
      undefined,
    );
  }
}
