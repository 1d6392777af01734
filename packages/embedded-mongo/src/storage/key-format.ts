import type { Collation } from '../bson/collation.js';
import { compareValues } from '../bson/compare.js';
import type { Value } from '../bson/value.js';
import { AFTER, encodeKey } from './key-string.js';

/** How an index writes and orders its keys. An edge lies just before or just behind all keys that begin with values. */
export interface KeyFormat<K> {
  key(values: readonly Value[]): K;
  edge(values: readonly Value[], isAfter: boolean): K;
  compare(a: K, b: K): number;
}

/** Keys as strings of bytes: small, and compared at once. */
export const byteKeys = (isDescending: readonly boolean[]): KeyFormat<string> => {
  const directions = isDescending.includes(true) ? isDescending : undefined;
  return {
    key: (values) => encodeKey(values, directions),
    edge: (values, isAfter) => (isAfter ? encodeKey(values, directions) + AFTER : encodeKey(values, directions)),
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  };
};

/** The values themselves; `edge` is -1 before and 1 behind all keys that begin with them. */
export interface CollatedKey {
  readonly values: readonly Value[];
  readonly edge: -1 | 0 | 1;
}

/** Keys of an index with a collation: Intl gives no sort keys, so strings are compared as such. */
export const collatedKeys = (isDescending: readonly boolean[], collation: Collation): KeyFormat<CollatedKey> => ({
  key: (values) => ({ values, edge: 0 }),
  edge: (values, isAfter) => ({ values, edge: isAfter ? 1 : -1 }),
  compare: (a, b) => {
    const length = Math.min(a.values.length, b.values.length);
    for (let i = 0; i < length; i++) {
      const order = compareValues(a.values[i]!, b.values[i]!, collation);
      if (order !== 0) return isDescending[i] ? -order : order;
    }
    return a.edge - b.edge;
  },
});
