import { Readable } from 'node:stream';
import { BulkArgumentError, BulkFormatError, writeErrorOf } from './bulk.errors.js';
import type { BulkReport } from './bulk.report.js';
import type { BulkCheckpoint, ImportOptions } from './bulk.types.js';
import { viewOptionsOf, whyNoCollection } from './collection.selection.js';
import { readInt32 } from './codecs/bson-types.js';
import { CanonicalJsonWriter } from './codecs/canonical-json.writer.js';
import type { DocumentBatch, ImportEvent } from './codecs/import.events.js';
import { readImportEvents } from './codecs/import.events.reader.js';
import { type Incoming, IncomingCollections, setProperty } from './incoming.collections.js';
import { haveIdsFirst, splitDocuments, withIdFirst } from './raw/raw-document.js';
import { RawBatch } from './raw/raw-batch.js';
import { insertRaw } from './raw/raw-insert.js';
import type { RawTarget } from './raw/raw-target.js';
import { transformed } from './raw/raw-transform.js';
import { isBucket, timeFieldOf } from './raw/time-series.js';

/** The bytes of a file. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Reads a file and writes its collections, documents and indexes into a database. */
export class ImportTask {
  private readonly collections: IncomingCollections;
  private readonly views: Incoming[] = [];
  /** Documents dealt with, by collection of the file. */
  private readonly done = new Map<string, number>();
  private readonly resumed: ReadonlyMap<string, number>;

  constructor(
    private readonly target: RawTarget,
    private readonly options: ImportOptions,
    private readonly report: BulkReport,
  ) {
    this.collections = new IncomingCollections(options);
    const { resumeFrom } = options;
    this.resumed = new Map(typeof resumeFrom === 'object' ? Object.entries(resumeFrom.documents) : []);
    report.meter.expect({ bytes: options.totalBytes });
    report.meter.checkpoint = () => this.checkpoint;
  }

  get checkpoint(): BulkCheckpoint {
    return { documents: Object.fromEntries(this.done) };
  }

