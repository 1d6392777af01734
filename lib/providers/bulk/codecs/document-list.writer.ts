import { CanonicalJsonWriter } from './canonical-json.writer.js';
import { RelaxedJsonWriter } from './relaxed-json.writer.js';

/** Writes documents in Extended JSON, one a line; `json` makes an array of the lines. */
export class DocumentListWriter {
  private readonly json: CanonicalJsonWriter;
  private isFirst = true;

  constructor(
    private readonly format: 'jsonl' | 'json',
    jsonFormat: 'canonical' | 'relaxed' = 'canonical',
  ) {
    this.json = jsonFormat === 'relaxed' ? new RelaxedJsonWriter() : new CanonicalJsonWriter();
  }

  /** Bytes written since the last `take()`. */
  get length(): number {
    return this.json.length;
  }

  take(): Buffer {
    return this.json.take();
  }

  begin(): void {
    if (this.format === 'json') this.json.writeText('[');
  }

  /** @throws InvalidBsonError */
  writeDocument(bson: Uint8Array): void {
    if (this.format === 'json') this.json.writeText(this.isFirst ? '\n' : ',\n');
    this.json.writeDocument(bson);
    if (this.format === 'jsonl') this.json.writeText('\n');
    this.isFirst = false;
  }

  end(): void {
    if (this.format === 'json') this.json.writeText('\n]\n');
  }
}
