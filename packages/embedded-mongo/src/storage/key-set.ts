import type { StoredIndex } from './stored-index.js';

/** Keys of one index, each once: by identity where they are strings, in their order where they are collated. */
export class KeySet {
  private readonly strings: ReadonlySet<unknown>;
  private readonly sorted: unknown[] = [];

  constructor(
    private readonly index: Pick<StoredIndex, 'format'>,
    keys: readonly unknown[],
  ) {
    this.strings = new Set(keys.filter((key) => typeof key === 'string'));
    if (this.strings.size === keys.length) return;
    const { compare } = index.format;
    const sorted = keys.filter((key) => typeof key !== 'string').sort(compare);
    this.sorted = sorted.filter((key, i) => i === 0 || compare(sorted[i - 1], key) !== 0);
  }

  keys(): unknown[] {
    return [...this.strings, ...this.sorted];
  }

  has(key: unknown): boolean {
    if (typeof key === 'string') return this.strings.has(key);
    const { compare } = this.index.format;
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.sorted[middle], key) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.sorted.length && compare(this.sorted[low], key) === 0;
  }
}

/** The keys that are not among the others. */
export function without(index: StoredIndex, keys: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  if (keys.length === 0 || others.length === 0) return keys;
  const set = new KeySet(index, others);
  return keys.filter((key) => !set.has(key));
}
