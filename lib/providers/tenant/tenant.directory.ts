import { TenantDatabaseTakenError, TenantOverloadedError, TenantUnknownError } from './tenant.errors.js';
import { TenantNotReadyError, type TenantLookup } from './tenant-work.errors.js';
import { limitsOf } from '../../polymongo.tenant-limits.js';
import { outsideTransaction } from '../sessions/active.transaction.js';
import type { DatabaseGate } from '../databases/database.equipment.js';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { LookupCache } from './lookup.cache.js';
import { SuspendedTenants } from './suspended.tenants.js';
import { answerOf, yesOrNo } from './tenant.answers.js';
import { asNoTenant, managerScope } from './tenant.context.js';
import type { TenantDatabases } from './tenant.databases.js';
import { TenantLocations } from './tenant.locations.js';
import { TenantLockOuts } from './tenant.lock-outs.js';
import { REFUSAL_MS, TenantOwners } from './tenant.owners.js';
import { TenantProcesses, type Reach } from './tenant.processes.js';
import type { TenantReadiness } from './tenant.readiness.js';
import type { TenantRegistry } from './tenant.registry.js';
import type { TenantSuspensions } from './tenant.suspensions.js';
import { clock } from '../../polymongo.clock.js';

/** How many tenants `exists` is asked about at the same time. */
const ASKED_AT_ONCE = 16;

/** Knows which tenants there are (`tenant.exists`), and guards their databases by it. */
export class TenantDirectory {
  readonly #pools: PolyMongoPools;
  readonly #databases: TenantDatabases;
  readonly #known: LookupCache<boolean> | undefined;
  readonly #owners: TenantOwners | undefined;
  /** Where they are. */
  readonly locations: TenantLocations;
  readonly #lockOuts: TenantLockOuts;
  readonly #processes: TenantProcesses;
  readonly #suspensions: TenantSuspensions;
  #rememberedUntil = 0;
  #readiness: TenantReadiness | undefined;

