import { checkOptions, checks, oneOf, type Checks } from '../../polymongo.checks.js';
import { redactURI } from '../../polymongo.uri.js';
import type { Database } from '../databases/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { TenantDatabases } from './tenant.databases.js';
import type { TenantRecord, TenantRegistry } from './tenant.registry.js';
import type { TenantSuspension, TenantSuspensions } from './tenant.suspensions.js';
import type { TenantUse } from './tenant.use.js';
import { clock } from '../../polymongo.clock.js';

/** What is known of a tenant without asking its database. */
export interface TenantInfo {
  /** The tenant's id. */
  readonly tenantId: string;
  /** The name of its database. */
  readonly database: string;
  /** As it was provisioned; `found`: it never was, there is a database with a tenant's name. */
  readonly state: 'provisioning' | 'ready' | 'removing' | 'found';
  /** When it was first provisioned, by the server's clock. */
  readonly createdAt: Date | undefined;
  /** The name of its cluster, by the registry; undefined where it is on the one that `tenant.connection` says, or the primary one. */
  readonly cluster: string | undefined;
  /** Since when it is not served, and why. */
  readonly suspension: TenantSuspension | undefined;
  /** When work last began for it: in this process, and in all others with `tenant.recordUseEveryMS`. */
  readonly lastUsedAt: Date | undefined;
}

/** The same, with what its database says. */
export interface TenantOverview extends TenantInfo {
  /** The pool that serves it: its database's name, or the default database's for the primary pool. */
  readonly pool: string;
  /** The name of its cluster; where it has none, the connection string without credentials. */
  readonly cluster: string;
  /** Documents of all collections, by the server's estimate. */
  readonly documents: number;
  /** Collections without views and `system.*`. */
  readonly collections: number;
  /** Size of the documents before compression, in MB (1024² bytes). */
  readonly sizeMb: number;
  /** Its last migration that is done; undefined where none is, or there are no migrations here. */
  readonly version: string | undefined;
  /** When the database was asked. */
  readonly readAt: Date;
}

/** Which tenants to find: those for which all of these hold. */
export interface TenantCriteria {
  /** How far it is with being provisioned. */
  readonly state?: TenantInfo['state'];
  /** It is suspended, or is not. */
  readonly isSuspended?: boolean;
  /** Not used since then: before, or never as far as is known. */
  readonly unusedSince?: Date;
  /** Provisioned before then. */
  readonly createdBefore?: Date;
  /** How its id begins. */
  readonly startsWith?: string;
  /** On the cluster of this name. */
  readonly cluster?: string;
}

/** What the census asks of others. */
export interface CensusSources {
  sizesOf(database: string): Promise<{ sizeMb: number; collections: readonly { docCount: number }[] }>;
  versionOf(tenantId: string): Promise<string | undefined>;
  lookAt<T>(tenantId: string, fn: (database: Database) => Promise<T>): Promise<T>;
}

/** As many overviews are remembered. */
const MAX_REMEMBERED = 10_000;
const date = { allowed: 'a Date', accepts: (v: unknown) => v instanceof Date && !Number.isNaN(v.getTime()) };
const CRITERIA_CHECKS: Checks<TenantCriteria> = {
  state: oneOf('provisioning', 'ready', 'removing', 'found'),
  isSuspended: checks.boolean,
  unusedSince: date,
  createdBefore: date,
  startsWith: checks.string,
  cluster: checks.string,
};

/** What there is to know of each tenant. */
export class TenantCensus {
  readonly #remembered = new Map<string, TenantOverview>();

  constructor(
    private readonly pools: PolyMongoPools,
    private readonly databases: TenantDatabases,
    private readonly registry: TenantRegistry,
    private readonly suspensions: TenantSuspensions,
    private readonly use: TenantUse,
    private readonly sources: CensusSources,
  ) {
    pools.events.on('tenantDeprovisioned', ({ tenantId }) => void this.#remembered.delete(tenantId));
  }

  /** @param found the ids of tenants that may have no record @throws PolyMongoOptionsError */
  async find(criteria: TenantCriteria, found: () => Promise<readonly string[]>): Promise<TenantInfo[]> {
    checkOptions('find.', criteria, CRITERIA_CHECKS);
    const [records, suspended] = await Promise.all([this.registry.list(), this.suspensions.list()]);
    const byId = new Map(records.map((record) => [record._id, record]));
    const ids = new Set([...byId.keys(), ...(await found())]);
    return [...ids]
      .sort()
      .map((tenantId) => this.#infoOf(tenantId, byId.get(tenantId), suspended.get(tenantId)))
      .filter((info) => meets(info, criteria));
  }

  /** @param maxAgeMS how old what is remembered of it may be */
  async overview(tenantId: string, maxAgeMS: number): Promise<TenantOverview> {
    const known = this.#remembered.get(tenantId);
    if (known && clock.now() - known.readAt.getTime() <= maxAgeMS) return known;
    const overview = await this.sources.lookAt(tenantId, (database) => this.#look(tenantId, database));
    this.#remembered.delete(tenantId);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(tenantId, overview);
    return overview;
  }

  async #look(tenantId: string, { name }: Database): Promise<TenantOverview> {
    const readAt = new Date();
    const record = await this.registry.recordOf(tenantId);
    const suspended = await this.suspensions.list();
    const { sizeMb, collections } = await this.sources.sizesOf(name);
    const version = await this.sources.versionOf(tenantId);
    const { config } = this.pools.poolOf(name);
    const info = this.#infoOf(tenantId, record, suspended.get(tenantId));
    return {
      ...info,
      pool: config.dbName,
      cluster: info.cluster ?? redactURI(config.mongoURI),
      documents: collections.reduce((sum, { docCount }) => sum + docCount, 0),
      collections: collections.length,
      sizeMb,
      version,
      readAt,
    };
  }

  #infoOf(tenantId: string, record: TenantRecord | undefined, suspension: TenantSuspension | undefined): TenantInfo {
    const database = record?.database ?? this.databases.nameFor(tenantId);
    const uses = [this.use.of(database), record?.lastUsedAt].filter((at) => at !== undefined);
    return {
      tenantId,
      database,
      state: record?.state ?? 'found',
      createdAt: record?.createdAt,
      cluster: record?.cluster,
      suspension,
      lastUsedAt: uses.length > 0 ? new Date(Math.max(...uses.map(Number))) : undefined,
    };
  }
}

function meets(tenant: TenantInfo, criteria: TenantCriteria): boolean {
  const { tenantId, state, suspension, lastUsedAt, createdAt } = tenant;
  const { isSuspended, unusedSince, createdBefore, startsWith } = criteria;
  return (
    (criteria.state === undefined || state === criteria.state) &&
    (isSuspended === undefined || isSuspended === (suspension !== undefined)) &&
    (unusedSince === undefined || lastUsedAt === undefined || lastUsedAt < unusedSince) &&
    (createdBefore === undefined || (createdAt !== undefined && createdAt < createdBefore)) &&
    (startsWith === undefined || tenantId.startsWith(startsWith)) &&
    (criteria.cluster === undefined || tenant.cluster === criteria.cluster)
  );
}
