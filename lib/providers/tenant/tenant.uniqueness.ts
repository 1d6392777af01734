import type { mongo } from 'mongoose';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { onRegistry, TENANTS_COLLECTION } from './registry.collection.js';
import { LookupCache } from './lookup.cache.js';
import { databaseKey } from '../../polymongo.database-key.js';
import { TenantDatabaseTakenError } from './tenant.errors.js';
import { TenantDuplicatesError } from './tenant-work.errors.js';

interface DatabaseRecord {
  _id: string;
  database: string;
  databaseKey?: string;
}

const INDEX: mongo.IndexDescription = {
  key: { databaseKey: 1 },
  name: 'one_tenant_a_database',
  unique: true,
  partialFilterExpression: { databaseKey: { $type: 'string' } },
};
const DUPLICATE_KEY = 11000;
const UNKEYED = { databaseKey: { $exists: false } };
const UNKEYED_TTL_MS = 60_000;

/** Whose a database is, seen from a tenant; nobody's who is written down: `free`. */
export type DatabaseOwner = 'own' | 'free' | 'taken';

/** That no two provisioned tenants have the same database, in whatever process: a unique index of their records. */
export class DatabaseUniqueness {
  readonly #pools: PolyMongoPools;
  /** Records of earlier versions, which an index cannot find. */
  readonly #unkeyed = new LookupCache(() => this.#withoutKey(), UNKEYED_TTL_MS);
  #isChecked = false;
  #made: Promise<void> | undefined;

  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
  }

  /** Has duplicates reported that are there already, in the background. */
  checkOnce(): void {
    if (this.#isChecked) return;
    this.#isChecked = true;
    asNobody(() => this.#report()).catch(() => (this.#isChecked = false)); // the next one tries again
  }

  /** Whose a database is by the records. Writes nothing. */
  async ownerOf(database: string, tenantId: string): Promise<DatabaseOwner> {
    const key = databaseKey(database);
    const isOfKey = { databaseKey: { $eq: key, $type: 'string' as const } }; // as the index has it
    const [keyed, unkeyed] = await Promise.all([
      this.#with((tenants) => tenants.find(isOfKey, { projection: { database: 1 } }).toArray()),
      this.#unkeyed.get(''),
    ]);
    const ids = new Set(
      [...keyed, ...unkeyed.filter((record) => databaseKey(record.database) === key)].map(({ _id }) => _id),
    );
    if (!ids.has(tenantId)) return ids.size > 0 ? 'taken' : 'free';
    return ids.size > 1 ? 'free' : 'own'; // duplicates of earlier versions: whoever comes first
  }

  /** @throws TenantDatabaseTakenError when another tenant's record has this database */
  async assertSole(tenantId: string, database: string): Promise<void> {
    await (this.#made ??= asNobody(() => this.#make()).catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    }));
    // The index says so too, unless duplicates have kept it from being made.
    const other = await this.#with((tenants) =>
      tenants.findOne({ _id: { $ne: tenantId }, databaseKey: databaseKey(database) }),
    );
    if (other) throw new TenantDatabaseTakenError(database);
  }

  async #make(): Promise<void> {
    await this.#fillIn();
    try {
      await this.#with((tenants) => tenants.createIndexes([INDEX]));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      await this.#report();
    }
  }

  /** Gives the records of earlier versions their key. */
  async #fillIn(): Promise<void> {
    const records = await this.#withoutKey();
    if (records.length === 0) return;
    const updates = records.map(({ _id, database }) => ({
      updateOne: { filter: { _id, ...UNKEYED }, update: { $set: { databaseKey: databaseKey(database) } } },
    }));
    await this.#with(async (tenants) => {
      try {
        await tenants.bulkWrite(updates, { ordered: false });
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        await this.#report();
      }
    });
  }

  #withoutKey(): Promise<DatabaseRecord[]> {
    return this.#with((tenants) => tenants.find(UNKEYED, { projection: { database: 1 } }).toArray());
  }

  async #report(): Promise<void> {
    const projection = { database: 1 };
    const records = await this.#with((tenants) => tenants.find({}, { projection }).sort({ _id: 1 }).toArray());
    const tenants = new Map<string, string[]>();
    for (const { _id, database } of records) {
      const key = databaseKey(database);
      tenants.set(key, [...(tenants.get(key) ?? []), _id]);
    }
    const shared = new Map([...tenants].filter(([, ids]) => ids.length > 1));
    if (shared.size === 0) return;
    const error = new TenantDuplicatesError(shared);
    this.#pools.events.emit('error', { db: this.#pools.options.defaultDB, error, during: 'check of the tenants' });
  }

  #with<T>(fn: (tenants: mongo.Collection<DatabaseRecord>) => Promise<T>): Promise<T> {
    return onRegistry(this.#pools, TENANTS_COLLECTION, fn);
  }
}

/** The server refuses a second document of this key; of any unique key when none is named. */
export function isDuplicateKey(error: unknown, key?: string): boolean {
  const { code, keyPattern } = error as { code?: unknown; keyPattern?: object };
  return code === DUPLICATE_KEY && (key === undefined || Object.hasOwn(keyPattern ?? {}, key));
}
