import type { Database } from '../databases/database.js';
import { BulkArgumentError } from './bulk.errors.js';
import type { ImportCollectionOptions } from './collection-file.types.js';
import { documentOf } from './codecs/bson-elements.js';
import { BsonType } from './codecs/bson-types.js';
import { readCollectionEvents } from './codecs/collection.events.reader.js';
import type { ImportEvent } from './codecs/import.events.js';
import type { ReadImportOptions } from './codecs/import.events.reader.js';
import type { ByteSource, ImportedFile } from './import.task.js';
import { RawSource } from './raw/raw-source.js';

/** A file of documents that are to go into one collection. */
export const collectionFile = (
  database: Database,
  collection: string,
  options: ImportCollectionOptions,
): ImportedFile => ({
  events: (source, reading) => eventsOf(database, collection, options, source, reading),
  ...(options.upsertFields && { upsertFields: options.upsertFields }),
  ...(options.fileName !== undefined && { name: options.fileName }),
});

async function* eventsOf(
  database: Database,
  collection: string,
  { dryRun, drop, format, pick }: ImportCollectionOptions,
  source: ByteSource,
  reading: ReadImportOptions,
): AsyncGenerator<ImportEvent, void> {
  const there = dryRun ? undefined : await new RawSource(database, {}).find(collection);
  if (there?.type === 'view') throw new BulkArgumentError(`${collection} is a view: documents are not written to it.`);
  if (there?.type === 'timeseries' && !drop) {
    const value = documentOf([{ name: '', type: BsonType.Document, value: Buffer.from(there.options) }]);
    yield { kind: 'collectionProperty', collection, name: 'options', value };
  }
  const kind = { ...(format && { format }), ...(pick !== undefined && { pick }) };
  yield* readCollectionEvents(source, collection, kind, reading);
}

/** The bytes of what an import is given. */
export const bytesOf = (given: string | Uint8Array | ByteSource): ByteSource =>
  typeof given === 'string' ? [Buffer.from(given)] : given instanceof Uint8Array ? [given] : given;
