import { type Timer, clock } from '../../polymongo.clock.js';

/** Longer than the slowest retry of a healthy server takes. */
const PATIENCE_MS = 5_000;

/**
 * How many transactions of one pool may be tried again at the same time. When hundreds write the same few documents,
 * their retries keep each other from ever finishing; a few at a time get through. First attempts pass freely. When none
 * has left for `patienceMS`, those inside count no longer, and the next ones go in: nobody waits for what never settles.
 */
export class RetryGate {
  readonly #waiting: (() => void)[] = [];
  #inside = new Set<symbol>();
  #patience: Timer | undefined;

  constructor(
    readonly size: number,
    readonly patienceMS = PATIENCE_MS,
  ) {}

  /** Resolves when a further retry may run; the function given back ends it, once. */
  async enter(): Promise<() => void> {
    const place = Symbol('place');
    if (this.#inside.size < this.size) this.#inside.add(place);
    else await this.#turn(place);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inside.delete(place);
      this.#letIn();
      if (this.#patience) this.#waitAnew();
    };
  }

  #turn(place: symbol): Promise<void> {
    if (!this.#patience) this.#waitAnew();
    return new Promise((resolve) =>
      this.#waiting.push(() => {
        this.#inside.add(place);
        resolve();
      }),
    );
  }

  #letIn(): void {
    while (this.#inside.size < this.size && this.#waiting.length > 0) this.#waiting.shift()!();
    if (this.#waiting.length > 0) return;
    clock.clear(this.#patience);
    this.#patience = undefined;
  }

  #forget(): void {
    this.#patience = undefined;
    this.#inside = new Set();
    this.#letIn();
    if (this.#waiting.length > 0) this.#waitAnew();
  }

  #waitAnew(): void {
    clock.clear(this.#patience);
    this.#patience = clock.setTimeout(() => this.#forget(), this.patienceMS).unref();
  }
}
