import type { Connection } from 'mongoose';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  InjectPolyModel,
  InjectTenantModel,
  OnChange,
  OnDbConnect,
  OnDbDisconnect,
  Transactional,
  WithTenant,
  type Change,
  type PolyModel,
  type PolyMongoTenants,
  type PolyMongoWrapper,
  type TenantModel,
} from 'nestjs-polymongo';

interface Account {
  owner: string;
  balance: number;
}
type Accounts = PolyModel<Account>;
type TenantAccounts = TenantModel<Account>;

export async function pools(polymongo: PolyMongoWrapper, accounts: Accounts) {
  // #region pools
  // Saved now, connected with its first use, closed after a minute of quiet; the next call opens it again.
  polymongo.scale.setDB(['reports'], { maxConnections: 5, autoClose: true, ttl: 60_000 });

  // Connected when this resolves; `mongoURI` would put it on another cluster.
  await polymongo.scale.connectDB(['billing'], { maxConnections: 20 });

  await accounts.db('reports').countDocuments(); // on its own pool, like everything else on that database
  // #endregion
}

export async function statistics(polymongo: PolyMongoWrapper) {
  // #region stats
  const { totalActivePools, primary, separateDB } = polymongo.stats.general(); // from the driver's own events
  const { sizeMb, collections } = await polymongo.stats.db('billing');
  const changes = polymongo.stats.general$(); // an Observable that emits when something changes
  // #endregion
  return { totalActivePools, primary, separateDB, sizeMb, collections, changes };
}

// #region hooks
export class DatabaseHooks {
  @OnDbConnect() // any database; with names, those
  connected(connection: Connection) {
    console.log(`${connection.name} can be used`);
  }

  @OnDbDisconnect('billing')
  async disconnecting() {
    // awaited before the pool closes
  }
}
// #endregion

export async function transactions(polymongo: PolyMongoWrapper, accounts: Accounts) {
  // #region transaction
  await polymongo.transaction(async () => {
    await accounts.updateOne({ owner: 'Ada' }, { $inc: { balance: -10 } }); // the session travels by itself
    await accounts.db('archive').create({ owner: 'Ada', balance: -10 }); // another database of the same pool
  });

  await polymongo.transaction((session) => accounts.db('billing').updateOne({}, { balance: 0 }, { session }), {
    db: 'billing', // a database with a pool of its own
  });
  // #endregion
}

export class Transfers {
  constructor(@InjectPolyModel('Account') private readonly accounts: Accounts) {}
  // #region transactional
  @Transactional()
  async transfer(from: string, to: string, amount: number) {
    await this.accounts.updateOne({ owner: from }, { $inc: { balance: -amount } });
    await this.accounts.updateOne({ owner: to }, { $inc: { balance: amount } });
  }
  // #endregion
}

export function watching(accounts: Accounts) {
  // #region watch
  // Outlives restarts and elections from where it was; unsubscribing closes the stream on the server.
  const subscription = accounts
    .db('acme')
    .watch$({ operationTypes: ['insert', 'update'], fullDocument: 'updateLookup' })
    .subscribe((change) => console.log(change.operationType));
  // #endregion
  return subscription;
}

export class AccountWatcher {
  readonly seen: string[] = [];
  // #region on-change
  @OnChange({ model: 'Account', operationTypes: ['insert'], retry: { attempts: 3 } })
  async opened(change: Change<Account>) {
    this.seen.push(change.operationType); // one at a time; with a tokenStore, at least once across restarts
  }
  // #endregion
}

export async function tenants(tenants: PolyMongoTenants, accounts: TenantAccounts) {
  // #region tenants
  await tenants.provision('acme'); // collections, indexes and seeds; again makes only what is missing
  const total = await tenants.run('acme', () => accounts.countDocuments()); // a job, a script, a queue

  const report = await tenants.forEach(() => accounts.countDocuments(), { concurrency: 4, onError: 'collect' });
  // #endregion
  return { total, report };
}

interface Job {
  tenantId: string;
  owner: string;
}

export class Jobs {
  constructor(@InjectTenantModel('Account') private readonly accounts: TenantAccounts) {}
  // #region with-tenant
  @WithTenant((job: Job) => job.tenantId)
  async process(job: Job) {
    await this.accounts.create({ owner: job.owner, balance: 0 });
  }
  // #endregion
}

export async function backups({ bulkTasks }: PolyMongoWrapper, file: string) {
  // #region bulk
  await bulkTasks.copyDatabase('acme', 'acme_copy'); // inside the server where it can, raw BSON where not
  await pipeline(bulkTasks.exportStream('acme'), createWriteStream(file));
  const summary = await bulkTasks.importStream('acme_restored', createReadStream(file));
  await bulkTasks.dropDatabase('acme_copy');
  // #endregion
  return summary;
}
