import { clock } from '../../polymongo.clock.js';

interface Entry<T> {
  answer: Promise<T>;
  value?: T;
  /** In ms since 1970; none while the answer is awaited. */
  expiresAt?: number;
}

const MAX_ENTRIES = 10_000;

/** Answers of an async question, kept for a while. Those who ask at the same time share one question; failures are not kept. */
export class LookupCache<T> {
  readonly #entries = new Map<string, Entry<T>>();

  /**
   * @param ask given what was answered before, where that no longer counts
   * @param ttlMS how long an answer counts, in ms
   */
  constructor(
    readonly ask: (key: string, last: T | undefined) => T | Promise<T>,
    readonly ttlMS: number | ((answer: T) => number) = Infinity,
  ) {}

  /** The answer, if it is there and still counts. */
  peek(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry?.expiresAt !== undefined && entry.expiresAt > clock.now() ? entry.value : undefined;
  }

  get(key: string): Promise<T> {
    const known = this.#entries.get(key);
    if (known && (known.expiresAt === undefined || known.expiresAt > clock.now())) return known.answer;
    const last = known?.value;
    const entry: Entry<T> = { answer: Promise.resolve().then(() => this.ask(key, last)) };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.answer.then(
      (value) => {
        const ttlMS = typeof this.ttlMS === 'number' ? this.ttlMS : this.ttlMS(value);
        Object.assign(entry, { value, expiresAt: clock.now() + ttlMS });
      },
      () => this.#entries.get(key) === entry && this.#entries.delete(key),
    );
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    return entry.answer;
  }

  /** Has the next one ask again. An answer that is on its way reaches only those who wait for it. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** As {@link forget}, for all. */
  clear(): void {
    this.#entries.clear();
  }
}
