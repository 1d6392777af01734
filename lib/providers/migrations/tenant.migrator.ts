import { Logger } from '@nestjs/common';
import type { Model, mongo } from 'mongoose';
import { messageOf } from '../../polymongo.errors.js';
import { redactURI } from '../../polymongo.uri.js';
import type { Database } from '../databases/database.js';
import { outsideTransaction } from '../sessions/active.transaction.js';
import type { MigratedStep, TenantMigration } from '../tenant/tenant.migrations.js';
import type { MigrationCatalogue } from './migration.catalogue.js';
import { migrationDb } from './migration.db.js';
import { MigrationFailedError, MigrationTakenOverError } from './migration.errors.js';
import { MigrationLock } from './migration.lock.js';
import type { ResolvedMigrationsOptions } from './migration.options.js';
import { planSteps, versionOf, type MigrationRequest, type PlannedStep } from './migration.plan.js';
import { MigrationStore } from './migration.store.js';
import type { MigrationContext, MigrationRecord, MigrationRecords } from './migration.types.js';

/** What migrations need of the parts left of them, and of transactions. */
export interface MigratorHost {
  /** The database of a tenant. @throws InvalidTenantIdError */
  databaseOf(tenantId: string): Database;
  /** Runs `fn` as the tenant, which may not be ready yet. */
  asManager<T>(tenantId: string, fn: () => Promise<T>): Promise<T>;
  /** Makes no collections and indexes of models before it begins. */
  transaction<T>(fn: (session: mongo.ClientSession) => Promise<T>, db: string): Promise<T>;
  model(database: Database, name: string): Model<unknown>;
}

export interface MigratorRun {
  readonly signal: AbortSignal;
  /** Only say what would be done. */
  readonly isDryRun: boolean;
}

const CUT_OFF = 'its process ended, or was not heard of any more, in the middle';
const MAX_ERROR_LENGTH = 2_000;

/** Migrates one tenant at a time: plans under its lock, and runs step after step. */
export class TenantMigrator {
  readonly #logger = new Logger('PolyMongoMigrations');

  constructor(
    readonly host: MigratorHost,
    readonly catalogue: MigrationCatalogue,
    readonly options: ResolvedMigrationsOptions,
  ) {}

  /** What a tenant's database says. */
  read(tenantId: string): ReturnType<MigrationStore['read']> {
    return this.#within(tenantId, (store) => store.read());
  }

  /** A process that has not finished is heard of. */
  isAlive(tenantId: string, epoch: number): Promise<boolean> {
    return this.#within(tenantId, (store) => store.isAlive(epoch));
  }

