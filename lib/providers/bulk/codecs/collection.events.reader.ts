import { CsvReader } from './csv.reader.js';
import { DocumentListReader } from './document-list.reader.js';
import type { ImportEvent } from './import.events.js';
import { bytesOf, eventsOf, type ReadImportOptions } from './import.events.reader.js';
import { pickedArray } from './picked.array.js';

/** What a file of one collection is. */
export interface CollectionFileKind {
  /** By default the first character tells `jsonl` and `json`. */
  readonly format?: 'jsonl' | 'json' | 'csv';
  /** Where in a JSON file the array is. */
  readonly pick?: string;
}

/**
 * Reads a file of documents, gzipped or not, as events of one collection. The source is read no faster than the events
 * are taken.
 * @throws BulkFormatError; the signal's reason
 */
export async function* readCollectionEvents(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  collection: string,
  { format, pick }: CollectionFileKind,
  options: ReadImportOptions = {},
): AsyncGenerator<ImportEvent, void> {
  const bytes = bytesOf(source, options);
  yield { kind: 'collectionBegin', collection };
  if (pick !== undefined) {
    const reader = new DocumentListReader({ ...options, collection, format: 'json', tellsPlaces: false });
    yield* eventsOf(reader, pickedArray(bytes, pick), options.signal);
  } else if (format === 'csv') yield* eventsOf(new CsvReader({ ...options, collection }), bytes, options.signal);
  else {
    const reader = new DocumentListReader({ ...options, collection, ...(format && { format }) });
    yield* eventsOf(reader, bytes, options.signal);
  }
  yield { kind: 'collectionEnd', collection };
}
