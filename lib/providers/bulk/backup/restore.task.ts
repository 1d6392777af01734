import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import type { BackupCollection, BackupManifest } from '../../tenant/tenant.backups.js';
import type { BulkSummary, ImportOptions } from '../bulk.types.js';
import { BackupDamagedError, TenantNotEmptyError } from './backup.errors.js';
import { namesOf, ownCollectionsOf, stagedName, RestoreState } from './restore.state.js';

const NAMESPACE_NOT_FOUND = 26;
const NAMESPACE_EXISTS = 48;

/** What a restore reads the backup by, and puts the tenant out of service with. */
export interface RestoreHost {
  readonly database: Database;
  readonly signal: AbortSignal | undefined;
  /** The tenant that is restored. */
  readonly tenantId: string;
  /** What it has may be replaced. */
  readonly drop: boolean;
  /** Imports some of the backup's collections. @throws BackupDamagedError where it is not the one that was verified */
  load(options: Pick<ImportOptions, 'include' | 'rename'>): Promise<BulkSummary>;
  /** Nothing of the tenant runs anywhere, from now on. */
  suspend(): Promise<void>;
  /** To be asked before each step that somebody who has taken over must not see. @throws TenantTakenOverError */
  renew(): Promise<void>;
}

/**
 * Restores a backup that is known to be whole: loads it beside what is there, then suspends the tenant and puts it in
 * its place. Each step can be the last one of this process; another restore of the same backup goes on behind it.
 */
export class RestoreTask {
  /** The tenant has neither what it had nor all that it is to have. */
  isUnfinished = false;
  private readonly collections: readonly BackupCollection[];

  constructor(
    private readonly host: RestoreHost,
    private readonly manifest: BackupManifest,
  ) {
    this.collections = manifest.collections;
  }

  async run(): Promise<void> {
    const { host, manifest } = this;
    const found = await RestoreState.find(host.database);
    this.isUnfinished = found?.isUnfinished === true;
    const isGoingOn = found?.isSwapping === true && found.isOf(manifest);
    if (!isGoingOn) await this.assertMayReplace();
    const state = await RestoreState.begin(host.database, manifest);
    if (!isGoingOn) await this.stage(state);
    await host.suspend();
    host.signal?.throwIfAborted();
    if (!isGoingOn) await this.assertMayReplace(); // somebody may have written before that
    await host.renew();
    this.isUnfinished = true;
    await state.beginSwap();
    await this.swap();
    await host.renew();
    await state.clear();
  }

  /** A time series cannot be renamed (MongoDB manual, "Time Series Collection Limitations"), and a view has no documents. */
  private isStageable({ type, name }: BackupCollection): boolean {
    return type === 'collection' && !name.startsWith('system.');
  }

  /** @throws TenantNotEmptyError */
  private async assertMayReplace(): Promise<void> {
    const { drop, tenantId } = this.host;
    const found = drop ? [] : await ownCollectionsOf(this.host.database);
    if (found.length > 0) throw new TenantNotEmptyError(tenantId, namesOf(found));
  }

  private async stage(state: RestoreState): Promise<void> {
    const places = this.collections.flatMap((collection, place) =>
      this.isStageable(collection) && !state.isStaged(place) ? [place] : [],
    );
    if (places.length === 0) return;
    for (const place of places) await this.drop(stagedName(place)); // half of it may be there
    const names = places.map((place) => this.collections[place]!.name);
    const rename = Object.fromEntries(places.map((place) => [this.collections[place]!.name, stagedName(place)]));
    const summary = await this.host.load({ include: names, rename });
    this.compare(summary);
    await this.host.renew();
    await state.stage(places);
  }

  /**
   * What was loaded is what the backup has, before anything is put in its place. By what the server took: what a TTL index
   * has deleted since is no loss.
   * @throws BackupDamagedError
   */
  private compare({ collections }: BulkSummary): void {
    const loaded = new Map(collections.map(({ name, documents }) => [name, documents]));
    const differences = this.collections.flatMap(({ name, documents }, place) => {
      const count = loaded.get(stagedName(place));
      return count === undefined || count === documents ? [] : [`${name}: ${count} documents, not ${documents}`];
    });
    if (differences.length > 0) throw new BackupDamagedError(this.manifest.tenantId, differences);
  }

  /** Every step may have been done before. */
  private async swap(): Promise<void> {
    const wanted = new Set(this.collections.filter(({ type }) => type !== 'view').map(({ name }) => name));
    if (this.host.drop)
      for (const { name, type } of await ownCollectionsOf(this.host.database))
        if (type === 'view' || !wanted.has(name)) await this.drop(name);
    for (const [place, collection] of this.collections.entries()) {
      if (this.isStageable(collection)) await this.putInPlace(stagedName(place), collection.name);
    }
    const others = this.collections.filter((collection) => !this.isStageable(collection)).map(({ name }) => name);
    for (const name of others) await this.drop(name);
    if (others.length > 0) await this.host.load({ include: others });
  }

  /** A swap that was done before has nothing staged any more. */
  private async putInPlace(staged: string, name: string): Promise<void> {
    await this.host.renew();
    const { drop, tenantId } = this.host;
    await this.db.renameCollection(staged, name, { dropTarget: drop }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === NAMESPACE_EXISTS) throw new TenantNotEmptyError(tenantId, [name]);
      ignoreMissing(error);
    });
  }

  private async drop(name: string): Promise<void> {
    await this.host.renew();
    await this.db.dropCollection(name).catch(ignoreMissing);
  }

  private get db(): mongo.Db {
    return this.host.database.connection.db!;
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as { code?: unknown }).code !== NAMESPACE_NOT_FOUND) throw error;
}
