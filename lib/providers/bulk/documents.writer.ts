import { writeErrorOf } from './bulk.errors.js';
import type { BulkReport } from './bulk.report.js';
import type { ImportOptions } from './bulk.types.js';
import { readInt32 } from './codecs/bson-types.js';
import { canonicalJsonOf } from './codecs/canonical-json.writer.js';
import type { DocumentBatch } from './codecs/import.events.js';
import type { Incoming } from './incoming.collections.js';
import { RawBatch } from './raw/raw-batch.js';
import { haveIdsFirst, splitDocuments, withIdFirst } from './raw/raw-document.js';
import { insertRaw } from './raw/raw-insert.js';
import type { RawTarget } from './raw/raw-target.js';
import { transformed } from './raw/raw-transform.js';
import { hasAny, upsertRaw } from './raw/raw-upsert.js';
import { isBucket, timeFieldOf } from './raw/time-series.js';

/** What becomes of a file's documents. */
export interface DocumentRules {
  /** Put into the ids that are made for documents that have none. */
  readonly name?: string;
  /** Documents take the place of those with the same values of these fields. */
  readonly upsertFields?: readonly string[];
}

/** Writes the documents of an import and tells which were not. */
export class DocumentsWriter {
  constructor(
    private readonly target: RawTarget,
    private readonly options: Omit<ImportOptions, 'format'>,
    private readonly report: BulkReport,
    private readonly rules: DocumentRules,
  ) {}

  /** The documents of a batch from place `first` on that are to be inserted, and the place of each in the batch. */
  private async wanted(
    source: string,
    { bytes, byteOffsets }: DocumentBatch,
    first: number,
  ): Promise<{ documents: RawBatch; placeOf: (index: number) => number }> {
    const { transform } = this.options;
    const { upsertFields, name = '' } = this.rules;
    if (!transform && !upsertFields && haveIdsFirst(bytes)) {
      const rest = first === 0 ? bytes : bytes.subarray(startOf(bytes, first));
      return { documents: new RawBatch([rest], byteOffsets.length - first), placeOf: (index) => first + index };
    }
    const places: number[] = [];
    const documents: Buffer[] = [];
    for (const [place, document] of splitDocuments(bytes).entries()) {
      if (place < first) continue;
      const [result] = await transformed([document], source, transform);
      if (!result) continue;
      const isFound = upsertFields !== undefined && hasAny(result, upsertFields);
      documents.push(isFound ? result : withIdFirst(result, `${name}${source}:${byteOffsets[place]}`));
      places.push(place);
    }
    return { documents: new RawBatch(documents), placeOf: (index) => places[index]! };
  }

  /**
   * Writes the documents of a batch from place `first` on.
   * @param dealtWith told the number of the document before one that is not written
   */
  async write(
    collection: Incoming,
    batch: DocumentBatch,
    first: number,
    dealtWith: (documentNumber: number) => void,
  ): Promise<void> {
    const { source, name } = collection;
    const { documents, placeOf } = await this.wanted(source, batch, first);
    if (this.options.dryRun || documents.length === 0)
      return this.report.written(name, documents.length, documents.bytes);

    const isOfBuckets = hasBuckets(collection, documents);
    const into = isOfBuckets ? await this.target.bucketsOf(name) : name;
    const { onError, resumeFrom, signal, bypassDocumentValidation, guard } = this.options;
    const { upsertFields } = this.rules;
    const common = { isOrdered: onError !== 'skip', signal, bypassDocumentValidation, guard };
    const { inserted, bytes, existing, refused, failure } = upsertFields
      ? await upsertRaw(this.target.database, into, documents, { ...common, upsertFields })
      : await insertRaw(this.target.database, into, documents, {
          ...common,
          isRepeated: resumeFrom !== undefined,
          timeField: isOfBuckets ? undefined : timeFieldOf(collection.options),
        });
    this.report.written(name, inserted, bytes);
    this.report.collection(name).skipped += existing.length;
    for (const { index, code, message } of refused) {
      const place = placeIn(batch, placeOf(index));
      dealtWith(place.documentNumber - 1);
      await this.report.skip({ collection: name, ...place, code, reason: message }, undefined, () =>
        canonicalJsonOf(documents.documents[index]!),
      );
    }
    if (failure) {
      const place = placeIn(batch, placeOf(failure.index));
      dealtWith(place.documentNumber - 1);
      throw writeErrorOf(failure.error, { collection: name, ...place });
    }
  }
}

/** Where the document at `place` of a batch is in the file. */
function placeIn({ firstNumber, byteOffsets, lines, isPicked = false }: DocumentBatch, place: number) {
  return {
    documentNumber: firstNumber + place,
    ...(!isPicked && { byteOffset: byteOffsets[place]! }),
    ...(lines && { line: lines[place]! }),
  };
}

/** Where document `index` begins among those that lie one after the other. */
function startOf(bytes: Uint8Array, index: number): number {
  let at = 0;
  for (; index > 0; index--) at += readInt32(bytes, at);
  return at;
}

/** An archive has a time series' buckets, since 8.3 under the series' own name; an export file has its measurements. */
function hasBuckets({ type, source, namespace, options }: Incoming, { documents }: RawBatch): boolean {
  if (type !== 'timeseries' || namespace === undefined) return false;
  return namespace !== source || isBucket(documents[0]!, options);
}
