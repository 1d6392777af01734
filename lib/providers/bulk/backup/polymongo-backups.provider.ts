import { check, checks, checkOptions, oneOf, type Check, type Checks } from '../../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../../polymongo.errors.js';
import type { Database } from '../../databases/database.js';
import type { PolyMongoPools } from '../../pools/polymongo-pools.provider.js';
import type { PolyMongoTenants } from '../../tenant/polymongo-tenants.provider.js';
import { SuspensionOffError, TenantUnfinishedError } from '../../tenant/suspension.errors.js';
import type {
  BackupManifest,
  BackupOptions,
  BackupSource,
  CloneOptions,
  RestoreOptions,
  TenantBackups,
  TenantRestoration,
  VerifyOptions,
} from '../../tenant/tenant.backups.js';
import type { TenantDatabases } from '../../tenant/tenant.databases.js';
import type { TenantDirectory } from '../../tenant/tenant.directory.js';
import { TenantTakenOverError } from '../../tenant/tenant-work.errors.js';
import { checkForEachOptions, fanOut, type ForEachOptions, type TenantTask } from '../../tenant/tenant.fan-out.js';
import { TenantRun } from '../../tenant/tenant.run.js';
import type { TenantSuspensions } from '../../tenant/tenant.suspensions.js';
import type { BulkSummary, ExportStreamOptions, ImportOptions } from '../bulk.types.js';
import { serverVersionOf } from '../raw/cluster.identity.js';
import type { PolyMongoBulk } from '../polymongo-bulk.provider.js';
import type { BackupContents } from './backup.contents.js';
import { BackupDamagedError, TenantNotEmptyError } from './backup.errors.js';
import { backupsIn, openPart } from './backup.place.js';
import { backUp, expiredOr } from './backup.task.js';
import { CloneTask } from './clone.task.js';
import { CountedBytes } from './counted.bytes.js';
import { collectionsOf, isOfRestore, namesOf, ownCollectionsOf, unfinishedIn } from './restore.state.js';
import { RestoreTask } from './restore.task.js';
import { verifyBackup } from './verify.task.js';
import { delay } from '../../../polymongo.clock.js';

/** What the backups are made with. */
export interface BackupParts {
  readonly pools: PolyMongoPools;
  readonly bulk: PolyMongoBulk;
  readonly tenants: PolyMongoTenants;
  readonly databases: TenantDatabases;
  readonly directory: TenantDirectory;
  readonly suspensions: TenantSuspensions;
}

/** Why a tenant is suspended where a restore holds it, and nobody else. */
const RESTORING = 'being restored';

const place = (allowed: string): Check => ({
  allowed,
  accepts: (v) => typeof v === 'function' || (typeof v === 'string' && v !== ''),
});
const WHILE: Checks<{ signal?: AbortSignal; timeoutMS?: number }> = {
  signal: checks.abortSignal,
  timeoutMS: checks.durationMS,
};
const BACKUP_CHECKS: Checks<Omit<BackupOptions, keyof ForEachOptions>> = {
  to: place('a folder, or a function that opens a stream to write to'),
  format: oneOf('archive', 'json'),
  snapshot: checks.boolean,
};
const FROM = place('a folder, or a function that opens a stream to read');
const VERIFY_CHECKS: Checks<Pick<VerifyOptions, 'from'>> = { from: FROM };
const RESTORE_CHECKS: Checks<RestoreOptions> = { ...WHILE, from: FROM, as: checks.string, drop: checks.boolean };
const CLONE_CHECKS: Checks<CloneOptions> = { ...WHILE, snapshot: checks.boolean };

/** Backups of tenants, in files of their own, and what is made of them. */
export class PolyMongoBackups implements TenantBackups {
  constructor(private readonly parts: BackupParts) {}

  backup({ to, format, snapshot, ...options }: BackupOptions): TenantRun<BackupManifest> {
    const { directory } = this.parts;
    const own = { to, ...(format && { format }), ...(snapshot !== undefined && { snapshot }) };
    check('backup.', own, BACKUP_CHECKS, ['to']);
    return this.#each(options, (tenantId, signal) =>
      directory.lookAt(tenantId, (database) =>
        database.run(() => this.#backUp(tenantId, database, own, signal), 'long'),
      ),
    );
  }

  verify({ from, ...options }: VerifyOptions): TenantRun<BackupManifest> {
    check('verify.', { from }, VERIFY_CHECKS, ['from']);
    checkForEachOptions(options);
    const { tenants: named, ...rest } = options;
    const { tenants } = this.parts;
    return new TenantRun(async function* (signal) {
      const found = typeof from === 'string' ? backupsIn(from) : tenants.list();
      const ids = [...new Set(named ?? (await found))];
      yield* fanOut(ids, (tenantId, context) => verifyBackup(tenantId, from, context.signal), { ...rest, signal });
    }, options.signal);
  }

