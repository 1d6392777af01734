import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import type { BulkReadOptions } from '../bulk.types.js';
import { checkIncluded, isSelected, NewNames, ownValue } from '../collection.selection.js';
import { BulkArgumentError, BulkReadError } from '../bulk.errors.js';
import { dataCollectionOf } from '../codecs/archive.format.js';
import { documentOf, elementNamed, stringOf } from '../codecs/bson-elements.js';
import { BsonType } from '../codecs/bson-types.js';
import type { CollectionDefinition } from '../codecs/collection.definition.js';
import { isNonce } from './cluster.identity.js';
import { mapAtMost } from './map-at-most.js';

const BATCH_DOCUMENTS = 1000;
/** Two batches are in memory at a time. */
const BATCH_BYTES = 4 * 1024 * 1024;
const VIEW = 'view';
/** Questions about collections that are asked at a time: all at once they would wait for sockets until they fail. */
const METADATA_CONCURRENCY = 4;

interface CollectionSize {
  readonly count: number;
  /** Bytes of BSON. */
  readonly size: number;
}

/** Reads a database as raw BSON: what its collections are, and their documents. */
export class RawSource {
  private session: mongo.ClientSession | undefined;
  private readonly sizes = new Map<string, Promise<CollectionSize>>();

  constructor(
    readonly database: Database,
    private readonly options: BulkReadOptions,
  ) {}

  /** Begins a snapshot if one is asked for. To be ended with `close()`. */
  async open(): Promise<void> {
    if (this.options.snapshot) this.session = await this.database.connection.startSession({ snapshot: true });
  }

  async close(): Promise<void> {
    await this.session?.endSession();
  }

  /** The selected collections by name, views last. */
  async definitions(): Promise<CollectionDefinition[]> {
    const { db } = this.database.connection;
    const infos = (await db!.listCollections({}, { raw: true } as never).toArray()) as unknown as Buffer[];
    const byName = new Map(infos.map((info) => [stringOf(elementNamed(info, 'name'))!, info]));
    checkIncluded(this.options, (name) => byName.has(name), `The database ${this.database.name}`);
    const selected = [...byName].filter(([name]) => isSelected(this.options, name) && !isNonce(name));
    const newNames = new NewNames(this.options);
    for (const [name] of selected) newNames.add(name);
    const definitions = await mapAtMost(METADATA_CONCURRENCY, selected, ([, info]) => this.definition(info));
    const order = ({ name, type }: CollectionDefinition) => `${type === VIEW ? 1 : 0}${name}`;
    return definitions.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** A collection or view by its name, if it is there. */
  async find(name: string): Promise<CollectionDefinition | undefined> {
    const { db } = this.database.connection;
    const [info] = (await db!.listCollections({ name }, { raw: true } as never).toArray()) as unknown as Buffer[];
    return info && this.definition(info);
  }

  private async definition(info: Buffer): Promise<CollectionDefinition> {
    this.options.signal?.throwIfAborted();
    const name = stringOf(elementNamed(info, 'name'))!;
    const type = stringOf(elementNamed(info, 'type')) ?? 'collection';
    const details = elementNamed(info, 'info');
    const uuid = details?.type === BsonType.Document ? elementNamed(details.value, 'uuid') : undefined;
    return {
      name,
      type,
      options: elementNamed(info, 'options')?.value ?? documentOf([]),
      indexes: type === VIEW ? [] : await this.indexes(name),
      ...(uuid?.type === BsonType.Binary && { uuid: uuid.value.toString('hex', 5) }),
    };
  }

  /**
   * Makes sure that the server shows where a time series keeps its data.
   * @throws BulkArgumentError otherwise: without it an archive would be without the documents
   */
  async checkBuckets({ name, type }: CollectionDefinition): Promise<void> {
    const { db } = this.database.connection;
    const buckets = dataCollectionOf({ name, type });
    if (buckets === name || (await db!.listCollections({ name: buckets }, { nameOnly: true }).hasNext())) return;
    throw new BulkArgumentError(
      `An archive keeps the time series ${name} as its buckets, and this server shows no ${buckets}: export it as JSON, or exclude it.`,
    );
  }

  private async indexes(name: string): Promise<Buffer[]> {
    const cursor = this.database.connection.db!.collection(name).listIndexes({ raw: true } as never);
    return (await cursor.toArray()) as unknown as Buffer[];
  }

  /** About how much will be read; bytes only where no query makes it less. */
  async totals(
    definitions: readonly CollectionDefinition[],
  ): Promise<{ documents: number; bytes: number | undefined }> {
    const stored = definitions.filter(({ type }) => type !== VIEW);
    const sizes = await mapAtMost(METADATA_CONCURRENCY, stored, ({ name }) => this.expected(name));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      documents: sum(sizes.map(({ count }) => count)),
      bytes: sizes.some(({ size }) => size === undefined) ? undefined : sum(sizes.map(({ size }) => size!)),
    };
  }

  private async expected(name: string): Promise<{ count: number; size: number | undefined }> {
    this.options.signal?.throwIfAborted();
    const query = ownValue(this.options.query, name);
    if (!query) return this.sizeOf(name);
    return { count: await this.database.connection.collection(name).countDocuments(query), size: undefined };
  }

  /** What the server keeps account of; zeros where it does not tell. */
  private sizeOf(collection: string): Promise<CollectionSize> {
    let size = this.sizes.get(collection);
    if (!size) this.sizes.set(collection, (size = this.askSize(collection)));
    return size;
  }

  private async askSize(collection: string): Promise<CollectionSize> {
    const stats = this.database.connection.collection(collection).aggregate([{ $collStats: { storageStats: {} } }]);
    const [found] = await stats.toArray().catch(() => []);
    const { count = 0, size = 0 } = (found?.['storageStats'] ?? {}) as Partial<CollectionSize>;
    return { count, size };
  }

  /**
   * The documents of a collection in batches of at most a thousand; while one is worked on the next is fetched.
   * @throws BulkReadError, and never ends early without one; the signal's reason
   */
  async *batches(collection: string, queried = collection): AsyncGenerator<Buffer[], void> {
    const { query, signal } = this.options;
    const { count, size } = await this.sizeOf(collection);
    const fitting = count > 0 && size > 0 ? Math.floor((BATCH_BYTES * count) / size) : BATCH_DOCUMENTS;
    const cursor = this.database.connection.collection(collection).find(ownValue(query, queried) ?? {}, {
      raw: true,
      batchSize: Math.min(BATCH_DOCUMENTS, Math.max(1, fitting)),
      ...(this.session && { session: this.session }),
    });
    let read = 0;
    const fetch = () =>
      cursor.hasNext().catch((error: unknown) => {
        throw new BulkReadError(queried, read + 1, error);
      });
    try {
      let hasMore = fetch();
      while (await hasMore) {
        signal?.throwIfAborted();
        const batch = cursor.readBufferedDocuments() as unknown as Buffer[];
        read += batch.length;
        hasMore = fetch();
        hasMore.catch(() => undefined); // awaited in the next round, unless the reader stops before
        yield batch;
      }
      signal?.throwIfAborted();
    } finally {
      await cursor.close();
    }
  }
}

/** Databases that belong to the server. */
export const SYSTEM_DATABASES: readonly string[] = ['admin', 'local', 'config'];
