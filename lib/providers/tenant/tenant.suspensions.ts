import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import type { ResolvedSuspensionOptions } from '../../polymongo.suspension-options.js';
import { PolyMongoClosedError } from '../pools/pool.errors.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { onRegistry } from './registry.collection.js';
import { SuspensionOffError, TenantSuspendedError } from './suspension.errors.js';
import { isDuplicateKey } from './tenant.uniqueness.js';
import { type Timer, clock, delay } from '../../polymongo.clock.js';

/** Why a tenant is not served, and since when. */
export interface TenantSuspension {
  /** When it was suspended, by the server's clock. */
  readonly since: Date;
  /** What `suspend` was told; clients are not. */
  readonly reason?: string;
}

/** What happens in this process when it learns of a suspension, and of its end. */
export interface SuspensionListener {
  suspended(tenantId: string, suspension: TenantSuspension): void;
  resumed(tenantId: string): void;
  /** Its database was put in the place of another one, or is elsewhere. */
  restored(tenantId: string): void;
  /** That may be so for any tenant. */
  restoredAny(): void;
  /** It works for some tenant, or somebody listens, so it has to look. */
  readonly isInterested: boolean;
}

/** All of them in one document: they change at once, and whoever knows the last revision reads nothing. */
interface SuspensionsRecord {
  _id: 'all';
  revision: string;
  tenants: (Entry & TenantSuspension)[];
  /** The last restores that ended, the newest last: what was known of the tenant's database before is not so any more. */
  restored?: { tenantId: string; id: string }[];
}

/** Whose it is: the application's, which resumes it, or that of a restore or move, which lets nobody in before it has ended. */
type Holder = 'application' | 'restore' | 'move';
interface Entry {
  tenantId: string;
  by?: Holder;
  /** Which mover's. */
  attempt?: number;
}

const MAX_RESTORED = 1_000;

const SUSPENSIONS_COLLECTION = 'polymongo_suspensions';

/**
 * The tenants that are suspended. What a process knows is never older than `withinMS` when it lets a tenant in, counted on
 * its own clock from before it asked; so after that time nobody is let in any more, whichever processes there are.
 */
export class TenantSuspensions {
  readonly #pools: PolyMongoPools;
  readonly #options: ResolvedSuspensionOptions | undefined;
  #listener: SuspensionListener | undefined;
  #known: ReadonlyMap<string, TenantSuspension> = new Map();
  #restored: ReadonlySet<string> = new Set();
  #revision: string | undefined;
  #readAtMS = -Infinity;
  #reading: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isAsked = false;

  constructor(pools: PolyMongoPools, options: ResolvedSuspensionOptions | undefined) {
    this.#pools = pools;
    this.#options = options;
  }

  /** This process looks for them. */
  get isOn(): boolean {
    return this.#options !== undefined;
  }

  /** Has `listener` told what this process learns; not of what it finds when it first looks. */
  listen(listener: SuspensionListener): void {
    this.#listener = listener;
  }

