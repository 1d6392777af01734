import { CanonicalJsonWriter } from './canonical-json.writer.js';
import type { CollectionDefinition } from './collection.definition.js';

/**
 * Writes `{ database, exportDate, collections: { name: { type, options, documents, indexes } } }` progressively, one
 * document a line. What it has written so far is had with `take()`; `end()` makes it valid JSON.
 *
 *     {"database":"shop","exportDate":"2026-01-01T00:00:00.000Z","collections":{
 *     "orders":{"type":"collection","options":{},"documents":[
 *     {"_id":{"$numberInt":"1"}},
 *     {"_id":{"$numberInt":"2"}}
 *     ],"indexes":[
 *     {"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}
 *     ]}
 *     }}
 */
export class ExportFileWriter {
  private readonly json: CanonicalJsonWriter;
  private collections = 0;
  private documents = 0;

  constructor(initialSize = 256 * 1024) {
    this.json = new CanonicalJsonWriter({ initialSize });
  }

  /** Bytes written since the last `take()`. */
  get length(): number {
    return this.json.length;
  }

  take(): Buffer {
    return this.json.take();
  }

  begin(database: string, exportDate: Date): void {
    const head = { database, exportDate: exportDate.toISOString() };
    this.json.writeText(`${JSON.stringify(head).slice(0, -1)},"collections":{`);
  }

  beginCollection({ name, type, options }: Omit<CollectionDefinition, 'indexes'>): void {
    const comma = this.collections++ > 0 ? ',' : '';
    this.json.writeText(`${comma}\n${JSON.stringify(name)}:{"type":${JSON.stringify(type)},"options":`);
    this.json.writeDocument(options);
    this.json.writeText(',"documents":[');
    this.documents = 0;
  }

  /**
   * Appends the document that begins at `start`.
   * @returns the position after it
   * @throws InvalidBsonError
   */
  writeDocument(bson: Uint8Array, start = 0): number {
    this.json.writeText(this.documents++ > 0 ? ',\n' : '\n');
    return this.json.writeDocument(bson, start);
  }

  endCollection(indexes: CollectionDefinition['indexes']): void {
    this.json.writeText('\n],"indexes":[');
    indexes.forEach((index, i) => {
      this.json.writeText(i > 0 ? ',\n' : '\n');
      this.json.writeDocument(index);
    });
    this.json.writeText('\n]}');
  }

  end(): void {
    this.json.writeText('\n}}\n');
  }
}