  /**
   * Does what is asked for a tenant. Where there is nothing to do, nothing is written and no lock taken.
   * @throws MigrationError; the signal's reason
   */
  run(tenantId: string, request: MigrationRequest, { signal, isDryRun }: MigratorRun): Promise<TenantMigration> {
    return this.#within(tenantId, async (store) => {
      const { records = {} } = (await store.read()) ?? {};
      const planned = this.#plan(tenantId, records, request);
      if (planned.length === 0 || isDryRun) return { version: versionOf(records), steps: planned.map(named) };
      const { lockMS, waitMS } = this.options;
      const lock = await MigrationLock.take(store, { lockMS, waitMS, signal });
      try {
        return await this.#runLocked(store, lock, request, signal);
      } finally {
        await lock.release();
      }
    });
  }

  async #runLocked(
    store: MigrationStore,
    lock: MigrationLock,
    request: MigrationRequest,
    signal: AbortSignal,
  ): Promise<TenantMigration> {
    const { tenantId } = store;
    const records = await reportHalfDone(lock);
    const steps: MigratedStep[] = [];
    const context = { tenantId, store, lock, signal: AbortSignal.any([signal, lock.lost]) };
    for (const step of this.#plan(tenantId, records, request)) {
      context.signal.throwIfAborted();
      const startedAtMS = performance.now();
      await this.#take(step, context);
      steps.push({ ...named(step), durationMS: Math.round(performance.now() - startedAtMS) });
    }
    return { version: versionOf((await store.read())!.records), steps };
  }

  async #take(step: PlannedStep, context: StepContext): Promise<void> {
    const { migration, kind } = step;
    const { lock } = context;
    const at = keyOf(migration.name);
    switch (kind) {
      case 'accept':
        return lock.write({ $set: { [`${at}.checksum`]: migration.checksum } });
      case 'forget':
        return lock.write({ $unset: { [at]: '' } });
      case 'stamp':
        return lock.write({ $set: { [at]: { ...recordOf(step, lock), state: 'done', isStamped: true } } });
      default:
        return migration.isTransactional === false
          ? this.#runBegun({ migration, kind }, context)
          : this.#runInTransaction({ migration, kind }, context);
    }
  }

  /** The record is one of the transaction's writes, and asserts the epoch: either all of it is there, once, or nothing. */
  async #runInTransaction(step: RunStep, context: StepContext): Promise<void> {
    const { lock, store, tenantId } = context;
    const { migration, kind } = step;
    const at = keyOf(migration.name);
    const record = recordOf(step, lock);
    const startedAtMS = performance.now();
    try {
      await this.host.transaction(async (session) => {
        await migration[kind]!(this.#contextOf(step, context, session));
        context.signal.throwIfAborted();
        await lock.write(endOf(step, record, startedAtMS), { session });
      }, store.database.name);
    } catch (error) {
      if (error instanceof MigrationTakenOverError || lock.lost.aborted) throw lock.lost.reason ?? error;
      const failure = { error: textOf(error), durationMS: sinceMS(startedAtMS) };
      // Where the commit's answer was lost it may be done all the same, and then stays so.
      const failed =
        kind === 'up'
          ? lock.write({ $set: { [at]: { ...record, ...failure, state: 'failed' } } }, { where: isNotDone(at) })
          : lock.write({ $set: { [`${at}.error`]: failure.error } }, { where: { [at]: { $exists: true } } });
      await failed.catch(() => {}); // what counts is why it failed
      throw new MigrationFailedError(tenantId, migration.name, kind, false, error);
    }
  }

  /** It is written down first that it begins, so that whoever takes over knows that a part of it may be there. */
  async #runBegun(step: RunStep, context: StepContext): Promise<void> {
    const { lock, tenantId } = context;
    const { migration, kind } = step;
    const at = keyOf(migration.name);
    const record = recordOf(step, lock);
    const startedAtMS = performance.now();
    await lock.write({ $set: { [at]: { ...record, state: 'begun' } } });
    try {
      await migration[kind]!(this.#contextOf(step, context, undefined));
    } catch (error) {
      if (lock.lost.aborted) throw lock.lost.reason;
      const failed = { ...record, state: 'half-done', error: textOf(error), durationMS: sinceMS(startedAtMS) };
      await lock.write({ $set: { [at]: failed } }).catch(() => {}); // a takeover reports it then
      throw new MigrationFailedError(tenantId, migration.name, kind, true, error);
    }
    await lock.write(endOf(step, record, startedAtMS));
  }

  #contextOf(
    { migration }: RunStep,
    { store, tenantId, signal }: StepContext,
    session: mongo.ClientSession | undefined,
  ) {
    const { database } = store;
    const { host } = this;
    const context: MigrationContext = {
      db: migrationDb(database),
      session,
      tenant: tenantId,
      signal,
      model: <T>(name: string) => host.model(database, name) as unknown as Model<T>,
      log: (message) => this.#log(tenantId, migration.name, message),
    };
    return context;
  }

  #log(tenantId: string, migration: string, message: string): void {
    if (this.options.log) this.options.log({ tenantId, migration, message });
    else this.#logger.log(`${tenantId} ${migration}: ${message}`);
  }

  #plan(tenantId: string, records: MigrationRecords, request: MigrationRequest): PlannedStep[] {
    return planSteps(tenantId, this.catalogue, records, request);
  }

  /** One lease for the whole of it: whoever drops the tenant, or shuts down, waits for its end. */
  #within<T>(tenantId: string, fn: (store: MigrationStore) => Promise<T>): Promise<T> {
    return outsideTransaction(() =>
      this.host.asManager(tenantId, () => {
        const database = this.host.databaseOf(tenantId);
        return database.run(() => fn(new MigrationStore(tenantId, database)), 'long');
      }),
    );
  }
}

interface StepContext {
  readonly tenantId: string;
  readonly store: MigrationStore;
  readonly lock: MigrationLock;
  readonly signal: AbortSignal;
}

/** A step that runs code. */
type RunStep = PlannedStep & { readonly kind: 'up' | 'down' };

/** What a former holder of the lock has begun and not ended is half-done from now on. */
async function reportHalfDone({ state: { records }, write }: MigrationLock): Promise<MigrationRecords> {
  const begun = Object.keys(records).filter((name) => records[name]!.state === 'begun');
  if (begun.length === 0) return records;
  const known = cutOff(records);
  await write({ $set: Object.fromEntries(begun.map((name) => [keyOf(name), known[name]])) });
  return known;
}

/** The records where nobody is at a migration any more. */
export const cutOff = (records: MigrationRecords): MigrationRecords =>
  Object.fromEntries(
    Object.entries(records).map(([name, record]): [string, MigrationRecord] => [
      name,
      record.state === 'begun' ? { ...record, state: 'half-done', error: CUT_OFF } : record,
    ]),
  );

const recordOf = ({ migration, kind }: PlannedStep, { epoch }: MigrationLock) => ({
  direction: kind === 'down' ? ('down' as const) : ('up' as const),
  checksum: migration.checksum,
  at: new Date(),
  epoch,
});

/** What is written when a step has ended well. */
const endOf = (
  { migration, kind }: RunStep,
  record: ReturnType<typeof recordOf>,
  startedAtMS: number,
): mongo.UpdateFilter<mongo.Document> =>
  kind === 'down'
    ? { $unset: { [keyOf(migration.name)]: '' } }
    : { $set: { [keyOf(migration.name)]: { ...record, state: 'done', durationMS: sinceMS(startedAtMS) } } };

const keyOf = (name: string): string => `migrations.${name}`;
const isNotDone = (at: string) => ({ [`${at}.state`]: { $ne: 'done' } });
const sinceMS = (startedAtMS: number): number => Math.round(performance.now() - startedAtMS);
const textOf = (error: unknown): string => redactURI(messageOf(error)).slice(0, MAX_ERROR_LENGTH);
const named = ({ migration, kind }: PlannedStep): MigratedStep => ({ migration: migration.name, kind });
