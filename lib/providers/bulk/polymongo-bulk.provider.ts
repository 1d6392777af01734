import type { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import { checkDatabaseName } from '../../polymongo.checks.js';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { inBackground } from '../pools/background.work.js';
import { inSubscribersContext, keepContext } from '../sessions/subscriber.context.js';
import { BulkArgumentError } from './bulk.errors.js';
import {
  checkCopyOptions,
  checkExportCollectionOptions,
  checkExportOptions,
  checkImportCollectionOptions,
  checkImportOptions,
} from './bulk.options.js';
import type { BulkReport } from './bulk.report.js';
import { BulkReports } from './bulk.reports.js';
import type {
  BulkProgress,
  BulkReadOptions,
  BulkSummary,
  CopyOptions,
  ExportData,
  ExportStream,
  ExportStreamOptions,
  ImportOptions,
} from './bulk.types.js';
import { readImportEvents } from './codecs/import.events.reader.js';
import { CollectionExportTask } from './collection-export.task.js';
import { bytesOf, collectionFile } from './collection.file.js';
import { whyNoCollection } from './collection.selection.js';
import type { ExportCollectionOptions, ImportCollectionOptions } from './collection-file.types.js';
import { CopyTask } from './copy.task.js';
import { bytesOfExportData } from './export-data.source.js';
import { exportStreamOf } from './export.stream.js';
import { ExportTask, type ExportWitness } from './export.task.js';
import { type ByteSource, type ImportedFile, ImportTask } from './import.task.js';
import { isSameCluster } from './raw/cluster.identity.js';
import { RawSource, SYSTEM_DATABASES } from './raw/raw-source.js';
import { RawTarget } from './raw/raw-target.js';

/**
 * Copies, drops, exports and imports whole databases without losing a type, an option or an index. Tasks stream: their
 * memory does not grow with the data. Each holds a lease on its pools while it runs.
 */
export class PolyMongoBulk {
  readonly #pools: PolyMongoPools;
  readonly #reports: BulkReports;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
    this.#reports = new BulkReports(pools);
  }

  /** The progress of all tasks. */
  get progress$(): Observable<BulkProgress> {
    return inSubscribersContext(this.#reports.progress);
  }

  /**
   * Copies collections with their options, documents and indexes, time series and views to another database. Documents
   * that are there, by `_id`, stay as they are and are counted as skipped, so a copy that did not finish can be run again.
   * On one cluster documents do not leave the server.
   * @throws BulkTaskError with the summary of what was copied; BulkArgumentError, PolyMongoOptionsError, InvalidDatabaseNameError
   */
  async copyDatabase(source: string, target: string, options: CopyOptions = {}): Promise<BulkSummary> {
    checkCopyOptions(options);
    const [from, to] = [this.#database(source), this.#database(target, options.targetPools)];
    if (from === to) throw new BulkArgumentError(`Cannot copy the database ${source} onto itself.`);
    const report = this.#reports.of('copy', source, options, { target, onError: options.onError });
    return this.#settle(report, () =>
      from.run(
        () =>
          to.run(
            () =>
              this.#reading(from, options, async (reader) => {
                // Where it cannot be found out, nothing is lost by not asking the server to copy.
                let answer: Promise<boolean> | undefined;
                const isOneCluster = () => (answer ??= isSameCluster(to, from).catch(() => false));
                await new CopyTask(reader, new RawTarget(to), options, report, isOneCluster).run();
              }),
            'long',
          ),
        'long',
      ),
    );
  }

  /**
   * Drops a database and all that is kept of it here: change streams end, disconnect hooks run, its own pool closes,
   * its models are forgotten. The next use of the name begins anew. Asks nothing.
   * @throws BulkArgumentError for admin, local and config
   */
  async dropDatabase(name: string): Promise<void> {
    const database = this.#database(name);
    await this.#pools.completeStreams([name]);
    await database.run(async () => database.connection.db!.dropDatabase());
    await this.#pools.disconnect(name, 'dropped');
    await this.#pools.release(name, 'dropped');
  }

  /**
   * The whole database as an object for `JSON.stringify`, nothing lost: see {@link ExportData}. It is held in memory;
   * for more than a few hundred MB there is {@link exportStream}.
   * @throws BulkTaskError; PolyMongoOptionsError, BulkArgumentError, InvalidDatabaseNameError
   */
  async export(name: string, options: BulkReadOptions = {}): Promise<ExportData> {
    checkExportOptions(options);
    const database = this.#database(name);
    const report = this.#reports.of('export', name, options);
    const entries: (readonly [string, ExportData['collections'][string]])[] = [];
    await this.#settle(report, () =>
      database.run(
        () =>
          this.#reading(database, options, async (reader) => {
            for await (const entry of new ExportTask(reader, options, report).objects()) entries.push(entry);
          }),
        'long',
      ),
    );
    return { database: name, exportDate: new Date().toISOString(), collections: Object.fromEntries(entries) };
  }

  /**
   * The database as a stream of bytes: JSON with one document a line, or an archive for mongorestore, gzipped if asked
   * for. Reading it slowly slows the export down; destroying it ends it. It fails, and never just ends, when the
   * server or the pool goes away.
   * @throws PolyMongoOptionsError, BulkArgumentError, InvalidDatabaseNameError at once
   */
  exportStream(name: string, given: ExportStreamOptions = {}): ExportStream {
    return this.exportWitnessed(name, given);
  }

  /** @internal As {@link exportStream}, with `witness` told what is read. */
  exportWitnessed(name: string, given: ExportStreamOptions, witness?: ExportWitness): ExportStream {
    checkExportOptions(given);
    // Whoever reads the stream has the transform called.
    const options = { ...given, ...(given.transform && { transform: keepContext(given.transform) }) };
    const database = this.#database(name);
    const report = this.#reports.of('export', name, options);
    const chunks = (reader: RawSource) => new ExportTask(reader, options, report, witness).chunks();
    return exportStreamOf({ database, options, report, chunks });
  }

  /**
   * One collection as a file of mongoexport: documents in Extended JSON, one a line or in an array, or as CSV. Its options
   * and indexes are not in it. Otherwise as {@link exportStream}.
   * @throws PolyMongoOptionsError, BulkArgumentError, InvalidDatabaseNameError at once; the stream fails with a
   *   BulkTaskError whose cause is a BulkArgumentError where there is no such collection
   */
  exportCollection(name: string, collection: string, given: ExportCollectionOptions = {}): ExportStream {
    checkExportCollectionOptions(given);
    checkCollection(collection);
    const { query, transform, ...rest } = given;
    const options = {
      ...rest,
      ...(query && { query: Object.fromEntries([[collection, query]]) }),
      ...(transform && { transform: keepContext(transform) }),
    };
    const database = this.#database(name);
    const report = this.#reports.of('export', name, options, { collection });
    const chunks = (reader: RawSource) => new CollectionExportTask(reader, collection, options, report).chunks();
    return exportStreamOf({ database, options, report, chunks });
  }

  /**
   * Imports what {@link export} gave, as an object, or an export file as text or bytes. Documents whose `_id` is there
   * already are refused.
   * @throws BulkTaskError with collection, document number and byte offset of what was wrong, and with the summary
   */
  async import(
    name: string,
    data: ExportData | string | Uint8Array,
    options: ImportOptions = {},
  ): Promise<BulkSummary> {
    checkImportOptions(options);
    return this.#import(name, () => bytesOfExportData(data), options, exportFile(options));
  }

  /**
   * Imports an export file of any layout or an archive, gzipped or not, from a stream of bytes. The stream is read no
   * faster than documents are written. Collections are made with their options, and get their indexes at their end.
   * @param stream or what opens it: with `rename` it is read twice then, for its names first, so that two collections of
   *   one name are refused before anything is written. From a stream the second one is refused, with what was written by
   *   then in the error's summary
   * @throws BulkTaskError with collection, document number and byte offset of what was wrong, and with the summary
   */
  async importStream(
    name: string,
    stream: Readable | AsyncIterable<Uint8Array> | (() => Readable | AsyncIterable<Uint8Array>),
    options: ImportOptions = {},
  ): Promise<BulkSummary> {
    checkImportOptions(options);
    return this.#import(name, stream, options, exportFile(options));
  }

  /**
   * Imports a file of mongoexport or of anybody else into one collection, gzipped or not: JSON Lines, a JSON array, an
   * array deep inside other JSON (`pick`), or CSV whose first row has the names. Otherwise as {@link importStream}.
   * @throws BulkTaskError with line, document number and byte offset of what was wrong, and with the summary
   */
  async importCollection(
    name: string,
    collection: string,
    source: string | Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>),
    options: ImportCollectionOptions = {},
  ): Promise<BulkSummary> {
    checkImportCollectionOptions(options);
    checkCollection(collection);
    const { format: _, pick: __, upsertFields: ___, fileName: ____, ...rest } = options;
    const bytes = () => bytesOf(typeof source === 'function' ? source() : source);
    return this.#import(name, bytes, rest, collectionFile(this.#database(name), collection, options), collection);
  }

  async #import(
    name: string,
    source: AsyncIterable<Uint8Array> | (() => ByteSource),
    options: Omit<ImportOptions, 'format'>,
    file: ImportedFile,
    collection?: string,
  ): Promise<BulkSummary> {
    const database = this.#database(name);
    const { onError, rejects } = options;
    const report = this.#reports.of('import', name, options, { onError, rejects, collection });
    const task = new ImportTask(new RawTarget(database), options, report, file);
    const work = async () => {
      if (typeof source !== 'function') return task.run(source);
      if (options.rename) await task.checkNames(source());
      return task.run(source());
    };
    return this.#settle(
      report,
      () => (options.dryRun ? work() : database.run(work, 'long')),
      () => task.checkpoint,
    );
  }

  async #reading(database: Database, options: BulkReadOptions, work: (reader: RawSource) => Promise<void>) {
    const reader = new RawSource(database, options);
    await reader.open();
    try {
      await work(reader);
    } finally {
      await reader.close();
    }
  }

  async #settle(
    report: BulkReport,
    work: () => Promise<void>,
    checkpoint?: () => ImportTask['checkpoint'],
  ): Promise<BulkSummary> {
    try {
      await inBackground(work);
    } catch (error) {
      throw report.error(error, checkpoint?.());
    } finally {
      report.close();
    }
    report.meter.done();
    return report.summary;
  }

  #database(name: string, pools = this.#pools): Database {
    checkDatabaseName(name);
    if (SYSTEM_DATABASES.includes(name.toLowerCase())) {
      throw new BulkArgumentError(`${name} belongs to the server. Bulk tasks work on databases of your own.`);
    }
    return pools.database(name);
  }
}

/** An export file or an archive. */
const exportFile = ({ format }: ImportOptions): ImportedFile => ({
  events: (source, reading) => readImportEvents(source, { ...reading, ...(format && { format }) }),
});

/** @throws BulkArgumentError */
function checkCollection(name: string): void {
  const reason = typeof name === 'string' ? whyNoCollection(name) : 'its name is no string';
  if (reason !== undefined) throw new BulkArgumentError(`There is no collection ${JSON.stringify(name)}: ${reason}.`);
}
