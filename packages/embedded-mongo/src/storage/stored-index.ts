import { decodeDoc, decodeValue } from '../bson/decode.js';
import { findField } from '../bson/field.js';
import { type Doc, type Value } from '../bson/value.js';
import { plainEnv } from '../query/env.js';
import { compileFilter } from '../query/filter.js';
import { geoChecker } from './geo/geo-checker.js';
import { isIdProjected, isProjected, keyDirections, keyExtractor, wildcardAt } from './index.keys.js';
import type { IndexSpec } from './index.spec.js';
import { IndexTree } from './index.tree.js';
import { byteKeys, collatedKeys, type KeyFormat } from './key-format.js';
import { encodeRawObjectId } from './key-string.js';
import { spend } from '../bson/work.js';
import { KeySet } from './key-set.js';

const OBJECT_ID = 0x07;
/** Making one key, in elements of an array. */
const KEY_WORK = 8;

/** An index with its keys. */
export class StoredIndex {
  readonly tree: IndexTree<unknown>;
  readonly format: KeyFormat<unknown>;
  /** Which parts of the key fields have been arrays in some document; never forgotten, as in mongod. */
  readonly multikeyPaths = new Map<number, Set<number>>();
  /** Since when `$indexStats` counts, and how often the planner chose the index. */
  readonly since = new Date();
  accesses = 0n;
  /** A dropped index is kept up no more: who still reads it has to stop. */
  isDropped = false;
  /** Refuses a document with a value that the index cannot hold; absent where any value will do. */
  readonly check: ((doc: Doc) => void) | undefined;
  private readonly extract;
  private readonly isIncluded: ((doc: Doc) => boolean) | undefined;

  constructor(public spec: IndexSpec) {
    const directions = keyDirections(spec);
    this.format = spec.collation ? collatedKeys(directions, spec.collation) : byteKeys(directions);
    this.tree = new IndexTree(this.format.compare);
    this.extract = keyExtractor(spec);
    this.check = spec.kind === '2d' || spec.kind === '2dsphere' ? geoChecker(spec) : undefined;
    this.isIncluded = spec.partialFilter && compileFilter(spec.partialFilter, plainEnv());
  }

  /** Whether a wildcard index has the keys of a path. */
  coversPath(path: string): boolean {
    const field = this.spec.fields[wildcardAt(this.spec)]!;
    const isInside = field === '$**' || `${path}.`.startsWith(field.slice(0, -'$**'.length));
    return isInside && isProjected(this.spec.wildcardProjection, path) && (path !== '_id' || isIdProjected(this.spec));
  }

  get isMultikey(): boolean {
    return this.multikeyPaths.size > 0;
  }

  /** The document's keys as lists of values, each once. */
  valuesOf(doc: Doc): Value[][] {
    if (this.isIncluded && !this.isIncluded(doc)) return [];
    const { keys, arrays } = this.extract(doc);
    for (const [field, depths] of arrays) {
      const known = this.multikeyPaths.get(field);
      if (known) for (const depth of depths) known.add(depth);
      else this.multikeyPaths.set(field, new Set(depths));
    }
    return keys;
  }

  valuesOfBytes(bytes: Uint8Array): Value[][] {
    return this.valuesOf(decodeDoc(bytes));
  }

  /** The document's keys as the tree holds them, each once. */
  keysOf(doc: Doc): unknown[] {
    const keys = this.valuesOf(doc).map((values) => {
      spend(KEY_WORK);
      return this.format.key(values);
    });
    if (keys.length < 2) return keys;
    return new KeySet(this, keys).keys();
  }

  /** As `keysOf`, of bytes; the `_id` alone is read where that is all the index needs. */
  keysOfBytes(bytes: Uint8Array, decoded: () => Doc = () => decodeDoc(bytes)): unknown[] {
    const field = this.spec.isId ? findField(bytes, '_id') : undefined;
    if (!field) return this.keysOf(decoded());
    if (bytes[field.start] === OBJECT_ID && !this.spec.collation) return [encodeRawObjectId(bytes, field.value)];
    return [this.format.key([decodeValue(bytes, field)])];
  }

  /** Whether a key is among some keys of this index. */
  includes(keys: readonly unknown[], key: unknown): boolean {
    return keys.some((other) => this.format.compare(other, key) === 0);
  }
}
