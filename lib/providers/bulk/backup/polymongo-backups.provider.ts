import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { check, checks, checkOptions, oneOf, type Check, type Checks } from '../../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../../polymongo.errors.js';
import type { Database } from '../../databases/database.js';
import type { PolyMongoPools } from '../../pools/polymongo-pools.provider.js';
import type { PolyMongoTenants } from '../../tenant/polymongo-tenants.provider.js';
import { SuspensionOffError } from '../../tenant/suspension.errors.js';
import type {
  BackupManifest,
  BackupOptions,
  CloneOptions,
  RestoreOptions,
  TenantBackups,
  TenantRestoration,
  VerifyOptions,
} from '../../tenant/tenant.backups.js';
import { managerScope, type TenantContext } from '../../tenant/tenant.context.js';
import type { TenantDatabases } from '../../tenant/tenant.databases.js';
import type { TenantDirectory } from '../../tenant/tenant.directory.js';
import { checkForEachOptions, fanOut, type ForEachOptions } from '../../tenant/tenant.fan-out.js';
import { TenantRun } from '../../tenant/tenant.run.js';
import type { TenantSuspensions } from '../../tenant/tenant.suspensions.js';
import type { ExportStreamOptions } from '../bulk.types.js';
import type { PolyMongoBulk } from '../polymongo-bulk.provider.js';
import type { BackupContents } from './backup.contents.js';
import { TenantNotEmptyError } from './backup.errors.js';
import { openPart } from './backup.place.js';
import { backUp } from './backup.task.js';
import { CloneTask } from './clone.task.js';
import { isOfRestore, RestoreState } from './restore.state.js';
import { RestoreTask } from './restore.task.js';
import { verifyBackup } from './verify.task.js';

/** What the backups are made with. */
export interface BackupParts {
  readonly pools: PolyMongoPools;
  readonly bulk: PolyMongoBulk;
  readonly tenants: PolyMongoTenants;
  readonly databases: TenantDatabases;
  readonly directory: TenantDirectory;
  readonly context: TenantContext;
  readonly suspensions: TenantSuspensions;
}

