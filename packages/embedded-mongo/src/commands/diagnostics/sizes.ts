import type { CatalogEntry } from '../../storage/catalog.js';
import type { Collection } from '../../storage/collection.js';

/** What an index entry costs beside its key, about. */
const INDEX_ENTRY_BYTES = 40;
const EMPTY_INDEX_BYTES = 4096;

export interface DatabaseSize {
  readonly collections: number;
  readonly views: number;
  readonly objects: number;
  readonly dataSize: number;
  readonly storageSize: number;
  readonly indexes: number;
  readonly indexSize: number;
}

export const indexSize = (entries: number): number => EMPTY_INDEX_BYTES + entries * INDEX_ENTRY_BYTES;

export const collectionIndexSize = (collection: Collection): number =>
  collection.indexes.list().reduce((sum) => sum + indexSize(collection.count), 0);

/** Storage is memory here: as large as the documents, but an empty collection has a page. */
export const storageSize = ({ dataSize }: Collection): number => Math.max(4096, dataSize);

export function databaseSize(entries: readonly CatalogEntry[]): DatabaseSize {
  const collections = entries.filter((entry): entry is Collection => entry.kind === 'collection');
  const total = (of: (collection: Collection) => number): number =>
    collections.reduce((sum, collection) => sum + of(collection), 0);
  return {
    collections: collections.length,
    views: entries.length - collections.length,
    objects: total(({ count }) => count),
    dataSize: total(({ dataSize }) => dataSize),
    storageSize: total(storageSize),
    indexes: total(({ indexes }) => indexes.size),
    indexSize: total(collectionIndexSize),
  };
}
