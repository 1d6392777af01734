import type { PolyMongoEvents } from '../../polymongo.events.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { within } from '../pools/deadline.js';
import { LookupCache } from '../tenant/lookup.cache.js';
import { TenantAheadError, TenantBehindError } from '../tenant/tenant.errors.js';
import type { TenantReadiness } from '../tenant/tenant.readiness.js';
import type { ResolvedMigrationsOptions } from './migration.options.js';
import type { PolyMongoMigrations } from './polymongo-migrations.provider.js';
import { clock, delay } from '../../polymongo.clock.js';

/** For how long it counts that a tenant was where the code is: another process may take a migration back. */
const LEVEL_MS = 60_000;
const POLL_MS = 100;

/**
 * Whether a tenant is served while its documents are those of earlier or later code, and what brings it to where the code
 * is with its first use.
 */
export class MigrationReadiness implements TenantReadiness {
  readonly #migrations: PolyMongoMigrations;
  readonly #options: ResolvedMigrationsOptions;
  readonly #events: PolyMongoEvents;
  readonly #isServed = new LookupCache<true>((tenantId) => asNobody(() => this.#ask(tenantId)), LEVEL_MS);
  /** Runs that were begun by first uses. */
  readonly #runs = new Map<string, Promise<void>>();
  /** Why they failed, until they are tried again. */
  readonly #failures = new Map<string, unknown>();

  constructor(migrations: PolyMongoMigrations, events: PolyMongoEvents) {
    this.#migrations = migrations;
    this.#options = migrations.options;
    this.#events = events;
    events.on('tenantRestored', ({ tenantId }) => this.#isServed.forget(tenantId));
  }

  /** Some tenant may have to wait, be refused or be migrated. */
  static isNeeded({ behind, ahead, runs }: ResolvedMigrationsOptions): boolean {
    return behind !== 'serve' || ahead !== 'serve' || runs === 'lazily';
  }

  isReady(tenantId: string): boolean {
    return this.#isServed.peek(tenantId) === true;
  }

  /** @throws TenantBehindError, TenantAheadError */
  async becomeReady(tenantId: string): Promise<void> {
    await this.#isServed.get(tenantId);
  }

  async #ask(tenantId: string): Promise<true> {
    const { behind, ahead, runs, retryAfterMS } = this.#options;
    const status = await this.#migrations.statusOf(tenantId);
    if (status.ahead.length > 0 && ahead === 'refuse') throw new TenantAheadError(retryAfterMS);
    if (status.pending.length === 0) return true;
    const run = runs === 'lazily' ? this.#begin(tenantId) : undefined;
    if (behind === 'refuse') throw this.#behind(tenantId);
    if (behind === 'wait') await (run ? this.#await(tenantId, run) : this.#watch(tenantId));
    return true;
  }

  /** One run for all who use the tenant meanwhile; where it failed, not before whoever was refused may come again. */
  #begin(tenantId: string): Promise<void> {
    if (this.#failures.has(tenantId)) return Promise.resolve();
    const known = this.#runs.get(tenantId);
    if (known) return known;
    const run = this.#migrations
      .bring(tenantId)
      .catch((error: unknown) => this.#fail(tenantId, error))
      .finally(() => this.#runs.delete(tenantId));
    this.#runs.set(tenantId, run);
    return run;
  }

  #fail(tenantId: string, error: unknown): void {
    this.#failures.set(tenantId, error);
    clock.setTimeout(() => this.#failures.delete(tenantId), this.#options.retryAfterMS).unref();
    this.#events.emit('error', { db: tenantId, error, during: 'migration with the first use' });
  }

  /** Waits for a run of this process. */
  async #await(tenantId: string, run: Promise<void>): Promise<void> {
    const hasEnded = await within(this.#options.requestWaitMS, run);
    if (!hasEnded || this.#failures.has(tenantId)) throw this.#behind(tenantId);
  }

  /** Waits for somebody else's. */
  async #watch(tenantId: string): Promise<void> {
    const startedAtMS = clock.monotonic();
    do {
      await delay(POLL_MS);
      if ((await this.#migrations.statusOf(tenantId)).pending.length === 0) return;
    } while (clock.monotonic() - startedAtMS < this.#options.requestWaitMS);
    throw this.#behind(tenantId);
  }

  #behind(tenantId: string): TenantBehindError {
    return new TenantBehindError(this.#options.retryAfterMS, { cause: this.#failures.get(tenantId) });
  }
}
