import type { Database } from '../../databases/database.js';
import { documentOf, elementNamed, stringOf } from '../codecs/bson-elements.js';
import { BsonType } from '../codecs/bson-types.js';
import { decodeRaw, idOf, idValueOf } from './raw-document.js';

/** The field with the time of a measurement; undefined where the collection is no time series. */
export function timeFieldOf(options: Uint8Array): string | undefined {
  const timeseries = elementNamed(options, 'timeseries');
  return timeseries?.type === BsonType.Document ? stringOf(elementNamed(timeseries.value, 'timeField')) : undefined;
}

/**
 * Whether a document of a time series is one of its buckets, in which the server keeps measurements. A measurement has
 * its time as a date in its own field, whatever its other fields are named.
 */
export function isBucket(document: Uint8Array, options: Uint8Array): boolean {
  const timeField = timeFieldOf(options);
  if (timeField === undefined || elementNamed(document, timeField)?.type === BsonType.Date) return false;
  return ['control', 'data'].every((name) => elementNamed(document, name)?.type === BsonType.Document);
}

/**
 * Tells of measurements whether they are in the time series, by `_id`, which is unique there by convention only: the
 * server refuses none twice, and has no index on it, only one on time.
 */
export async function findMeasurements(
  database: Database,
  collection: string,
  timeField: string,
  documents: readonly Buffer[],
): Promise<(document: Buffer) => boolean> {
  const times = documents.map((document) => timeOf(document, timeField)).filter((time) => time !== undefined);
  const found = (await database.connection
    .collection(collection)
    .find(
      {
        _id: { $in: documents.map(idValueOf) as never[] },
        ...(times.length > 0 && {
          [timeField]: { $gte: new Date(Math.min(...times)), $lte: new Date(Math.max(...times)) },
        }),
      },
      { raw: true, projection: { _id: 1 } },
    )
    .toArray()) as unknown as Buffer[];
  const ids = new Set(found.map(idOf));
  return (document) => ids.has(idOf(document));
}

function timeOf(document: Buffer, timeField: string): number | undefined {
  const element = elementNamed(document, timeField);
  return element?.type === BsonType.Date ? Number(decodeRaw(documentOf([element]))[timeField]) : undefined;
}
