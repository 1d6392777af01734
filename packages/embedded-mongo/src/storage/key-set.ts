import { firstNotBefore } from '../bson/sorted.js';
import type { KeyFormat } from './key-format.js';

/** An index, as far as its keys go. */
interface Formatted {
  readonly format: KeyFormat<unknown>;
}

/** Keys of one index, each once: by identity where they are strings, in their order where they are collated. */
export class KeySet {
  private readonly strings: ReadonlySet<unknown>;
  private readonly sorted: unknown[] = [];

  constructor(
    private readonly index: Formatted,
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
    const { sorted } = this;
    const place = firstNotBefore(0, sorted.length, (each) => compare(sorted[each], key) < 0);
    return place < sorted.length && compare(sorted[place], key) === 0;
  }
}

/** The keys that are not among the others. */
export function without(index: Formatted, keys: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  if (keys.length === 0 || others.length === 0) return keys;
  const set = new KeySet(index, others);
  return keys.filter((key) => !set.has(key));
}
