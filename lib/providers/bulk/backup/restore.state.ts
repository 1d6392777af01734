import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import { onShared } from '../../tenant/registry.collection.js';
import type { BackupManifest } from '../../tenant/tenant.backups.js';

/** Of a tenant's database: how far a restore, or a clone, is; and what is staged. Nothing of it is ever the tenant's own. */
export const STATE_COLLECTION = 'polymongo_restore';
const STAGED = 'polymongo_restored.';

/** That a clone has not ended. */
export interface CloneRecord {
  _id: 'clone';
  of: string;
}

interface RestoreRecord {
  _id: 'restore';
  /** SHA-256 of the backup's data. */
  sha256: string;
  /** Nothing of the tenant's has been touched while it is staged. */
  phase: 'staging' | 'swapping';
  /** Another restore had begun to swap and has not ended: what the tenant has is neither. */
  isHalf?: boolean;
  /** The places in the manifest of the collections that are staged whole. */
  staged: number[];
}

/** Collections of ours that come and go with a restore. */
export const isOfRestore = (name: string): boolean => name === STATE_COLLECTION || name.startsWith(STAGED);

/** A collection or view of a database. */
export interface Named {
  readonly name: string;
  readonly type?: string;
}

export const collectionsOf = ({ connection }: Database): Promise<Named[]> =>
  connection.db!.listCollections({}, { nameOnly: true }).toArray();

export const namesOf = (collections: readonly Named[]): string[] => collections.map(({ name }) => name);

/** What a tenant has of its own: neither ours nor, but for stored JavaScript, the server's. */
export const ownCollectionsOf = async (database: Database): Promise<Named[]> =>
  (await collectionsOf(database)).filter(
    ({ name }) => !isOfRestore(name) && (!name.startsWith('system.') || name === 'system.js'),
  );

/** What has begun to make a database and has not ended: the database is neither what it was nor what it is to be. */
export async function unfinishedIn(database: Database): Promise<'clone' | 'restore' | undefined> {
  const records = await onShared<StateRecord, StateRecord[]>(database, STATE_COLLECTION, (states) =>
    states.find().toArray(),
  );
  for (const record of records) if (record._id === 'clone' || isHalfSwapped(record)) return record._id;
  return undefined;
}

/** Under which name a collection is staged: short, whatever its own is. */
export const stagedName = (place: number): string => `${STAGED}${place}`;

/** One of the two. */
interface StateRecord extends Partial<Omit<RestoreRecord, '_id'>> {
  _id: 'clone' | 'restore';
}

const isHalfSwapped = ({ phase, isHalf = false }: Pick<StateRecord, 'phase' | 'isHalf'>): boolean =>
  phase === 'swapping' || isHalf;

/** How far the restore of one backup into one database is; written down there, so that any process can go on. */
export class RestoreState {
  private constructor(
    private readonly database: Database,
    private record: RestoreRecord,
  ) {}

  /** Goes on with a restore of the same backup; what another one staged is dropped. */
  static async begin(database: Database, manifest: BackupManifest): Promise<RestoreState> {
    const { sha256 } = manifest;
    const found = await RestoreState.find(database);
    if (found?.isOf(manifest)) return found;
    const isHalf = found?.isUnfinished === true;
    const state = new RestoreState(database, { _id: 'restore', sha256, phase: 'staging', staged: [], isHalf });
    await state.#write();
    if (found) await state.#dropStaged();
    return state;
  }

  static async find(database: Database): Promise<RestoreState | undefined> {
    const record = await onShared<RestoreRecord, RestoreRecord | null>(database, STATE_COLLECTION, (collection) =>
      collection.findOne({ _id: 'restore' }),
    );
    return record ? new RestoreState(database, record) : undefined;
  }

  /** It is of this backup. */
  isOf({ sha256 }: BackupManifest): boolean {
    return this.record.sha256 === sha256;
  }

  get isSwapping(): boolean {
    return this.record.phase === 'swapping';
  }

  /** The tenant has neither what it had nor all that it is to have. */
  get isUnfinished(): boolean {
    return isHalfSwapped(this.record);
  }

  isStaged(place: number): boolean {
    return this.record.staged.includes(place);
  }

  async stage(places: readonly number[]): Promise<void> {
    this.record = { ...this.record, staged: [...this.record.staged, ...places] };
    await this.#write();
  }

  async beginSwap(): Promise<void> {
    this.record = { ...this.record, phase: 'swapping' };
    await this.#write();
  }

  /** Takes away all that is staged, and last the record of it. */
  async clear(): Promise<void> {
    await this.#dropStaged();
    await this.database.connection.db!.dropCollection(STATE_COLLECTION);
  }

  async #dropStaged(): Promise<void> {
    const { db } = this.database.connection;
    for (const { name } of await collectionsOf(this.database))
      if (name.startsWith(STAGED)) await db!.dropCollection(name);
  }

  async #write(): Promise<void> {
    await this.#with((collection) => collection.replaceOne({ _id: 'restore' }, this.record, { upsert: true }));
  }

  #with<T>(fn: (collection: mongo.Collection<RestoreRecord>) => Promise<T>): Promise<T> {
    return onShared(this.database, STATE_COLLECTION, fn);
  }
}
