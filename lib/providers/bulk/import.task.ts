import { Readable } from 'node:stream';
import { BulkArgumentError, BulkFormatError } from './bulk.errors.js';
import type { BulkReport } from './bulk.report.js';
import type { BulkCheckpoint, ImportOptions } from './bulk.types.js';
import { viewOptionsOf, whyNoCollection } from './collection.selection.js';
import type { DocumentBatch, ImportEvent } from './codecs/import.events.js';
import type { ReadImportOptions } from './codecs/import.events.reader.js';
import { type DocumentRules, DocumentsWriter } from './documents.writer.js';
import { type Incoming, IncomingCollections, setProperty } from './incoming.collections.js';
import type { RawTarget } from './raw/raw-target.js';

/** The bytes of a file. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How a file is read, and its documents are written. */
export interface ImportedFile extends DocumentRules {
  events(source: ByteSource, options: ReadImportOptions): AsyncIterable<ImportEvent>;
}

/** Reads a file and writes its collections, documents and indexes into a database. */
export class ImportTask {
  private readonly collections: IncomingCollections;
  private readonly views: Incoming[] = [];
  /** Documents dealt with, by collection of the file. */
  private readonly done = new Map<string, number>();
  private readonly resumed: ReadonlyMap<string, number>;
  private readonly writer: DocumentsWriter;

  constructor(
    private readonly target: RawTarget,
    private readonly options: Omit<ImportOptions, 'format'>,
    private readonly report: BulkReport,
    private readonly file: ImportedFile,
  ) {
    this.collections = new IncomingCollections(options);
    this.writer = new DocumentsWriter(target, options, report, file);
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
        for await (const event of this.file.events(source, { signal, ...(onError && { onError }) })) {
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
    if (source instanceof Readable) source.on('error', ignore); // it may not be read yet
    try {
      await work();
    } finally {
      signal?.removeEventListener('abort', stop);
      if (source instanceof Readable) setImmediate(() => source.off('error', ignore));
    }
  }

  private async read(source: ByteSource): Promise<void> {
    const { signal, onError } = this.options;
    signal?.throwIfAborted();
    const { meter } = this.report;
    meter.bytesRead = 0;
    const onRead = (bytes: number) => (meter.bytesRead! += bytes);
    for await (const event of this.file.events(source, { ...(onError && { onError }), onRead, signal })) {
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
        const { kind: _, collection: __, database: ___, error, ...place } = event;
        await this.report.skip({ collection: collection.name, ...place, reason: error.message }, error);
        this.done.set(collection.source, event.documentNumber);
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
      if (this.options.drop) await this.target.drop(name);
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
      await this.writer.write(collection, batch, passedOver, (last) => this.done.set(source, last));
    }
    this.done.set(source, last);
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

const ignore = (): void => undefined;
