import type { mongo } from 'mongoose';
import type { AnyImportOptions, BulkReadOptions, BulkSelection, BulkTaskOptions } from './bulk.types.js';

/** Options of `exportCollection`. */
export interface ExportCollectionOptions
  extends BulkTaskOptions, Pick<BulkReadOptions, 'snapshot'>, Pick<BulkSelection, 'transform'> {
  /** `jsonl` (default): a document a line, as mongoexport does; `json`: one array; `csv`: a row of names, then rows. */
  format?: 'jsonl' | 'json' | 'csv';
  /**
   * Of Extended JSON. `canonical` (default) loses nothing; `relaxed`, mongoexport's own default, has numbers and dates as
   * people write them, and an int64 that is small comes back as an int32.
   */
  jsonFormat?: 'canonical' | 'relaxed';
  /** The columns of CSV, which needs them; dots reach into documents and, by number, arrays. */
  fields?: readonly string[];
  /** Only the documents that match. */
  query?: mongo.Filter<mongo.Document>;
  /** Default false. */
  gzip?: boolean;
}

/** Options of `importCollection`. */
export interface ImportCollectionOptions extends BulkTaskOptions, AnyImportOptions, Pick<BulkSelection, 'transform'> {
  /**
   * `jsonl`: documents in Extended JSON one after the other, `json`: in an array; by default the first character tells
   * which of the two. `csv` has to be said.
   */
  format?: 'jsonl' | 'json' | 'csv';
  /**
   * Where in a JSON file the array of documents is, as in `data.items`; a number is a place in an array. Read with
   * stream-json, which is for ESM: not where modules cannot be imported, as in Jest with CommonJS.
   */
  pick?: string;
  /**
   * A document takes the place of the one with the same values of these fields, or is inserted where there is none; dots
   * reach into documents. One that has none of them goes by its `_id`. Default: all are inserted.
   */
  upsertFields?: readonly string[];
  /**
   * What the file is called. A document without an `_id` is given one made of its content, its place and this name: the same
   * line of a file of another name is another document.
   */
  fileName?: string;
}
