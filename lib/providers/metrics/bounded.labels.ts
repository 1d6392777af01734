/** Stands for every value beyond those that have a label of their own. */
export const OTHER = 'other';

/**
 * Which values of a label are told apart: the listed ones, or the first so many that come, for the life of the process. A
 * set that changed with the load would have counters jump; one without a bound would grow with each tenant.
 */
export class BoundedLabels {
  readonly #known: Set<string>;
  readonly #max: number;

  /** @param listed these alone; without it the first `max` */
  constructor(max: number, listed?: readonly string[]) {
    this.#known = new Set(listed);
    this.#max = listed ? 0 : max;
  }

  /** The value itself, or {@link OTHER}. */
  labelOf(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return OTHER;
    this.#known.add(value);
    return value;
  }
}
