import type { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import { Subject } from 'rxjs';
import { checkDatabaseName } from '../../polymongo.checks.js';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { inBackground } from '../pools/background.work.js';
import { inSubscribersContext, keepContext } from '../sessions/subscriber.context.js';
import { keptProgress } from '../sessions/subscriber.listener.js';
import { BulkArgumentError } from './bulk.errors.js';
import { checkCopyOptions, checkExportOptions, checkImportOptions } from './bulk.options.js';
import { ProgressMeter } from './bulk.progress.js';
import { BulkReport } from './bulk.report.js';
import type {
  BulkOptions,
  BulkProgress,
  BulkReadOptions,
  BulkSummary,
  CopyOptions,
  ExportData,
  ExportStream,
  ExportStreamOptions,
  ImportOptions,
} from './bulk.types.js';
import { pack } from './codecs/gzip.stream.js';
import { CopyTask } from './copy.task.js';
import { bytesOfExportData } from './export-data.source.js';
import { ExportTask, type ExportWitness } from './export.task.js';
import { type ByteSource, ImportTask } from './import.task.js';
import { isSameCluster } from './raw/cluster.identity.js';
import { RawSource, SYSTEM_DATABASES } from './raw/raw-source.js';
import { RawTarget } from './raw/raw-target.js';

interface Export {
  readonly database: Database;
  readonly options: ExportStreamOptions;
  readonly report: BulkReport;
  readonly witness: ExportWitness | undefined;
}

/**
 * Copies, drops, exports and imports whole databases without losing a type, an option or an index. Tasks stream: their
 * memory does not grow with the data. Each holds a lease on its pools while it runs.
 */
export class PolyMongoBulk {
  readonly #pools: PolyMongoPools;
  readonly #progress = new Subject<BulkProgress>();

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
    pools.onClosed(() => this.#progress.complete());
  }

  /** The progress of all tasks. */
  get progress$(): Observable<BulkProgress> {
    return inSubscribersContext(this.#progress);
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
    const report = this.#report('copy', source, options, { target, onError: options.onError });
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
    const report = this.#report('export', name, options);
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
    const report = this.#report('export', name, options);
    let finish!: (summary: BulkSummary) => void;
    let fail!: (error: unknown) => void;
    const summary = new Promise<BulkSummary>((resolve, reject) => ([finish, fail] = [resolve, reject]));
    summary.catch(() => undefined); // the stream has the error too
    const chunks = this.#exportChunks({ database, options, report, witness }, finish, fail);
    const stream = pack(chunks, options.gzip ?? false);
    const { signal } = options;
    // While nobody reads, nothing else would notice it.
    const stop = () => void stream.destroy(report.error(signal!.reason));
    signal?.addEventListener('abort', stop, { once: true });
    stream.once('close', () => signal?.removeEventListener('abort', stop));
    return Object.assign(stream, { summary });
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
    return this.#import(name, () => bytesOfExportData(data), options);
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
    return this.#import(name, stream, options);
  }

  async #import(
    name: string,
    source: AsyncIterable<Uint8Array> | (() => ByteSource),
    options: ImportOptions,
  ): Promise<BulkSummary> {
    checkImportOptions(options);
    const database = this.#database(name);
    const report = this.#report('import', name, options, { onError: options.onError, rejects: options.rejects });
    const task = new ImportTask(new RawTarget(database), options, report);
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

  async *#exportChunks(
    { database, options, report, witness }: Export,
    finish: (summary: BulkSummary) => void,
    fail: (error: unknown) => void,
  ): AsyncGenerator<Uint8Array, void> {
    const lease = await database.enter('long').catch((error: unknown) => {
      const wrapped = report.error(error);
      fail(wrapped);
      throw wrapped;
    });
    const reader = new RawSource(database, options);
    const chunks = new ExportTask(reader, options, report, witness).chunks();
    try {
      await inBackground(() => lease.during(() => reader.open()));
      for (;;) {
        const next = await inBackground(() => lease.during(() => chunks.next()));
        if (next.done) break;
        yield next.value;
      }
      report.meter.done();
      finish(report.summary);
    } catch (error) {
      const wrapped = report.error(error);
      fail(wrapped);
      throw wrapped;
    } finally {
      await chunks.return();
      await reader.close();
      lease.release();
      fail(report.error(options.signal?.reason ?? new Error('the stream was destroyed before its end')));
    }
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

  #report(
    task: BulkProgress['task'],
    database: string,
    options: BulkOptions,
    more: {
      target?: string;
      onError?: 'stop' | 'skip' | undefined;
      rejects?: ImportOptions['rejects'] | undefined;
    } = {},
  ): BulkReport {
    const { target, onError, rejects } = more;
    const subject = { task, database, ...(target !== undefined && { target }) };
    const meter = new ProgressMeter(subject, [
      options.onProgress && keptProgress(this.#pools.events, database, options.onProgress),
      (progress) => this.#progress.next(progress),
    ]);
    const title = {
      copy: `Copying ${database} to ${target}`,
      export: `Exporting ${database}`,
      import: `Importing ${database}`,
    };
    return new BulkReport(title[task], meter, onError, rejects, options.signal);
  }
}