  async restore(tenantId: string, options: RestoreOptions): Promise<TenantRestoration> {
    checkOptions('restore.', options, RESTORE_CHECKS, ['from']);
    const { from, as = tenantId, drop = false, timeoutMS = 60_000, signal } = options;
    const { databases, tenants, pools, suspensions } = this.parts;
    const name = databases.of(as);
    const manifest = await verifyBackup(tenantId, from, signal ?? new AbortController().signal);
    const database = pools.database(name);
    await tenants.fill(as, 'restore', timeoutMS, ({ isServed, ...hold }) =>
      database.run(async () => {
        const isReplacing = await this.#isReplacing(as, database, isServed);
        const load = (wanted: ImportOptions) =>
          this.#load(name, tenantId, from, manifest, { ...wanted, guard: hold.assertFresh, ...(signal && { signal }) });
        const suspend = async () => (isReplacing ? this.#suspend(as) : undefined);
        const task = new RestoreTask(
          { database, tenantId: as, signal, drop, load, suspend, renew: hold.renew },
          manifest,
        );
        try {
          await task.run();
        } catch (error) {
          if (error instanceof TenantTakenOverError) throw error; // whoever has it goes on
          if (!task.isUnfinished && isReplacing) await suspensions.release(as, false).catch(() => {});
          if (!task.isUnfinished || error instanceof TenantNotEmptyError) throw error;
          throw new TenantUnfinishedError(as, 'restore', { cause: error });
        }
        database.forgetContents();
        if (suspensions.isOn) await suspensions.release(as, true);
      }, 'long'),
    );
    return { tenantId: as, database: name, collections: manifest.collections };
  }

  async clone(tenantId: string, newId: string, options: CloneOptions): Promise<TenantRestoration> {
    checkOptions('clone.', options, CLONE_CHECKS);
    const { snapshot = true, timeoutMS = 60_000, signal } = options;
    const { databases, directory, tenants, pools, bulk } = this.parts;
    if (tenantId === newId)
      throw new PolyMongoOptionsError('clone.newId', `Tenant ${tenantId} cannot be cloned to itself: give a new id.`);
    await directory.findAnew(tenantId);
    const name = databases.of(newId);
    const database = pools.database(name);
    const summary = await tenants.fill(newId, 'clone', timeoutMS, ({ renew, assertFresh: guard }) => {
      const copying = { snapshot, bypassDocumentValidation: true, guard, ...(signal && { signal }) };
      const copy = async (source: Database) => {
        const exclude = await source.run(() => this.#leftOut(tenantId, source));
        return bulk.copyDatabase(source.name, name, { ...copying, exclude }).catch((error: unknown) => {
          throw expiredOr(tenantId, error);
        });
      };
      return database.run(
        () => new CloneTask(tenantId, newId, database, () => directory.lookAt(tenantId, copy, newId), renew).run(),
        'long',
      );
    });
    return { tenantId: newId, database: name, collections: summary.collections };
  }

  /** Reads the backup again, and makes sure that it is the one that was verified. */
  async #load(
    name: string,
    tenantId: string,
    from: BackupSource,
    { format, sha256 }: BackupManifest,
    wanted: ImportOptions,
  ): Promise<BulkSummary> {
    const counted = new CountedBytes();
    const data = await openPart(from, tenantId, 'data', format, wanted.signal);
    const source = counted.through(data);
    try {
      const summary = await this.parts.bulk.importStream(name, source, { ...wanted, bypassDocumentValidation: true });
      for await (const _ of source); // what comes after its end
      if (counted.digest() !== sha256)
        throw new BackupDamagedError(tenantId, ['it was whole, and another one when it was read again']);
      return summary;
    } finally {
      data.destroy();
    }
  }

  async #backUp(
    tenantId: string,
    database: Database,
    own: BackupOptions,
    signal: AbortSignal,
  ): Promise<BackupManifest> {
    const { tenants, bulk } = this.parts;
    const exclude = await this.#leftOut(tenantId, database);
    const subject = {
      tenantId,
      database: database.name,
      serverVersion: await serverVersionOf(database),
      migration: await tenants.versionOf(tenantId),
      read: (given: ExportStreamOptions, contents: BackupContents) =>
        bulk.exportWitnessed(database.name, { ...given, exclude }, contents),
    };
    return backUp(subject, own, signal);
  }

  #each<T>(options: ForEachOptions, task: (tenantId: string, signal: AbortSignal) => Promise<T>): TenantRun<T> {
    checkForEachOptions(options);
    const visit: TenantTask<T> = (tenantId, context) => task(tenantId, context.signal);
    return new TenantRun((signal) => this.parts.tenants.maintain(visit, { ...options, signal }), options.signal);
  }

  /**
   * The collections of ours that are none of the tenant's.
   * @throws TenantUnfinishedError where it is neither what it was nor what it is to be
   */
  async #leftOut(tenantId: string, database: Database): Promise<string[]> {
    const making = await unfinishedIn(database);
    if (making) throw new TenantUnfinishedError(tenantId, making);
    return namesOf(await collectionsOf(database)).filter(isOfRestore);
  }

  /**
   * Whether somebody has to be kept out while a restore is put in its place.
   * @throws SuspensionOffError
   */
  async #isReplacing(tenantId: string, database: Database, isServed: boolean): Promise<boolean> {
    const { isOn } = this.parts.suspensions;
    const isEmpty = (await ownCollectionsOf(database)).length === 0;
    if (isEmpty && (await unfinishedIn(database)) !== 'restore') return isServed && isOn;
    if (!isOn) throw new SuspensionOffError(tenantId);
    return true;
  }

  /** Resolves when nobody is let in, and what had begun before has had `shutdownTimeoutMS` to end. */
  async #suspend(tenantId: string): Promise<void> {
    const { suspensions, pools } = this.parts;
    await suspensions.add(tenantId, RESTORING, 'restore');
    await delay(pools.options.shutdownTimeoutMS);
  }
}
