import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { onRegistry, TENANTS_COLLECTION } from './registry.collection.js';
import { databaseKey } from '../../polymongo.database-key.js';
import { TenantDatabaseTakenError } from './tenant.errors.js';
import { TenantBusyError, TenantRemovalError, TenantTakenOverError } from './tenant-work.errors.js';
import { DatabaseUniqueness, isDuplicateKey, type DatabaseOwner } from './tenant.uniqueness.js';
import { clock, delay } from '../../polymongo.clock.js';

export interface TenantRecord {
  _id: string;
  database: string;
  /** Unique. Records of earlier versions have none until they are first looked at. */
  databaseKey?: string;
  state: 'provisioning' | 'ready' | 'removing';
  /** The name of its cluster among `clusters`; without one it is where `tenant.connection` says. */
  cluster?: string;
  /** Its move to another cluster, which has not been confirmed or taken back. */
  move?: MoveRecord;
  /** That of its last move. */
  moveEpoch?: number;
  createdAt: Date;
  readyAt?: Date;
  /** What makes its database, and has not ended. */
  making?: 'clone' | 'restore';
  /** When it was last used, as far as `tenant.recordUseEveryMS` has it written down. */
  lastUsedAt?: Date;
  /** Who works on it now, and until when it is theirs unless they renew it. */
  owner?: string;
  ownedUntil?: Date;
}

/** A move, as far as the registry has to know of it; the rest is the mover's. */
export interface MoveRecord {
  readonly phase: string;
  readonly epoch: number;
}

/** What a record is owned for. */
export interface Ownership {
  tenantId: string;
  database: string;
  purpose: 'provision' | 'remove';
  /** How long to wait for another owner, in ms. */
  timeoutMS: number;
}

/** What an owner has of its ownership. */
export interface OwnershipHold {
  /** @throws TenantTakenOverError where another process has it */
  renew(): Promise<void>;
  /** Nobody can have taken it over yet, by this process's clock, which goes on while it is stopped. @throws TenantTakenOverError */
  assertFresh(): void;
}

const OWNED_MS = 30_000;
/** By the server's clock; those of the processes may differ. */
const SOON = { $add: ['$$NOW', OWNED_MS] };
const POLL_MS = 100;

