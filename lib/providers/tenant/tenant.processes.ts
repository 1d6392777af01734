import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import { PolyMongoClosedError } from '../pools/pool.errors.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { atFarewell, onRegistry } from './registry.collection.js';
import { messageOf } from '../../polymongo.errors.js';
import { ClusterUnreachableError, TenantInUseError } from './tenant-work.errors.js';
import { type Timer, clock, delay } from '../../polymongo.clock.js';

/** Where the processes are written down that keep answers about tenants, in the default database. */
const PROCESSES_COLLECTION = 'polymongo_processes';

interface ProcessRecord {
  _id: string;
  /** By the server's clock. */
  aliveUntil: Date;
  /** Tenants that it has to let go of. */
  removing: string[];
  /** Clusters on which it has to look for something. */
  proving?: Reach[];
  /** Where it could not. */
  unable?: { id: string; reason: string }[];
  /** When it was last renewed, it had been over. */
  isLate: boolean;
}

/** That a cluster is reached: what was written there is found. */
export interface Reach {
  /** Of the question; also the name of the collection that has it. */
  readonly id: string;
  readonly cluster: string;
  readonly database: string;
}

/** What a process does of its own when a tenant is removed. */
export interface TenantHolder {
  /** Lets no work begin for the tenant, and ends its streams. */
  lockOut(tenantId: string): void;
  /** Nothing of the tenant runs here any more. */
  isIdle(tenantId: string): boolean;
  /** Closes what the tenant has for itself. */
  letGo(tenantId: string): Promise<void>;
  /** Takes {@link lockOut} back. */
  readmit(tenantId: string): void;
  /** Whether something is found on a cluster. */
  reach(cluster: string, database: string, nonce: string): Promise<boolean>;
  /** Asks anew about every tenant. */
  forgetAll(): void;
  /** Some answer is remembered. */
  isRemembering(): boolean;
  /** It works for some tenant. */
  isWorking(): boolean;
}

const MIN_LEASE_MS = 5_000;
const MAX_LEASE_MS = 30_000;
const LISTEN_MS = 500;
const POLL_MS = 50;
const LAPSED = { $expr: { $lt: ['$aliveUntil', '$$NOW'] } };

/**
 * The processes that let tenants in by what they remember, and how one of them has all others let go of a tenant. Each
 * is a record that its process renews; what it remembers counts only while that record does, so whoever drops a tenant
 * waits for an acknowledgement of each, or until its record is over.
 */
export class TenantProcesses {
  readonly #pools: PolyMongoPools;
  readonly #holder: TenantHolder;
  readonly #id = randomUUID();
  readonly #leaseMS: number;
  readonly #leaving = new Set<string>();
  readonly #proving = new Set<string>();
  #memberUntil = 0;
  #renewal: Promise<void> | undefined;
  #timer: Timer | undefined;

