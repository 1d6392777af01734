import { type BsonElement, documentOf, elementAt, stringOf } from './bson-elements.js';
import { BsonType } from './bson-types.js';
import { RelaxedJsonWriter } from './relaxed-json.writer.js';

/** What has to stand in quotes, by Go's encoding/csv: `\.` is the end of data to Postgres. */
const QUOTED = /[",\r\n]|^[\s\ufeff]|^\\\.$/;

/**
 * Writes documents as rows of CSV, as mongoexport does: the values of the fields that are named, one with dots reaching into
 * documents and, by number, arrays; a missing one is empty.
 */
export class CsvWriter {
  private readonly json = new RelaxedJsonWriter({ initialSize: 4096 });
  private readonly paths: readonly (readonly string[])[];
  private text = '';

  constructor(private readonly fields: readonly string[]) {
    this.paths = fields.map((field) => field.split('.'));
  }

  get length(): number {
    return this.text.length;
  }

  take(): Buffer {
    const written = Buffer.from(this.text);
    this.text = '';
    return written;
  }

  begin(): void {
    this.row(this.fields);
  }

  writeDocument(document: Uint8Array): void {
    this.row(this.paths.map((path) => this.textOf(elementAt(document, path))));
  }

  end(): void {}

  private row(cells: readonly string[]): void {
    this.text += `${cells.map(cellOf).join()}\n`;
  }

  private textOf(element: BsonElement | undefined): string {
    if (!element || element.type === BsonType.Null || element.type === BsonType.Undefined) return '';
    const text = stringOf(element);
    if (text !== undefined) return text;
    if (element.type === BsonType.ObjectId) return `ObjectId(${element.value.toString('hex')})`;
    this.json.writeDocument(documentOf([{ ...element, name: 'v' }]));
    const json = this.json.take().toString().slice('{"v":'.length, -1);
    return PLAIN[element.type]?.exec(json)?.[1] ?? json;
  }
}

/** Of what has a wrapper in Extended JSON, but is told from a text by nobody: the value alone. */
const PLAIN: Readonly<Record<number, RegExp>> = {
  [BsonType.Date]: /^\{"\$date":"(.+)"\}$/,
  [BsonType.Decimal128]: /^\{"\$numberDecimal":"(.+)"\}$/,
  [BsonType.Double]: /^\{"\$numberDouble":"(.+)"\}$/,
};

const cellOf = (text: string): string => (QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
