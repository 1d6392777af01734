import type { BulkReport } from './bulk.report.js';
import type { BulkReadOptions, ExportedCollection, ExportStreamOptions } from './bulk.types.js';
import { newNameOf, viewOptionsOf } from './collection.selection.js';
import { dataCollectionOf } from './codecs/archive.format.js';
import { ArchiveWriter } from './codecs/archive.writer.js';
import { CanonicalJsonWriter } from './codecs/canonical-json.writer.js';
import type { CollectionDefinition } from './codecs/collection.definition.js';
import { ExportFileWriter } from './codecs/export-file.writer.js';
import { serverVersionOf } from './raw/cluster.identity.js';
import { transformed } from './raw/raw-transform.js';
import type { RawSource } from './raw/raw-source.js';

const CHUNK_BYTES = 256 * 1024;
const VIEW = 'view';

/** Told what is read, as it goes into the file. */
export interface ExportWitness {
  define(definition: CollectionDefinition): void;
  add(collection: string, documents: readonly Uint8Array[]): void;
}

/** Reads a database and gives it in one of the formats, piece by piece. */
export class ExportTask {
  constructor(
    private readonly source: RawSource,
    private readonly options: ExportStreamOptions & BulkReadOptions,
    private readonly report: BulkReport,
    private readonly witness?: ExportWitness,
  ) {}

  /** The bytes of the file, not gzipped. */
  chunks(): AsyncGenerator<Uint8Array, void> {
    return this.options.format === 'archive' ? this.archive() : this.json();
  }

  /** The collections as objects for `JSON.stringify`. */
  async *objects(): AsyncGenerator<[name: string, collection: ExportedCollection], void> {
    const writer = new CanonicalJsonWriter();
    const parsed = (document: Uint8Array) => {
      writer.writeDocument(document);
      return JSON.parse(writer.take().toString()) as ExportedCollection['documents'][number];
    };
    for (const definition of await this.definitions()) {
      const documents: ExportedCollection['documents'] = [];
      for await (const batch of this.documents(definition)) documents.push(...batch.map(parsed));
      const { type, options, indexes } = definition;
      yield [this.nameOf(definition), { type, options: parsed(options), documents, indexes: indexes.map(parsed) }];
    }
  }

  private async *json(): AsyncGenerator<Uint8Array, void> {
    const writer = new ExportFileWriter(CHUNK_BYTES * 2);
    writer.begin(this.source.database.name, new Date());
    for (const definition of await this.definitions()) {
      writer.beginCollection({ ...definition, name: this.nameOf(definition) });
      for await (const batch of this.documents(definition)) {
        for (const document of batch) {
          writer.writeDocument(document);
          if (writer.length > CHUNK_BYTES) yield writer.take();
        }
      }
      writer.endCollection(definition.indexes);
      if (writer.length > CHUNK_BYTES) yield writer.take();
    }
    writer.end();
    yield writer.take();
  }

  private async *archive(): AsyncGenerator<Uint8Array, void> {
    const { database } = this.source;
    const writer = new ArchiveWriter(database.name);
    const definitions = await this.definitions();
    for (const definition of definitions) await this.source.checkBuckets(definition);
    const renamed = definitions.map((definition) => ({ ...definition, name: this.nameOf(definition) }));
    const serverVersion = await serverVersionOf(database);
    yield* writer.begin({ concurrentCollections: 1, serverVersion, toolVersion: 'polymongo' }, renamed);
    for (const [i, definition] of definitions.entries()) {
      for await (const batch of this.documents(definition, dataCollectionOf(definition))) {
        yield* writer.documents(renamed[i]!, Buffer.concat(batch));
      }
      yield* writer.endCollection(renamed[i]!);
    }
  }

  private async definitions(): Promise<CollectionDefinition[]> {
    const definitions = (await this.source.definitions()).map((definition) =>
      definition.type === VIEW
        ? { ...definition, options: viewOptionsOf(this.options, definition.options) }
        : definition,
    );
    this.report.meter.expect(await this.source.totals(definitions));
    for (const definition of definitions) {
      const summary = this.report.collection(this.nameOf(definition), definition.type);
      summary.indexes = definition.indexes.length;
      this.witness?.define({ ...definition, name: this.nameOf(definition) });
    }
    return definitions;
  }

  private async *documents(definition: CollectionDefinition, from = definition.name): AsyncGenerator<Buffer[], void> {
    if (definition.type === VIEW) return;
    for await (const batch of this.source.batches(from, definition.name)) {
      const documents = await transformed(batch, definition.name, this.options.transform);
      this.witness?.add(this.nameOf(definition), documents);
      yield documents;
      this.report.written(this.nameOf(definition), documents.length, byteLength(documents));
    }
  }

  private nameOf({ name }: CollectionDefinition): string {
    return newNameOf(this.options, name);
  }
}

const byteLength = (documents: readonly Uint8Array[]): number =>
  documents.reduce((sum, document) => sum + document.length, 0);
