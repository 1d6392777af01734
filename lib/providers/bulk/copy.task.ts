import type { mongo } from 'mongoose';
import { writeErrorOf } from './bulk.errors.js';
import type { BulkReport } from './bulk.report.js';
import type { CopyOptions } from './bulk.types.js';
import { newNameOf, ownValue, viewOptionsOf } from './collection.selection.js';
import { elementNamed } from './codecs/bson-elements.js';
import type { CollectionDefinition } from './codecs/collection.definition.js';
import { mapAtMost } from './raw/map-at-most.js';
import { withIdFirst } from './raw/raw-document.js';
import { RawBatch } from './raw/raw-batch.js';
import { insertRaw } from './raw/raw-insert.js';
import type { RawSource } from './raw/raw-source.js';
import type { RawTarget } from './raw/raw-target.js';
import { transformed } from './raw/raw-transform.js';
import { timeFieldOf } from './raw/time-series.js';

const DEFAULT_CONCURRENCY = 4;

/** Copies a database: on one cluster inside the server, else as raw BSON from pool to pool. */
export class CopyTask {
  constructor(
    private readonly source: RawSource,
    private readonly target: RawTarget,
    private readonly options: CopyOptions,
    private readonly report: BulkReport,
    private readonly isSameCluster: () => Promise<boolean>,
  ) {}

  async run(): Promise<void> {
    const definitions = await this.source.definitions();
    this.report.meter.expect(await this.source.totals(definitions));
    const collections = definitions.filter(({ type }) => type !== 'view');
    const { concurrency = DEFAULT_CONCURRENCY } = this.options;
    await mapAtMost(concurrency, collections, (each) => this.collection(each));
    for (const view of definitions.filter(({ type }) => type === 'view')) await this.view(view);
  }

  private async collection(definition: CollectionDefinition): Promise<void> {
    const name = newNameOf(this.options, definition.name);
    const summary = this.report.collection(name, definition.type);
    if (this.options.dryRun) {
      for await (const batch of this.source.batches(definition.name))
        this.report.written(name, batch.length, size(batch));
      summary.indexes = definition.indexes.length;
      return;
    }
    if (!(await this.insideServer(definition, name))) await this.throughPools(definition, name);
    const { count, refused } = await this.target.createIndexes(name, definition.indexes);
    summary.indexes = count;
    for (const { name: index, code, message } of refused) {
      const reason = `index ${index}: ${message}`;
      this.report.fail({ kind: 'index', collection: name, index, reason, ...(code !== undefined && { code }) });
    }
  }

  private async view(definition: CollectionDefinition): Promise<void> {
    const name = newNameOf(this.options, definition.name);
    this.report.collection(name, definition.type);
    if (this.options.dryRun) return;
    const options = viewOptionsOf(this.options, definition.options);
    try {
      await this.target.create({ name, options });
    } catch (error) {
      this.report.fail({ kind: 'view', collection: name, reason: (error as Error).message }, error as Error);
    }
  }

  /**
   * Has the server copy. With `$merge`, as others may write to the target meanwhile: `$out` puts a collection in the
   * place of what is there when it ends, also of what came after it was looked at. An existing document stays as it is
   * with `$replaceWith: '$$ROOT'`; `keepExisting` would rebuild the new ones field by field.
   * @returns whether it could; where not, nothing is lost and the other way remains
   */
  private async insideServer(definition: CollectionDefinition, name: string): Promise<boolean> {
    const { transform, query, snapshot, signal } = this.options;
    const isCapped = elementNamed(definition.options, 'capped') !== undefined;
    if (definition.type !== 'collection' || isCapped || transform || snapshot) return false;
    if (!(await this.isSameCluster())) return false;
    const { database } = this.source;
    const collection = database.native.collection(definition.name); // a tenant's own may name no other database
    const into = { db: this.target.database.name, coll: name };
    const merge = { into, on: '_id', whenMatched: [{ $replaceWith: '$$ROOT' }], whenNotMatched: 'insert' };
    const filter = ownValue(query, definition.name) ?? {};
    try {
      await this.target.create({ name, options: definition.options });
      const before = await this.sizeOf(name);
      signal?.throwIfAborted();
      const pipeline = [{ $match: filter }, { $merge: merge } as mongo.BSON.Document];
      const { bypassDocumentValidation = false } = this.options;
      await database.send(() => collection.aggregate(pipeline, { bypassDocumentValidation }).toArray());
      const after = await this.sizeOf(name);
      const read = await collection.countDocuments(filter);
      const copied = Math.min(read, Math.max(0, after.documents - before.documents));
      this.report.written(name, copied, Math.max(0, after.bytes - before.bytes));
      this.report.collection(name).skipped += read - copied;
      return true;
    } catch {
      signal?.throwIfAborted();
      return false; // not allowed, not supported, or a document that the target refuses, which the other way can name
    }
  }

  private async sizeOf(name: string): Promise<{ documents: number; bytes: number }> {
    const { db } = this.target.database.connection;
    const documents = await db!.collection(name).countDocuments({});
    const stats = await db!.command({ collStats: name }).catch(() => undefined);
    return { documents, bytes: (stats?.['size'] as number | undefined) ?? 0 };
  }

  private async throughPools(definition: CollectionDefinition, name: string): Promise<void> {
    const { transform, onError, signal, bypassDocumentValidation, guard } = this.options;
    guard?.();
    await this.target.create({ name, options: definition.options });
    let first = 1;
    for await (const batch of this.source.batches(definition.name)) {
      const changed = await transformed(batch, definition.name, transform);
      const documents = changed.map((document, i) => withIdFirst(document, `${definition.name}:${first + i}`));
      const { inserted, bytes, existing, refused, failure } = await insertRaw(
        this.target.database,
        name,
        new RawBatch(documents),
        {
          isOrdered: onError !== 'skip',
          keepExisting: true,
          timeField: timeFieldOf(definition.options),
          signal,
          bypassDocumentValidation,
          guard,
        },
      );
      this.report.written(name, inserted, bytes);
      this.report.collection(name).skipped += existing.length;
      for (const { index, code, message: reason } of refused) {
        await this.report.skip({ collection: name, documentNumber: first + index, code, reason });
      }
      if (failure) throw writeErrorOf(failure.error, { collection: name, documentNumber: first + failure.index });
      first += batch.length;
    }
  }
}

const size = (documents: readonly Uint8Array[]): number =>
  documents.reduce((sum, document) => sum + document.length, 0);
