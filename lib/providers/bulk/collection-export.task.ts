import { BulkArgumentError } from './bulk.errors.js';
import type { BulkReport } from './bulk.report.js';
import type { ExportCollectionOptions } from './collection-file.types.js';
import { CsvWriter } from './codecs/csv.writer.js';
import { DocumentListWriter } from './codecs/document-list.writer.js';
import type { RawSource } from './raw/raw-source.js';
import { transformed } from './raw/raw-transform.js';

const CHUNK_BYTES = 256 * 1024;

/** Reads a collection or a view and gives it as a file of mongoexport, piece by piece. */
export class CollectionExportTask {
  constructor(
    private readonly source: RawSource,
    private readonly collection: string,
    private readonly options: Pick<ExportCollectionOptions, 'format' | 'jsonFormat' | 'fields' | 'transform'>,
    private readonly report: BulkReport,
  ) {}

  async *chunks(): AsyncGenerator<Uint8Array, void> {
    const { collection, report, source, options } = this;
    const definition = await source.find(collection);
    if (!definition)
      throw new BulkArgumentError(`The database ${source.database.name} has no collection ${collection}.`);
    report.collection(collection, definition.type);
    report.meter.expect(await source.totals([definition]));
    const { format = 'jsonl', jsonFormat, fields = [] } = options;
    const writer = format === 'csv' ? new CsvWriter(fields) : new DocumentListWriter(format, jsonFormat);
    writer.begin();
    for await (const batch of source.batches(collection)) {
      const documents = await transformed(batch, collection, options.transform);
      let bytes = 0;
      for (const document of documents) {
        writer.writeDocument(document);
        bytes += document.length;
        if (writer.length > CHUNK_BYTES) yield writer.take();
      }
      report.written(collection, documents.length, bytes);
    }
    writer.end();
    yield writer.take();
  }
}
