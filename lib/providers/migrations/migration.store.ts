import type { mongo } from 'mongoose';
import type { Database } from '../databases/database.js';
import { outsideTransaction } from '../sessions/active.transaction.js';
import { onShared } from '../tenant/registry.collection.js';
import { isDuplicateKey } from '../tenant/tenant.uniqueness.js';
import { MigrationTakenOverError } from './migration.errors.js';
import type { MigrationRecords } from './migration.types.js';

/** Where a tenant's migrations are written down, in its own database. */
const MIGRATIONS_COLLECTION = 'polymongo_migrations';

/**
 * One document has it all, so that each write of it asserts the epoch by its filter, with or without a transaction. In a
 * transaction such a write conflicts with every takeover, and with nothing else: heartbeats go to a document of their own.
 */
interface StateDocument {
  _id: 'state';
  /** One more with every process that takes the lock. */
  epoch: number;
  owner: string | null;
  /** Until when the lock is held without a heartbeat, by the server's clock. */
  ownedUntil: Date;
  migrations: MigrationRecords;
}

interface HeartbeatDocument {
  _id: 'heartbeat';
  epoch: number;
  /** By the server's clock. */
  aliveUntil: Date;
}

/** What a tenant's database says of its migrations. */
export interface MigrationState {
  readonly epoch: number;
  /** Some process has the lock, or had it when it died. */
  readonly isOwned: boolean;
  readonly records: MigrationRecords;
}

/** Who holds the lock, and at which epoch: what every write asserts. */
export interface Holder {
  readonly epoch: number;
  readonly owner: string;
}

/** The state of one tenant's migrations in its database: read on the primary, written on a majority. */
export class MigrationStore {
  constructor(
    readonly tenantId: string,
    readonly database: Database,
  ) {}

  /** Writes nothing; undefined where no migration has ever been looked for. */
  async read(): Promise<MigrationState | undefined> {
    const state = await this.#with<StateDocument, StateDocument | null>((states) => states.findOne({ _id: 'state' }));
    return state ? stateOf(state) : undefined;
  }

  /** Has the state be there. */
  async create(): Promise<void> {
    const initial = { epoch: 0, owner: null, ownedUntil: new Date(0), migrations: {} };
    await this.#with<StateDocument, unknown>((states) =>
      states.updateOne({ _id: 'state' }, { $setOnInsert: initial }, { upsert: true }).catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error; // another one has just made it
      }),
    );
  }

  /** The holder of this epoch has been heard of lately. */
  async isAlive(epoch: number): Promise<boolean> {
    const isAhead = { $expr: { $gt: ['$aliveUntil', '$$NOW'] } };
    const heartbeat = await this.#with<HeartbeatDocument, unknown>((beats) =>
      beats.findOne({ _id: 'heartbeat', epoch, ...isAhead }),
    );
    return heartbeat !== null;
  }

  /** Gives the lock to a new owner, unless somebody else has just got it; the state as it is then. */
  async take(seen: MigrationState, owner: string, lockMS: number): Promise<MigrationState | undefined> {
    const isFree = { $or: [{ $eq: ['$owner', null] }, { $lt: ['$ownedUntil', '$$NOW'] }] };
    const taken = { epoch: seen.epoch + 1, owner, ownedUntil: { $add: ['$$NOW', lockMS] } };
    const state = await this.#with<StateDocument, StateDocument | null>((states) =>
      states.findOneAndUpdate({ _id: 'state', epoch: seen.epoch, $expr: isFree }, [{ $set: taken }], {
        returnDocument: 'after',
      }),
    );
    return state ? stateOf(state) : undefined;
  }

  /** Tells that the holder lives. @throws MigrationTakenOverError where there is a later one */
  async beat({ epoch }: Holder, lockMS: number): Promise<void> {
    const alive = { epoch, aliveUntil: { $add: ['$$NOW', lockMS] } };
    try {
      await this.#with<HeartbeatDocument, unknown>((beats) =>
        beats.updateOne({ _id: 'heartbeat', epoch: { $lte: epoch } }, [{ $set: alive }], { upsert: true }),
      );
    } catch (error) {
      throw isDuplicateKey(error) ? new MigrationTakenOverError(this.tenantId) : error;
    }
  }

  /** Writes as the holder. @throws MigrationTakenOverError, also where the state is not as `where` says */
  async write(
    { epoch, owner }: Holder,
    update: mongo.UpdateFilter<mongo.Document>,
    { session, where }: { session?: mongo.ClientSession; where?: mongo.Document } = {},
  ): Promise<void> {
    const filter = { ...where, _id: 'state' as never, epoch, owner };
    const { matchedCount } = await this.#with<mongo.Document, mongo.UpdateResult>((states) =>
      states.updateOne(filter, update, session && { session }),
    );
    if (matchedCount === 0) throw new MigrationTakenOverError(this.tenantId);
  }

  #with<D extends mongo.Document, T>(fn: (collection: mongo.Collection<D>) => Promise<T>): Promise<T> {
    return outsideTransaction(() => onShared(this.database, MIGRATIONS_COLLECTION, fn));
  }
}

const stateOf = ({ epoch, owner, migrations }: StateDocument): MigrationState => ({
  epoch,
  isOwned: owner !== null,
  records: migrations,
});