  /** @param answersMS how long an answer about a tenant counts, in ms */
  constructor(pools: PolyMongoPools, answersMS: number, holder: TenantHolder) {
    this.#pools = pools;
    this.#holder = holder;
    this.#leaseMS = Math.min(Math.max(answersMS, MIN_LEASE_MS), MAX_LEASE_MS);
    atFarewell(pools, () => this.#leave());
  }

  /** The others know of this process, so what it remembers counts. */
  get isMember(): boolean {
    return clock.now() < this.#memberUntil;
  }

  /** Resolves when the others know of this process. @throws the driver's errors */
  async join(): Promise<void> {
    while (!this.isMember) await this.#renew();
  }

  /**
   * Resolves when every other process has let go of a tenant, or has not been heard of for as long as its answers count.
   * @throws TenantInUseError after `timeoutMS`
   */
  async dismiss(tenantId: string, timeoutMS: number): Promise<void> {
    const startedAt = clock.now();
    await this.#with((processes) =>
      processes.updateMany({ _id: { $ne: this.#id } }, { $addToSet: { removing: tenantId } }),
    );
    for (;;) {
      await this.#with((processes) => processes.deleteMany(LAPSED));
      const holding = await this.#with((processes) =>
        processes.find({ _id: { $ne: this.#id }, removing: tenantId }, { projection: { _id: 1 } }).toArray(),
      );
      if (holding.length === 0) return;
      const waitedMS = clock.now() - startedAt;
      if (waitedMS >= timeoutMS) throw new TenantInUseError(tenantId, holding.length, waitedMS);
      await delay(POLL_MS);
    }
  }

  /** Resolves when every other process has found what was written on a cluster. @throws ClusterUnreachableError */
  async prove(reach: Reach, timeoutMS: number): Promise<void> {
    const { id, cluster } = reach;
    const startedAt = clock.now();
    const others = { _id: { $ne: this.#id } };
    await this.#with((processes) => processes.updateMany(others, { $addToSet: { proving: reach } }));
    try {
      for (;;) {
        await this.#with((processes) => processes.deleteMany(LAPSED));
        const [open, unable] = await Promise.all([
          this.#with((processes) => processes.countDocuments({ ...others, 'proving.id': id })),
          this.#with((processes) => processes.find({ 'unable.id': id }).toArray()),
        ]);
        const reasons = unable.flatMap((record) => record.unable!.filter((each) => each.id === id));
        if (reasons.length > 0) throw new ClusterUnreachableError(cluster, unable.length, reasons[0]!.reason);
        if (open === 0) return;
        const waitedMS = clock.now() - startedAt;
        if (waitedMS >= timeoutMS) throw new ClusterUnreachableError(cluster, open, `no answer within ${waitedMS} ms`);
        await delay(POLL_MS);
      }
    } finally {
      await this.#with((processes) => processes.updateMany({}, { $pull: { proving: { id }, unable: { id } } }));
    }
  }

  #answer(reaches: readonly Reach[] = []): void {
    for (const reach of reaches) {
      const { id, cluster, database } = reach;
      if (this.#proving.has(id)) continue;
      this.#proving.add(id);
      void this.#reasonAgainst(cluster, database, id)
        .then((reason) =>
          this.#with((processes) =>
            processes.updateOne(
              { _id: this.#id },
              { $pull: { proving: { id } }, ...(reason !== undefined && { $push: { unable: { id, reason } } }) },
            ),
          ),
        )
        .catch(() => {}) // who has asked waits no longer than it wants to
        .finally(() => this.#proving.delete(id));
    }
  }

  async #reasonAgainst(cluster: string, database: string, nonce: string): Promise<string | undefined> {
    try {
      return (await this.#holder.reach(cluster, database, nonce)) ? undefined : 'it is another cluster there';
    } catch (error) {
      return messageOf(error);
    }
  }

  #renew(): Promise<void> {
    return (this.#renewal ??= asNobody(() => this.#write()).finally(() => (this.#renewal = undefined)));
  }

  async #write(): Promise<void> {
    const startedAt = clock.now();
    const renewed = {
      isLate: { $lt: [{ $ifNull: ['$aliveUntil', new Date(0)] }, '$$NOW'] },
      aliveUntil: { $add: ['$$NOW', this.#leaseMS] },
      removing: { $ifNull: ['$removing', []] },
    };
    const record = await this.#with((processes) =>
      processes.findOneAndUpdate({ _id: this.#id }, [{ $set: renewed }], { upsert: true, returnDocument: 'after' }),
    );
    if (record!.isLate) this.#holder.forgetAll(); // tenants may have been dropped meanwhile without a word to this one
    this.#memberUntil = startedAt + this.#leaseMS; // before the server's idea of it
    this.#lockOut(record!.removing);
    this.#answer(record!.proving);
    this.#listen();
  }

  #listen(): void {
    clock.clear(this.#timer);
    const inMS = this.#leaving.size > 0 ? POLL_MS : Math.min(LISTEN_MS, this.#leaseMS / 4);
    this.#timer = clock.setTimeout(() => void this.#look(), inMS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const leftMS = this.#memberUntil - clock.now();
      const isNeeded = this.#holder.isRemembering() || this.#holder.isWorking();
      if (isNeeded && leftMS < (this.#leaseMS * 2) / 3) return await this.#renew();
      if (leftMS < -this.#leaseMS) return; // nobody waits for it any more
      const record = await this.#with((processes) => processes.findOne({ _id: this.#id }));
      this.#answer(record?.proving);
      if (record) await this.#hear(record.removing);
      else this.#memberUntil = Math.min(this.#memberUntil, clock.now());
    } catch (error) {
      if (error instanceof PolyMongoClosedError) return;
      // Its membership ends by itself; whoever needs it then is told why it cannot be had.
    }
    this.#listen();
  }

  /** A tenant is locked out at once, and acknowledged when it is looked at again: what was let in before has begun by then. */
  async #hear(removing: readonly string[]): Promise<void> {
    const known = [...this.#leaving];
    this.#lockOut(removing);
    for (const tenantId of known) {
      if (removing.includes(tenantId) && !(await this.#acknowledge(tenantId))) continue;
      this.#leaving.delete(tenantId);
      this.#holder.readmit(tenantId);
    }
  }

  #lockOut(removing: readonly string[]): void {
    for (const tenantId of removing) {
      if (this.#leaving.has(tenantId)) continue;
      this.#leaving.add(tenantId);
      this.#holder.lockOut(tenantId);
    }
  }

  async #acknowledge(tenantId: string): Promise<boolean> {
    if (!this.#holder.isIdle(tenantId)) return false;
    await this.#holder.letGo(tenantId);
    if (!this.#holder.isIdle(tenantId)) return false; // a disconnect hook has begun something
    await this.#with((processes) => processes.updateOne({ _id: this.#id }, { $pull: { removing: tenantId } }));
    return true;
  }

  /** Nobody has to wait for a process that has ended in order. */
  #leave(): Promise<unknown> | undefined {
    if (this.#timer === undefined) return undefined;
    clock.clear(this.#timer);
    return this.#holder.isWorking() ? undefined : this.#with((processes) => processes.deleteOne({ _id: this.#id }));
  }

  #with<T>(fn: (processes: mongo.Collection<ProcessRecord>) => Promise<T>): Promise<T> {
    return onRegistry(this.#pools, PROCESSES_COLLECTION, fn);
  }
}