  async run(source: ByteSource): Promise<void> {
    const { signal } = this.options;
    try {
      await this.whileReading(source, () => this.read(source));
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * Reads only the names of a source that can be read again, so that nothing is written where two collections would be
   * mixed. What else is wrong the import itself tells.
   * @throws BulkArgumentError
   */
  async checkNames(source: ByteSource): Promise<void> {
    const { signal, onError } = this.options;
    try {
      await this.whileReading(source, async () => {
        for await (const event of readImportEvents(source, { signal, ...(onError && { onError }) })) {
          if (event.kind === 'collectionBegin') this.collections.of(event.database, event.collection);
        }
      });
    } catch (error) {
      if (error instanceof BulkArgumentError) throw error;
      signal?.throwIfAborted();
    }
  }

  /** A source that gives nothing would keep the task waiting after its signal. */
  private async whileReading(source: ByteSource, work: () => Promise<void>): Promise<void> {
    const { signal } = this.options;
    const stop = () => source instanceof Readable && source.destroy(signal!.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await work();
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  private async read(source: ByteSource): Promise<void> {
    const { signal, format, onError } = this.options;
    signal?.throwIfAborted();
    const { meter } = this.report;
    meter.bytesRead = 0;
    const options = { ...(format && { format }), ...(onError && { onError }) };
    const onRead = (bytes: number) => (meter.bytesRead! += bytes);
    for await (const event of readImportEvents(source, { ...options, onRead, signal })) {
      signal?.throwIfAborted();
      await this.take(event);
    }
    for (const view of this.views) {
      await this.create({ ...view, options: viewOptionsOf(this.options, view.options) });
    }
    this.collections.checkComplete();
  }

  private async take(event: ImportEvent): Promise<void> {
    if (event.kind === 'property') return;
    const collection = this.collections.of(event.database, event.collection);
    if (!collection) return;
    switch (event.kind) {
      case 'collectionBegin':
        return;
      case 'collectionProperty':
        setProperty(collection, event.name, event.value);
        if (event.name === 'options' && collection.isMade) await this.changeOptions(collection);
        return;
      case 'documents':
        if (event.namespace !== undefined) collection.namespace = event.namespace;
        return this.documents(collection, event.batch);
      case 'rejected': {
        const { documentNumber, byteOffset, error } = event;
        const reason = error.message;
        await this.report.skip({ collection: collection.name, documentNumber, byteOffset, reason }, error);
        this.done.set(collection.source, documentNumber);
        return;
      }
      case 'damaged':
        return this.report.fail({ kind: 'collection', collection: collection.name, reason: event.error.message });
      case 'collectionEnd':
        return this.end(collection);
    }
  }

  private async create(collection: Incoming): Promise<void> {
    if (collection.isMade) return;
    collection.isMade = true;
    const { name, type } = collection;
    this.report.collection(name, type);
    const reason = whyNoCollection(name);
    if (reason !== undefined) {
      collection.isRefused = true;
      this.refused(collection, new BulkFormatError(reason, { collection: name }));
    }
    if (this.options.dryRun || collection.isRefused) return;
    this.options.guard?.();
    try {
      collection.isFound = !(await this.target.create(collection));
    } catch (error) {
      this.refused(collection, error);
    }
  }

  /** Options that come after the documents. A collection that was there before keeps its own. */
  private async changeOptions(collection: Incoming): Promise<void> {
    const { dryRun = false, resumeFrom } = this.options;
    if (collection.isFound && resumeFrom === undefined) return;
    try {
      await this.target.changeOptions(collection, dryRun);
    } catch (error) {
      this.refused(collection, error);
    }
  }

  private refused({ name, type }: Incoming, error: unknown): void {
    const { code, message: reason } = error as { code?: number; message: string };
    const kind = type === 'view' ? 'view' : 'collection';
    this.report.fail({ kind, collection: name, reason, ...(code !== undefined && { code }) }, error as Error);
  }

  private async documents(collection: Incoming, batch: DocumentBatch): Promise<void> {
    if (collection.type === 'view') return;
    await this.create(collection);
    const { source, name } = collection;
    const last = batch.firstNumber + batch.byteOffsets.length - 1;
    const passedOver = Math.min(
      batch.byteOffsets.length,
      Math.max(0, (this.resumed.get(source) ?? 0) - batch.firstNumber + 1),
    );
    this.report.collection(name).skipped += collection.isRefused ? batch.byteOffsets.length : passedOver;
    if (passedOver < batch.byteOffsets.length && !collection.isRefused) {
      await this.insert(collection, batch, passedOver);
    }
    this.done.set(source, last);
  }

  /** The documents of a batch from place `first` on that are to be inserted, and the place of each in the batch. */
  private async wanted(
    source: string,
    { bytes, byteOffsets }: DocumentBatch,
    first: number,
  ): Promise<{ documents: RawBatch; placeOf: (index: number) => number }> {
    const { transform } = this.options;
    if (!transform && haveIdsFirst(bytes)) {
      const rest = first === 0 ? bytes : bytes.subarray(startOf(bytes, first));
      return { documents: new RawBatch([rest], byteOffsets.length - first), placeOf: (index) => first + index };
    }
    const places: number[] = [];
    const documents: Buffer[] = [];
    for (const [place, document] of splitDocuments(bytes).entries()) {
      if (place < first) continue;
      const [result] = await transformed([document], source, transform);
      if (!result) continue;
      documents.push(withIdFirst(result, `${source}:${byteOffsets[place]}`));
      places.push(place);
    }
    return { documents: new RawBatch(documents), placeOf: (index) => places[index]! };
  }

  private async insert(collection: Incoming, batch: DocumentBatch, first: number): Promise<void> {
    const { source, name } = collection;
    const { documents, placeOf } = await this.wanted(source, batch, first);
    if (this.options.dryRun || documents.length === 0)
      return this.report.written(name, documents.length, documents.bytes);

    const isOfBuckets = hasBuckets(collection, documents);
    const into = isOfBuckets ? await this.target.bucketsOf(name) : name;
    const { onError, resumeFrom, signal, bypassDocumentValidation, guard } = this.options;
    const { inserted, bytes, existing, refused, failure } = await insertRaw(this.target.database, into, documents, {
      isOrdered: onError !== 'skip',
      isRepeated: resumeFrom !== undefined,
      timeField: isOfBuckets ? undefined : timeFieldOf(collection.options),
      signal,
      bypassDocumentValidation,
      guard,
    });
    this.report.written(name, inserted, bytes);
    this.report.collection(name).skipped += existing.length;
    for (const { index, code, message } of refused) {
      const documentNumber = batch.firstNumber + placeOf(index);
      this.done.set(source, documentNumber - 1);
      await this.report.skip(
        { collection: name, documentNumber, byteOffset: batch.byteOffsets[placeOf(index)]!, code, reason: message },
        undefined,
        () => textOf(documents.documents[index]!),
      );
    }
    if (failure) {
      const documentNumber = batch.firstNumber + placeOf(failure.index);
      this.done.set(source, documentNumber - 1);
      const byteOffset = batch.byteOffsets[placeOf(failure.index)]!;
      throw writeErrorOf(failure.error, { collection: name, documentNumber, byteOffset });
    }
  }

  private async end(collection: Incoming): Promise<void> {
    if (collection.type === 'view') {
      this.views.push(collection);
      return;
    }
    await this.create(collection);
    if (collection.isRefused) return;
    const { name, indexes } = collection;
    const summary = this.report.collection(name);
    if (this.options.dryRun) {
      summary.indexes = indexes.length;
      return;
    }
    const { count, refused } = await this.target.createIndexes(name, indexes);
    summary.indexes = count;
    for (const { name: index, code, message } of refused) {
      const reason = `index ${index}: ${message}`;
      this.report.fail({ kind: 'index', collection: name, index, reason, ...(code !== undefined && { code }) });
    }
  }
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

function textOf(document: Uint8Array): string {
  const writer = new CanonicalJsonWriter({ initialSize: 4096 });
  writer.writeDocument(document);
  return writer.take().toString();
}
