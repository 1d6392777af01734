import type { Database } from '../../databases/database.js';
import { BulkArgumentError, BulkFormatError, BulkWriteError } from '../bulk.errors.js';
import { dataCollectionOf } from '../codecs/archive.format.js';
import { elementNamed, stringOf } from '../codecs/bson-elements.js';
import type { CollectionDefinition } from '../codecs/collection.definition.js';
import { decodeRaw } from './raw-document.js';

const [NAMESPACE_NOT_FOUND, NAMESPACE_EXISTS] = [26, 48];
/** What a collection that is there can still be given (MongoDB manual, "collMod"). */
const CHANGEABLE = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages'];

/** An index that could not be made. */
export interface RefusedIndex {
  readonly name: string;
  readonly code: number | undefined;
  readonly message: string;
}

/** Makes collections, views and indexes on a database. */
export class RawTarget {
  constructor(readonly database: Database) {}

  /**
   * Makes a collection, view or time series with all its options, unless there is one of that name, which stays.
   * @returns whether it was made
   * @throws BulkWriteError
   */
  async create({ name, options }: Pick<CollectionDefinition, 'name' | 'options'>): Promise<boolean> {
    try {
      // A file's options decide neither which collection is made nor how.
      const { create: _, ...own } = decodeRaw(options);
      await this.command({ create: name, ...own });
      return true;
    } catch (error) {
      const { code, message } = error as { code?: number; message: string };
      if (code === NAMESPACE_EXISTS) return false;
      throw new BulkWriteError(message, { collection: name }, code, error);
    }
  }

  /** Drops a collection or a view, if it is there. @throws BulkWriteError */
  async drop(name: string): Promise<void> {
    try {
      await this.database.connection.collection(name).drop();
    } catch (error) {
      const { code, message } = error as { code?: number; message: string };
      if (code !== NAMESPACE_NOT_FOUND) throw new BulkWriteError(message, { collection: name }, code, error);
    }
  }

  /**
   * Gives a collection that is there the options that one can still be given.
   * @throws BulkFormatError where others are among them; nothing is changed then
   */
  async changeOptions(
    { name, options }: Pick<CollectionDefinition, 'name' | 'options'>,
    dryRun = false,
  ): Promise<void> {
    const changes = decodeRaw(options);
    const late = Object.keys(changes).filter((option) => !CHANGEABLE.includes(option));
    if (late.length > 0) {
      const reason = `"options" come after "documents" in the file, too late for ${late.join(', ')}: put them before`;
      throw new BulkFormatError(reason, { collection: name });
    }
    if (!dryRun && Object.keys(changes).length > 0) await this.command({ collMod: name, ...changes });
  }

  /** Makes the indexes as they are specified; those that are there with the same specification are left. */
  async createIndexes(
    collection: string,
    specifications: readonly Uint8Array[],
  ): Promise<{ count: number; refused: RefusedIndex[] }> {
    const own = specifications.filter((specification) => !isMadeByServer(specification));
    const madeByServer = specifications.length - own.length;
    if (own.length === 0) return { count: madeByServer, refused: [] };
    const indexes = own.map((specification) => {
      const { ns: _, ...index } = decodeRaw(specification); // `ns` is from servers before 4.4
      return index;
    });
    try {
      await this.command({ createIndexes: collection, indexes });
      return { count: specifications.length, refused: [] };
    } catch {
      return this.createOneByOne(collection, indexes, madeByServer);
    }
  }

  private async createOneByOne(collection: string, indexes: readonly { name?: string }[], madeByServer: number) {
    const refused: RefusedIndex[] = [];
    for (const index of indexes) {
      try {
        await this.command({ createIndexes: collection, indexes: [index] });
      } catch (error) {
        const { code, message } = error as { code?: number; message: string };
        refused.push({ name: index.name ?? '', code, message });
      }
    }
    return { count: madeByServer + indexes.length - refused.length, refused };
  }

  /**
   * The collection in which the server keeps a time series' buckets, where it shows one.
   * @throws BulkArgumentError otherwise: buckets written beside it would not be seen again
   */
  async bucketsOf(name: string): Promise<string> {
    const buckets = dataCollectionOf({ name, type: 'timeseries' });
    const { db } = this.database.connection;
    if (await db!.listCollections({ name: buckets }, { nameOnly: true }).hasNext()) return buckets;
    throw new BulkArgumentError(
      `The archive has the time series ${name} as its buckets, and this server shows no ${buckets}: import it from JSON, or exclude it.`,
    );
  }

  private async command(command: Record<string, unknown>): Promise<void> {
    const { database } = this;
    await database.run(() => database.send(async () => database.connection.db!.command(command)));
  }
}

/** `_id_` comes with its collection, and so does the index of a clustered one. */
const isMadeByServer = (specification: Uint8Array): boolean =>
  stringOf(elementNamed(specification, 'name')) === '_id_' || elementNamed(specification, 'clustered') !== undefined;
