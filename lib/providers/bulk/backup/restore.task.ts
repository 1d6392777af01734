import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import type { BackupCollection, BackupManifest } from '../../tenant/tenant.backups.js';
import type { ImportOptions } from '../bulk.types.js';
import { BackupDamagedError } from './backup.errors.js';
import { isOfRestore, stagedName, RestoreState } from './restore.state.js';

const NAMESPACE_NOT_FOUND = 26;

/** What a restore reads the backup by, and puts the tenant out of service with. */
export interface RestoreHost {
  readonly database: Database;
  readonly signal: AbortSignal | undefined;
  /** Imports some of the backup's collections. */
  load(options: Pick<ImportOptions, 'include' | 'rename' | 'signal'>): Promise<unknown>;
  /** Nothing of the tenant runs anywhere, from now on. */
  suspend(): Promise<void>;
}

/**
 * Restores a backup that is known to be whole: loads it beside what is there, then suspends the tenant and puts it in
 * its place. Each step can be the last one of this process; another restore of the same backup goes on behind it.
 */
export class RestoreTask {
  private readonly collections: readonly BackupCollection[];

  constructor(
    private readonly host: RestoreHost,
    private readonly manifest: BackupManifest,
  ) {
    this.collections = manifest.collections;
  }

  async run(): Promise<void> {
    const state = await RestoreState.begin(this.host.database, this.manifest);
    if (!state.isSwapping) {
      await this.stage(state);
      await this.compare();
    }
    await this.host.suspend();
    this.host.signal?.throwIfAborted();
    await state.beginSwap();
    await this.swap();
    await state.clear();
  }

  /** A time series cannot be renamed (MongoDB manual, "Time Series Collection Limitations"), and a view has no documents. */
  private isStageable({ type }: BackupCollection): boolean {
    return type === 'collection';
  }

  private async stage(state: RestoreState): Promise<void> {
    const places = this.collections.flatMap((collection, place) =>
      this.isStageable(collection) && !state.isStaged(place) ? [place] : [],
    );
    if (places.length === 0) return;
    for (const place of places) await this.drop(stagedName(place)); // half of it may be there
    const names = places.map((place) => this.collections[place]!.name);
    const rename = Object.fromEntries(places.map((place) => [this.collections[place]!.name, stagedName(place)]));
    const { signal } = this.host;
    await this.host.load({ include: names, rename, ...(signal && { signal }) });
    await state.stage(places);
  }

  /** What was staged is what the backup has, before anything is put in its place. @throws BackupDamagedError */
  private async compare(): Promise<void> {
    const differences: string[] = [];
    for (const [place, collection] of this.collections.entries()) {
      if (!this.isStageable(collection)) continue;
      const count = await this.db.collection(stagedName(place)).countDocuments({});
      if (count !== collection.documents)
        differences.push(`${collection.name}: ${count} documents, not ${collection.documents}`);
    }
    if (differences.length > 0) throw new BackupDamagedError(this.manifest.tenantId, differences);
  }

  /** Every step may have been done before. */
  private async swap(): Promise<void> {
    const wanted = new Set(this.collections.filter(({ type }) => type !== 'view').map(({ name }) => name));
    const infos = await this.db.listCollections({}, { nameOnly: true }).toArray();
    for (const { name, type } of infos) {
      if (isOfRestore(name) || name.startsWith('system.')) continue;
      if (type === 'view' || !wanted.has(name)) await this.drop(name);
    }
    for (const [place, collection] of this.collections.entries()) {
      if (this.isStageable(collection)) await this.putInPlace(stagedName(place), collection.name);
    }
    const others = this.collections.filter((collection) => !this.isStageable(collection)).map(({ name }) => name);
    for (const name of others) await this.drop(name);
    if (others.length > 0) await this.host.load({ include: others });
  }

  /** A swap that was done before has nothing staged any more. */
  private async putInPlace(staged: string, name: string): Promise<void> {
    try {
      await this.db.renameCollection(staged, name, { dropTarget: true });
    } catch (error) {
      if ((error as { code?: unknown }).code !== NAMESPACE_NOT_FOUND) throw error;
    }
  }

  private async drop(name: string): Promise<void> {
    await this.db.dropCollection(name).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== NAMESPACE_NOT_FOUND) throw error;
    });
  }

  private get db(): mongo.Db {
    return this.host.database.connection.db!;
  }
}