/** The tenants that were provisioned, and the lock that lets one process at a time work on each. */
export class TenantRegistry {
  readonly #pools: PolyMongoPools;
  readonly #uniqueness: DatabaseUniqueness;

  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
    this.#uniqueness = new DatabaseUniqueness(pools);
  }

  /** As {@link recordOf}, for what lets tenants in. */
  async lookUp(tenantId: string): Promise<TenantRecord | undefined> {
    this.#uniqueness.checkOnce();
    return this.recordOf(tenantId);
  }

  /** What is written down about a tenant. */
  async recordOf(tenantId: string): Promise<TenantRecord | undefined> {
    return (await this.#with((tenants) => tenants.findOne({ _id: tenantId }))) ?? undefined;
  }

  /** Whose a database is, seen from a tenant. */
  ownerOf(database: string, tenantId: string): Promise<DatabaseOwner> {
    return this.#uniqueness.ownerOf(database, tenantId);
  }

  /** The records of all tenants, by id. */
  list(): Promise<TenantRecord[]> {
    return this.#with((tenants) => tenants.find().sort({ _id: 1 }).toArray());
  }

  /**
   * Runs `work` while this process alone owns the tenant's record. The record of a process that died is taken over
   * after 30 s.
   * @throws TenantBusyError when another process owns it for longer than `timeoutMS`; TenantTakenOverError;
   *   TenantDatabaseTakenError when another tenant has this database; TenantRemovalError when it is to be provisioned while it is being removed
   */
  async whileOwning<T>(
    { tenantId, database, purpose, timeoutMS }: Ownership,
    work: (record: TenantRecord, hold: OwnershipHold) => Promise<T>,
  ): Promise<T> {
    const owner = randomUUID();
    await this.#uniqueness.assertSole(tenantId, database);
    const record = await this.#own({ tenantId, database, purpose, timeoutMS }, owner);
    let renewedAtMS = clock.monotonic();
    const renew = async (): Promise<void> => {
      const beganAtMS = clock.monotonic();
      await this.#change(tenantId, owner, [{ $set: { ownedUntil: SOON } }]);
      renewedAtMS = beganAtMS;
    };
    const hold: OwnershipHold = {
      renew,
      assertFresh: () => {
        if (clock.monotonic() - renewedAtMS > OWNED_MS) throw new TenantTakenOverError(tenantId);
      },
    };
    const renewal = clock.setInterval(() => void renew().catch(() => {}), OWNED_MS / 3); // the next one may succeed
    renewal.unref();
    const disown = () => this.#update(tenantId, owner, [{ $unset: ['owner', 'ownedUntil'] }]);
    try {
      const result = await work(record, hold);
      await disown();
      return result;
    } catch (error) {
      await disown().catch(() => {}); // what counts is why the work failed; the ownership ends by itself
      throw error;
    } finally {
      clock.clear(renewal);
    }
  }

  /** Changes the state of a record that is owned. @throws TenantTakenOverError */
  async mark({ _id, owner }: TenantRecord, state: TenantRecord['state']): Promise<void> {
    const readyAt = state === 'ready' ? { readyAt: { $ifNull: ['$readyAt', '$$NOW'] } } : {};
    await this.#change(_id, owner!, [{ $set: { state, ...readyAt } }, { $unset: ['making'] }]);
  }

  /** Notes what makes the database of a record that is owned, until it is ready. @throws TenantTakenOverError */
  async begin({ _id, owner }: TenantRecord, making: NonNullable<TenantRecord['making']>): Promise<void> {
    await this.#change(_id, owner!, [{ $set: { making } }]);
  }

  /** Writes down on which cluster a tenant is whose record is owned. @throws TenantTakenOverError */
  async place({ _id, owner }: TenantRecord, cluster: string): Promise<void> {
    await this.#change(_id, owner!, [{ $set: { cluster: { $literal: cluster } } }]);
  }

  /**
   * Writes down how far the move of a tenant is whose record is owned, and where the tenant is, where it still was as before.
   * @param move undefined: it is over
   * @throws TenantTakenOverError
   */
  async writeMove(
    { _id, owner }: TenantRecord,
    before: MoveRecord | undefined,
    move: MoveRecord | undefined,
    cluster: string | null,
  ): Promise<void> {
    const set = {
      ...(move && { move, moveEpoch: move.epoch }),
      ...(cluster !== null && { cluster }),
    };
    const unset = { ...(!move && { move: '' }), ...(cluster === null && { cluster: '' }) };
    const filter = { _id, owner: owner!, 'move.phase': before ? before.phase : { $exists: false } };
    const { matchedCount } = await this.#with((tenants) =>
      tenants.updateOne(filter as mongo.Filter<TenantRecord>, {
        ...(Object.keys(set).length > 0 && { $set: set }),
        ...(Object.keys(unset).length > 0 && { $unset: unset as never }),
      }),
    );
    if (matchedCount === 0) throw new TenantTakenOverError(_id);
  }

  /** Writes down when tenants were used; of those that were not provisioned nothing. */
  async recordUse(uses: ReadonlyMap<string, Date>): Promise<void> {
    const updates = [...uses].map(([_id, lastUsedAt]) => ({
      updateOne: { filter: { _id }, update: { $max: { lastUsedAt } } },
    }));
    if (updates.length > 0) await this.#with((tenants) => tenants.bulkWrite(updates, { ordered: false }));
  }

  /** Takes a record out that is owned. @throws TenantTakenOverError */
  async remove({ _id, owner }: TenantRecord): Promise<void> {
    const { deletedCount } = await this.#with((tenants) => tenants.deleteOne({ _id, owner: owner! }));
    if (deletedCount === 0) throw new TenantTakenOverError(_id);
  }

  async #own(ownership: Ownership, owner: string): Promise<TenantRecord> {
    const { tenantId, timeoutMS } = ownership;
    const startedAt = clock.now();
    for (;;) {
      const record = await this.#tryOwn(ownership, owner);
      if (record) return record;
      const waitedMS = clock.now() - startedAt;
      if (waitedMS >= timeoutMS) throw new TenantBusyError(tenantId, waitedMS);
      await delay(POLL_MS);
    }
  }

  async #tryOwn({ tenantId, database, purpose }: Ownership, owner: string): Promise<TenantRecord | undefined> {
    const isFree = { $lt: [{ $ifNull: ['$ownedUntil', new Date(0)] }, '$$NOW'] };
    const isMine = purpose === 'remove' ? isFree : { $and: [isFree, { $ne: ['$state', 'removing'] }] };
    const ifMine = (field: string, value: unknown) => ({ $cond: [isMine, value, `$${field}`] });
    const own = {
      database: ifMine('database', { $literal: database }),
      databaseKey: ifMine('databaseKey', { $literal: databaseKey(database) }),
      owner: ifMine('owner', owner),
      ownedUntil: ifMine('ownedUntil', SOON),
      state: { $ifNull: ['$state', 'provisioning'] },
      createdAt: { $ifNull: ['$createdAt', '$$NOW'] },
    };
    try {
      const record = await this.#with((tenants) =>
        tenants.findOneAndUpdate({ _id: tenantId }, [{ $set: own }], {
          upsert: true,
          returnDocument: 'after',
        }),
      );
      if (record?.owner === owner) return record;
      if (record?.state === 'removing' && purpose === 'provision') throw new TenantRemovalError(tenantId);
      return undefined;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      if (isDuplicateKey(error, 'databaseKey')) throw new TenantDatabaseTakenError(database);
      return undefined; // another one has just made it
    }
  }

  /** Changes a record that is owned. @throws TenantTakenOverError */
  async #change(tenantId: string, owner: string, update: mongo.Document[]): Promise<void> {
    if (!(await this.#update(tenantId, owner, update))) throw new TenantTakenOverError(tenantId);
  }

  /** Changes a record; false when it is no longer this owner's. */
  async #update(tenantId: string, owner: string, update: mongo.Document[]): Promise<boolean> {
    const { matchedCount } = await this.#with((tenants) => tenants.updateOne({ _id: tenantId, owner }, update));
    return matchedCount > 0;
  }

  #with<T>(fn: (tenants: mongo.Collection<TenantRecord>) => Promise<T>): Promise<T> {
    return onRegistry(this.#pools, TENANTS_COLLECTION, fn);
  }
}