  /** Begins to look, where nobody has asked yet. */
  look(): void {
    if (this.isOn && this.#readAtMS === -Infinity) this.#read().catch(() => this.#lookAgain());
  }

  /** The tenant is not suspended, as far as is known, and that is fresh enough to count. */
  isServed(tenantId: string): boolean {
    this.#isAsked = true;
    return this.#isFresh && !this.#known.has(tenantId);
  }

  /** @throws TenantSuspendedError; the driver's errors where nobody knows */
  async assertServed(tenantId: string): Promise<void> {
    while (!this.#isFresh) await this.#read();
    const refusal = this.refusalOf(tenantId);
    if (refusal) throw refusal;
  }

  /** What those of the tenant are refused with; undefined where it is not suspended, as far as this process has heard. */
  refusalOf(tenantId: string): TenantSuspendedError | undefined {
    const suspension = this.#known.get(tenantId);
    if (!suspension) return undefined;
    const { status, retryAfterMS } = this.#options!;
    const mayComeAgain = status === 503 ? retryAfterMS : undefined;
    return new TenantSuspendedError(status, mayComeAgain, suspension.since, suspension.reason);
  }

  /** Those that are suspended now, by id. */
  async list(): Promise<ReadonlyMap<string, TenantSuspension>> {
    if (!this.isOn) return byId(await this.#with((suspensions) => suspensions.findOne({ _id: 'all' })));
    await this.#readAnew();
    return this.#known;
  }

  /** Resolves when no process lets the tenant in any more. @throws SuspensionOffError */
  async add(tenantId: string, reason: string | undefined, by: Holder = 'application', attempt = 0): Promise<void> {
    if (!this.#options) throw new SuspensionOffError(tenantId);
    const isMine = { $and: [isOf(tenantId, by), { $eq: [ATTEMPT, attempt] }] };
    const mine = { $filter: { input: TENANTS, cond: isMine } };
    const since = { $ifNull: [{ $first: { $map: { input: mine, in: '$$this.since' } } }, '$$NOW'] };
    const suspension = {
      tenantId: { $literal: tenantId },
      by,
      since,
      ...(by === 'move' && { attempt }),
      ...(reason !== undefined && { reason: { $literal: reason } }),
    };
    await this.#change({ tenants: { $concatArrays: [without(isMine), [suspension]] } });
    const writtenAtMS = clock.monotonic();
    await this.#readAnew();
    await delay(this.#options.withinMS - (clock.monotonic() - writtenAtMS));
  }

  /** The other processes let the tenant in again within `withinMS`, this one at once; unless a restore holds it. */
  async remove(tenantId: string): Promise<void> {
    await this.#remove(tenantId, isOf(tenantId, 'application'));
  }

  /**
   * Ends what a restore holds, or a move.
   * @param isDone it has ended, and processes forget what they knew of the database
   * @param upTo the attempt of the mover: what a later one holds, it holds on
   */
  async release(tenantId: string, isDone: boolean, by: 'restore' | 'move' = 'restore', upTo = 0): Promise<void> {
    const ended = [{ tenantId: { $literal: tenantId }, id: randomUUID() }];
    const all = { $concatArrays: [{ $ifNull: ['$restored', []] }, ended] };
    const restored = isDone ? { restored: { $slice: [all, -MAX_RESTORED] } } : {};
    const isEnded = { $and: [isOf(tenantId, by), { $lte: [ATTEMPT, upTo] }] };
    await this.#change({ tenants: without(isEnded), ...restored });
    if (this.isOn) await this.#readAnew();
  }

  /** Ends all of it: there is no such tenant any more. */
  async clear(tenantId: string): Promise<void> {
    await this.#remove(tenantId, { $eq: ['$$this.tenantId', { $literal: tenantId }] });
  }

  async #remove(tenantId: string, condition: mongo.Document): Promise<void> {
    if (!(await this.list()).has(tenantId)) return;
    await this.#change({ tenants: without(condition) });
    if (this.isOn) await this.#readAnew();
  }

  get #isFresh(): boolean {
    return clock.monotonic() - this.#readAtMS < this.#options!.withinMS;
  }

  /** As {@link #read}, begun from now on. */
  async #readAnew(): Promise<void> {
    await this.#reading?.catch(() => {});
    await this.#read();
  }

  #read(): Promise<void> {
    return (this.#reading ??= asNobody(() => this.#ask()).finally(() => (this.#reading = undefined)));
  }

  async #ask(): Promise<void> {
    const startedAtMS = clock.monotonic();
    const isFirst = this.#readAtMS === -Infinity;
    const revision = this.#revision;
    const record = await this.#with((suspensions) =>
      suspensions.findOne({ _id: 'all', ...(revision && { revision: { $ne: revision } }) }),
    );
    this.#readAtMS = startedAtMS;
    this.#lookAgain();
    if (!record) return;
    const before = this.#known;
    const [seen, restored] = [this.#restored, record.restored ?? []];
    this.#revision = record.revision;
    this.#known = byId(record);
    this.#restored = new Set(restored.map(({ id }) => id));
    const isMissing = restored.length >= MAX_RESTORED && !restored.some(({ id }) => seen.has(id));
    if (isFirst || isMissing) this.#listener?.restoredAny();
    if (isFirst) return;
    for (const { tenantId, id } of restored) if (!seen.has(id)) this.#listener?.restored(tenantId);
    for (const [tenantId, suspension] of this.#known)
      if (!before.has(tenantId)) this.#listener?.suspended(tenantId, suspension);
    for (const tenantId of before.keys()) if (!this.#known.has(tenantId)) this.#listener?.resumed(tenantId);
  }

  /** As long as somebody asks, or works for a tenant that may be suspended meanwhile. */
  #lookAgain(): void {
    clock.clear(this.#timer);
    this.#timer = clock.setTimeout(() => {
      if (!this.#isAsked && !this.#listener?.isInterested) return;
      this.#isAsked = false;
      this.#read().catch((error: unknown) => {
        if (!(error instanceof PolyMongoClosedError)) this.#lookAgain(); // whoever has to know meanwhile is told why it cannot
      });
    }, this.#options!.withinMS / 2);
    this.#timer.unref();
  }

  async #change(change: mongo.Document): Promise<void> {
    const update = [{ $set: { revision: randomUUID(), ...change } }];
    try {
      await this.#with((suspensions) => suspensions.updateOne({ _id: 'all' }, update, { upsert: true }));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      await this.#change(change); // another one has just made it
    }
  }

  #with<T>(fn: (suspensions: mongo.Collection<SuspensionsRecord>) => Promise<T>): Promise<T> {
    return onRegistry(this.#pools, SUSPENSIONS_COLLECTION, fn);
  }
}

const TENANTS = { $ifNull: ['$tenants', []] };
const ATTEMPT = { $ifNull: ['$$this.attempt', 0] };

const isOf = (tenantId: string, by: Holder) => ({
  $and: [
    { $eq: ['$$this.tenantId', { $literal: tenantId }] },
    { $eq: [{ $ifNull: ['$$this.by', 'application'] }, by] },
  ],
});

const without = (condition: mongo.Document) => ({ $filter: { input: TENANTS, cond: { $not: [condition] } } });

/** Of a tenant that several hold, what the application has said. */
function byId(record: SuspensionsRecord | null): ReadonlyMap<string, TenantSuspension> {
  const known = new Map<string, TenantSuspension>();
  for (const { tenantId, by = 'application', attempt: _, ...suspension } of record?.tenants ?? [])
    if (by === 'application' || !known.has(tenantId)) known.set(tenantId, suspension);
  return known;
}
