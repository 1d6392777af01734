import { BulkFormatError } from './bulk.errors.js';
import type { ImportOptions } from './bulk.types.js';
import { type BsonElement, documentOf, documentsIn, elementNamed, stringOf } from './codecs/bson-elements.js';
import { BsonType } from './codecs/bson-types.js';
import { InvalidBsonError } from './codecs/codec.errors.js';
import { checkIncluded, isSelected, NewNames } from './collection.selection.js';
import { SYSTEM_DATABASES } from './raw/raw-source.js';

/** A collection of the file. */
export interface Incoming {
  readonly source: string;
  readonly name: string;
  type: string;
  options: Buffer;
  indexes: readonly Buffer[];
  isMade: boolean;
  /** It was there before. */
  isFound: boolean;
  /** Of a time series in an archive: under which name its documents are. */
  namespace?: string;
  /** There can be no collection of its name. */
  isRefused: boolean;
}

const EMPTY = documentOf([]);

/** The collections of a file that are to be imported. */
export class IncomingCollections {
  private readonly collections = new Map<string, Incoming>();
  /** The database of the archive. */
  private database: string | undefined;

  private readonly newNames: NewNames;

  /** @throws BulkArgumentError where `rename` makes no sense */
  constructor(private readonly options: ImportOptions) {
    this.newNames = new NewNames(options);
  }

  /**
   * The collection of the file, or undefined where it is not to be imported.
   * @throws BulkFormatError where it is not said which database of several; BulkArgumentError where it would be mixed
   *   with another one
   */
  of(database: string | undefined, source: string): Incoming | undefined {
    if (!this.isWanted(database)) return undefined;
    if (!isSelected(this.options, source)) return undefined;
    let collection = this.collections.get(source);
    if (!collection) {
      const name = this.newNames.add(source);
      const unmade = { isMade: false, isFound: false, isRefused: false };
      collection = { source, name, type: 'collection', options: EMPTY, indexes: [], ...unmade };
      this.collections.set(source, collection);
    }
    return collection;
  }

  /** @throws BulkArgumentError where a collection is to be included that the file does not have */
  checkComplete(): void {
    checkIncluded(this.options, (name) => this.collections.has(name), 'The file');
  }

  /** Whether it is of the database that is imported; an archive may hold several, all told before their documents. */
  private isWanted(database: string | undefined): boolean {
    if (database === undefined) return true;
    const { sourceDatabase } = this.options;
    if (sourceDatabase !== undefined) return database === sourceDatabase;
    if (SYSTEM_DATABASES.includes(database)) return false;
    this.database ??= database;
    if (database === this.database) return true;
    const names = `"${this.database}", "${database}"`;
    throw new BulkFormatError(`the archive holds several databases (${names} …): say which with sourceDatabase`, {});
  }
}

/** Notes what the file says of a collection. */
export function setProperty(collection: Incoming, name: string, value: Buffer): void {
  const element = elementNamed(value, '')!;
  if (name === 'type') collection.type = stringOf(element) ?? 'collection';
  if (name === 'options' && element.type === BsonType.Document) collection.options = element.value;
  if (name === 'indexes') collection.indexes = indexesOf(collection, element);
}

function indexesOf({ source }: Incoming, element: BsonElement): Buffer[] {
  try {
    return documentsIn(element);
  } catch (error) {
    if (!(error instanceof InvalidBsonError)) throw error;
    throw new BulkFormatError(`"indexes": ${error.reason}`, { collection: source }, error);
  }
}