  constructor(
    pools: PolyMongoPools,
    databases: TenantDatabases,
    registry: TenantRegistry,
    suspensions: TenantSuspensions,
  ) {
    this.#pools = pools;
    this.#databases = databases;
    this.#suspensions = suspensions;
    const { exists, existsTTLMS, mayCollide } = databases.options;
    this.#lockOuts = new TenantLockOuts(pools, databases);
    this.#processes = this.#createProcesses(existsTTLMS);
    this.locations = new TenantLocations(pools, databases, registry, (fn) => this.#asNoTenant(fn));
    if (exists) {
      const ask = async (tenantId: string) => {
        const { state, cluster } = (await registry.lookUp(tenantId)) ?? {};
        this.locations.assertKnown(cluster);
        if (exists === 'provisioned') return state === 'ready';
        return state !== 'removing' && yesOrNo(await this.#answerOf('exists', () => exists(tenantId)));
      };
      this.#known = new LookupCache(
        (tenantId) => this.#asNoTenant(() => ask(tenantId)),
        (isKnown) => (isKnown ? existsTTLMS : Math.min(existsTTLMS, REFUSAL_MS)),
      );
    }
    if (mayCollide && exists !== 'provisioned') {
      this.#owners = new TenantOwners(registry, databases, (fn) => this.#asNoTenant(fn));
    }
    suspensions.listen(
      new SuspendedTenants(pools, databases, suspensions, () => this.#lockOuts.isWorking(), this.locations),
    );
    pools.onDatabase((database) => this.#guard(database, databases.tenantOf(database.name)));
    databases.onNamed((name, tenantId) => this.#guard(pools.findDatabase(name), tenantId));
  }

  /** Lets no tenant in that is not ready, from now on. */
  require(readiness: TenantReadiness): void {
    this.#readiness = readiness;
    for (const database of this.#pools.databases.values()) {
      this.#guard(database, this.#databases.tenantOf(database.name));
    }
  }

  /**
   * Lets a tenant in: undefined when nothing has to be asked, else a promise.
   * @throws InvalidTenantIdError at once; rejects with TenantUnknownError, TenantDatabaseTakenError, TenantSuspendedError,
   *   TenantOutOfStepError, and with what `exists` or `connection` throw
   */
  admit(tenantId: string): Promise<void> | undefined {
    const isFound = this.find(tenantId);
    const isServed = !this.#suspensions.isOn || this.#suspensions.isServed(tenantId);
    if (!isFound && isServed && (!this.#readiness || this.#readiness.isReady(tenantId))) return undefined;
    if (!this.#suspensions.isOn && !this.#readiness) return isFound; // else what was known then is too old in the end
    return this.#becomeServed(tenantId, isFound);
  }

  /** As {@link admit}, also where the tenant is suspended or not ready to be served. */
  find(tenantId: string): Promise<void> | undefined {
    const isNamed = this.#name(tenantId);
    if (this.#lockOuts.has(tenantId)) return Promise.reject(new TenantUnknownError());
    const isKnown = !this.#known || (this.#processes.isMember && this.#known.peek(tenantId) === true);
    const isOwner = !this.#owners || (isNamed && this.#owners.isUser(tenantId));
    return isKnown && isOwner && this.locations.isLocated(tenantId) ? undefined : this.#ask(tenantId);
  }

  /** As {@link admit}, for code of the application, which may know better: a refusal that is remembered is asked for again. */
  async admitAnew(tenantId: string): Promise<void> {
    this.#forgetRefusal(tenantId);
    await this.admit(tenantId);
  }

  /** As {@link find}, for what makes tenants ready. */
  async findAnew(tenantId: string): Promise<void> {
    this.#forgetRefusal(tenantId);
    await this.find(tenantId);
  }

  /** These tenants have just been seen: what said no to them is not to be heard. */
  recall(tenantIds: readonly string[]): void {
    for (const tenantId of tenantIds) {
      if (this.#known?.peek(tenantId) !== true) this.#known?.forget(tenantId);
      if (this.#owners?.isUser(tenantId) === false) this.#owners.forget(tenantId);
    }
  }

  /** Runs `fn` as a tenant that may not exist (yet, any more), to make or drop its database. */
  async manage<T>(tenantId: string, fn: () => Promise<T>): Promise<T> {
    this.#known?.forget(tenantId);
    this.#owners?.forget(tenantId);
    this.#databases.admit(tenantId);
    await this.locations.locate(tenantId);
    const scope = managerScope(tenantId);
    try {
      this.#databases.context.enter(scope, 'run');
      return await this.#databases.context.within(scope, fn);
    } finally {
      this.#known?.forget(tenantId);
    }
  }

  /**
   * Runs `fn` as who looks at a tenant's database, also where the tenant is not served. To be looked at is no use of it.
   * @param filled another tenant, whose database `fn` makes of it
   */
  lookAt<T>(tenantId: string, fn: (database: Database) => Promise<T>, filled?: string): Promise<T> {
    const database = this.#pools.database(this.#databases.of(tenantId));
    const scope = filled === undefined ? managerScope(tenantId) : managerScope(filled, tenantId);
    return this.#databases.context.within(scope, () => database.lookedAt(() => fn(database)));
  }

  /** Resolves when all live processes have found a nonce on a cluster. @throws ClusterUnreachableError */
  proveReach(proof: Reach, timeoutMS: number): Promise<void> {
    return this.#processes.prove(proof, timeoutMS);
  }

  /**
   * Locks a tenant out, here and in all other processes, and runs `drop` once none of them works for it any more.
   * @throws TenantInUseError when one still does after `timeoutMS`; what `drop` throws
   */
  async remove(tenantId: string, timeoutMS: number, drop: () => Promise<void>): Promise<void> {
    this.#lockOuts.add(tenantId);
    try {
      await Promise.all([
        this.#processes.dismiss(tenantId, timeoutMS),
        this.#lockOuts.untilIdle(tenantId, timeoutMS), //
      ]);
      await this.manage(tenantId, drop);
      this.#forget(tenantId);
    } finally {
      this.#known?.forget(tenantId);
      this.#lockOuts.remove(tenantId);
    }
  }

  /** Those of these tenants that `exists` lets in. */
  async known(tenantIds: readonly string[]): Promise<string[]> {
    this.recall(tenantIds);
    const known: string[] = [];
    for (let i = 0; i < tenantIds.length; i += ASKED_AT_ONCE) {
      const some = tenantIds.slice(i, i + ASKED_AT_ONCE);
      const answers = await Promise.all(some.map((tenantId) => this.#isKnown(tenantId)));
      known.push(...some.filter((_, n) => answers[n]));
    }
    return known;
  }

  async #becomeServed(tenantId: string, found: Promise<void> | undefined): Promise<void> {
    await found;
    if (this.#suspensions.isOn) await this.#suspensions.assertServed(tenantId);
    if (this.#readiness?.isReady(tenantId) === false) await this.#readiness.becomeReady(tenantId);
    await this.find(tenantId); // it may have been removed meanwhile
    if (this.#suspensions.isOn) await this.#suspensions.assertServed(tenantId); // or suspended
  }

  #forgetRefusal(tenantId: string): void {
    if (this.#known?.peek(tenantId) === false) this.#known.forget(tenantId);
    this.#owners?.forgetRefusal(tenantId);
  }

  async #isKnown(tenantId: string): Promise<boolean> {
    if (!this.#known) return true;
    this.#rememberedUntil = clock.now() + this.#databases.options.existsTTLMS;
    return this.#known.get(tenantId);
  }

  async #ask(tenantId: string): Promise<void> {
    for (;;) {
      if (this.#known || this.locations.hasClusters) await this.#processes.join();
      const { count } = this.#lockOuts;
      if (!(await this.#isKnown(tenantId))) {
        this.#databases.release(tenantId);
        throw new TenantUnknownError();
      }
      const owner = await this.#owners?.get(tenantId);
      if (owner === 'taken') {
        throw await this.#refuse(tenantId);
      }
      this.#databases.admit(tenantId, owner === 'own');
      await this.locations.locate(tenantId);
      if (this.#lockOuts.has(tenantId)) throw new TenantUnknownError();
      if (count === this.#lockOuts.count && (!this.#known || this.#processes.isMember)) return;
    }
  }

  /** Lets go of what the id seemed to have: a name that differs in case only would keep the tenant out that has it. */
  async #refuse(tenantId: string): Promise<TenantDatabaseTakenError> {
    const name = this.#databases.nameFor(tenantId);
    const isHolder = this.#databases.tenantOf(name) === tenantId;
    this.#databases.release(tenantId);
    if (isHolder && this.#pools.findDatabase(name)?.leaseCount === 0) await this.#pools.release(name, 'refused');
    return new TenantDatabaseTakenError(name);
  }

  /** Names the tenant's database; false where another id seems to have it, which the registry may know better. */
  #name(tenantId: string): boolean {
    try {
      this.#databases.of(tenantId);
      return true;
    } catch (error) {
      if (this.#owners && error instanceof TenantDatabaseTakenError) return false;
      throw error;
    }
  }

  #createProcesses(answersMS: number): TenantProcesses {
    const lockOuts = this.#lockOuts;
    return new TenantProcesses(this.#pools, answersMS, {
      lockOut: (tenantId) => {
        lockOuts.add(tenantId);
        this.#known?.forget(tenantId);
      },
      isIdle: (tenantId) => lockOuts.isIdle(tenantId),
      letGo: async (tenantId) => {
        await lockOuts.close(tenantId);
        this.#forget(tenantId);
      },
      readmit: (tenantId) => lockOuts.remove(tenantId),
      forgetAll: () => {
        lockOuts.renew();
        this.#known?.clear();
        this.#owners?.clear();
        this.locations.forgetAll();
      },
      isRemembering: () => clock.now() < this.#rememberedUntil || this.locations.isRemembering,
      reach: (cluster, database, nonce) => this.locations.reach(cluster, database, nonce),
      isWorking: () => lockOuts.isWorking(),
    });
  }

  /** Forgets where a tenant was, after it was dropped. */
  #forget(tenantId: string): void {
    this.#databases.release(tenantId);
    this.#known?.forget(tenantId);
    this.#owners?.forget(tenantId);
    this.locations.drop(tenantId);
  }

  #answerOf<T>(lookup: TenantLookup, ask: () => T | Promise<T>): Promise<T> {
    return this.#asNoTenant(() => answerOf(lookup, this.#pools.options.waitQueueTimeoutMS, ask));
  }

  /**
   * The application's own functions run as no tenant, so that what they ask does not wait for their own answer, and
   * outside of a transaction, which their answer outlives.
   */
  #asNoTenant<T>(fn: () => T): T {
    return outsideTransaction(() => asNoTenant(fn));
  }

  #isManaging(tenantId: string): boolean {
    const { scope } = this.#databases.context;
    return scope?.isManager === true && (scope.tenantId === tenantId || scope.source === tenantId);
  }

  #guard(database: Database | undefined, tenantId: string | undefined): void {
    if (!database || tenantId === undefined) return;
    database.equip({ isConfined: !this.#databases.options.allowCrossDatabase });
    const gate = database.equipment.gate ?? this.#gateOf(database, tenantId);
    if (gate) database.equip({ gate });
    try {
      this.#limit(database, tenantId);
    } catch {
      database.equip({ gate: this.#limitFirst(database, tenantId, gate) });
    }
  }

  /** @throws PolyMongoOptionsError; what the functions of the application throw */
  #limit(database: Database, tenantId: string): void {
    const { maxTimeMS, ...terms } = limitsOf(this.#databases.options, tenantId);
    database.equip({ maxTimeMS });
    database.share.terms = { ...terms, refusal: (waiting) => new TenantOverloadedError(waiting) };
  }

  /** Nothing is done for a tenant whose limits nobody can tell: each call asks for them again, and fails with that. */
  #limitFirst(database: Database, tenantId: string, gate: DatabaseGate | undefined): DatabaseGate {
    const limit = () => {
      this.#limit(database, tenantId);
      database.equip({ gate });
    };
    return {
      pass: () => {
        limit();
        return gate?.pass();
      },
      assertPassed: () => {
        limit();
        gate?.assertPassed();
      },
    };
  }

  #gateOf(database: Database, tenantId: string): DatabaseGate | undefined {
    if (!this.#known && !this.#owners && !this.locations.isOn && !this.#readiness && !this.#suspensions.isOn)
      return undefined;
    return {
      pass: () => {
        const owner = this.#databases.tenantOf(database.name) ?? tenantId;
        this.#databases.assertCurrentIs(owner, database.name);
        return this.#isManaging(owner) ? undefined : this.admit(owner);
      },
      assertPassed: () => {
        const owner = this.#databases.tenantOf(database.name) ?? tenantId;
        if (!this.locations.hasPool(owner)) throw new TenantNotReadyError(database.name);
      },
    };
  }
}
