import type { StoredIndex } from './stored-index.js';

/** Keys of one index: by identity where they are strings, by comparison where they are collated. */
export class KeySet {
  private readonly strings = new Set<unknown>();
  private readonly others: unknown[] = [];

  constructor(private readonly index: StoredIndex) {}

  add(keys: readonly unknown[]): void {
    for (const key of keys) {
      if (typeof key === 'string') this.strings.add(key);
      else if (!this.has(key)) this.others.push(key);
    }
  }

  has(key: unknown): boolean {
    return this.strings.has(key) || this.index.includes(this.others, key);
  }
}

/** The keys that are not among the others. */
export function without(index: StoredIndex, keys: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  if (keys.length === 0 || others.length === 0) return keys;
  const set = new KeySet(index);
  set.add(others);
  return keys.filter((key) => !set.has(key));
}
