/**
 * How many transactions of one pool may be tried again at the same time. When hundreds write the same few documents,
 * their retries keep each other from ever finishing; a few at a time get through. First attempts pass freely.
 */
export class RetryGate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves when a further retry may run; the function given back ends it, once. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}