/** Why a tenant is suspended, where a restore has done it: the restore that ends lets it in again, and no other reason. */
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
    const own = { to, ...(format && { format }), ...(snapshot !== undefined && { snapshot }) };
    check('backup.', own, BACKUP_CHECKS, ['to']);
    return this.#each(options, (tenantId, signal) =>
      this.#looking(tenantId, async (database) => {
        const exclude = (await collectionsOf(database)).filter(isOfRestore);
        const subject = {
          tenantId,
          database: database.name,
          serverVersion: await serverVersionOf(database),
          migration: await this.parts.tenants.versionOf(tenantId),
          read: (given: ExportStreamOptions, contents: BackupContents) =>
            this.parts.bulk.exportWitnessed(database.name, { ...given, exclude }, contents),
        };
        return backUp(subject, own, signal);
      }),
    );
  }

  verify({ from, ...options }: VerifyOptions): TenantRun<BackupManifest> {
    check('verify.', { from }, VERIFY_CHECKS, ['from']);
    checkForEachOptions(options);
    const { tenants: named, ...rest } = options;
    const { tenants } = this.parts;
    return new TenantRun(async function* (stop) {
      const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
      const ids = [...new Set(named ?? (await tenants.list()))];
      yield* fanOut(ids, (tenantId, context) => verifyBackup(tenantId, from, context.signal), { ...rest, signal });
    });
  }

  async restore(tenantId: string, options: RestoreOptions): Promise<TenantRestoration> {
    checkOptions('restore.', options, RESTORE_CHECKS, ['from']);
    const { from, as = tenantId, drop = false, timeoutMS = 60_000, signal } = options;
    const { databases, tenants, pools, bulk } = this.parts;
    const name = databases.of(as);
    const startedAtMS = performance.now();
    const manifest = await verifyBackup(tenantId, from, signal ?? new AbortController().signal);
    await tenants.fill(as, timeoutMS, async (isServed) => {
      const database = pools.database(name);
      await database.run(async () => {
        const hasToWait = (await this.#isReplacing(as, database, drop)) || (isServed && this.parts.suspensions.isOn);
        const open = () => openLate(() => openPart(from, tenantId, 'data', manifest.format));
        const task = new RestoreTask(
          {
            database,
            signal,
            load: (wanted) => bulk.importStream(name, open, wanted),
            suspend: async () => (hasToWait ? this.#suspend(as, startedAtMS) : undefined),
          },
          manifest,
        );
        await task.run();
        database.forgetContents();
      }, 'long');
    });
    await this.#resume(as);
    return { tenantId: as, database: name, collections: manifest.collections };
  }

  async clone(tenantId: string, newId: string, options: CloneOptions): Promise<TenantRestoration> {
    checkOptions('clone.', options, CLONE_CHECKS);
    const { snapshot = true, timeoutMS = 60_000, signal } = options;
    const { databases, directory, tenants, pools, bulk, context } = this.parts;
    if (tenantId === newId)
      throw new PolyMongoOptionsError('clone.newId', `Tenant ${tenantId} cannot be cloned to itself: give a new id.`);
    await directory.findAnew(tenantId);
    const name = databases.of(newId);
    const summary = await tenants.fill(newId, timeoutMS, async () => {
      const database = pools.database(name);
      const source = pools.database(databases.of(tenantId));
      const copy = () =>
        context.within(managerScope(newId, tenantId), () =>
          source.lookedAt(async () => {
            const exclude = (await source.run(() => collectionsOf(source))).filter(isOfRestore);
            return bulk.copyDatabase(source.name, name, { snapshot, exclude, ...(signal && { signal }) });
          }),
        );
      return database.run(() => new CloneTask(tenantId, newId, database, copy).run(), 'long');
    });
    return { tenantId: newId, database: name, collections: summary.collections };
  }

  #each<T>(options: ForEachOptions, task: (tenantId: string, signal: AbortSignal) => Promise<T>): TenantRun<T> {
    checkForEachOptions(options);
    return new TenantRun((stop) => {
      const signal = options.signal ? AbortSignal.any([options.signal, stop]) : stop;
      const visit = (tenantId: string, context: { signal: AbortSignal }) => task(tenantId, context.signal);
      return this.parts.tenants.maintain(visit, { ...options, signal });
    });
  }

  /** Runs `fn` as who looks after a tenant, also where that is not served. To be looked at is no use of it. */
  #looking<T>(tenantId: string, fn: (database: Database) => Promise<T>): Promise<T> {
    const { databases, context, pools } = this.parts;
    const database = pools.database(databases.of(tenantId));
    return context.within(managerScope(tenantId), () =>
      database.lookedAt(() => database.run(() => fn(database), 'long')),
    );
  }

  /**
   * Whether there is something that a restore puts itself in the place of.
   * @throws TenantNotEmptyError, SuspensionOffError
   */
  async #isReplacing(tenantId: string, database: Database, drop: boolean): Promise<boolean> {
    const isGoingOn = (await RestoreState.find(database))?.isSwapping === true;
    const found = (await collectionsOf(database)).filter((name) => !isOfRestore(name) && !name.startsWith('system.'));
    if (found.length === 0 && !isGoingOn) return false;
    if (!drop && !isGoingOn) throw new TenantNotEmptyError(tenantId, found);
    if (!this.parts.suspensions.isOn) throw new SuspensionOffError(tenantId);
    return true;
  }

  /** Resolves when nobody is let in, and what had begun before has had `shutdownTimeoutMS` to end. */
  async #suspend(tenantId: string, startedAtMS: number): Promise<void> {
    const { suspensions, pools } = this.parts;
    const isSuspended = (await suspensions.list()).has(tenantId);
    if (!isSuspended) await suspensions.add(tenantId, RESTORING);
    const sinceMS = isSuspended ? performance.now() - startedAtMS : 0;
    await delay(Math.max(0, pools.options.shutdownTimeoutMS - sinceMS));
  }

  async #resume(tenantId: string): Promise<void> {
    const { suspensions } = this.parts;
    if (suspensions.isOn && (await suspensions.list()).get(tenantId)?.reason === RESTORING)
      await suspensions.remove(tenantId);
  }
}

const collectionsOf = async ({ connection }: Database): Promise<string[]> =>
  (await connection.db!.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);

async function serverVersionOf({ connection }: Database): Promise<string> {
  const { version } = (await connection.db!.admin().buildInfo()) as { version: string };
  return version;
}

async function* openLate(open: () => Promise<Readable>): AsyncGenerator<Uint8Array, void> {
  yield* await open();
}
