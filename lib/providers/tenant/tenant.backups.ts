import type { Readable, Writable } from 'node:stream';
import type { ForEachOptions } from './tenant.fan-out.js';
import type { TenantRun } from './tenant.run.js';

/** The two files of a tenant's backup: its documents, and what they have to be. */
export type BackupPart = 'data' | 'manifest';

/** Where backups go: a folder that is there, or a function that opens what takes a part of one. */
export type BackupTarget = string | ((tenantId: string, part: BackupPart) => Writable | Promise<Writable>);

/** Where backups are: the folder, or a function that opens a part of one, each time it is asked. */
export type BackupSource = string | ((tenantId: string, part: BackupPart) => Readable | Promise<Readable>);

/** Where backups go, and what they are. */
export interface BackupOptions extends ForEachOptions {
  /** A folder that is there, or what opens the parts. In the folder nothing is replaced. */
  to: BackupTarget;
  /** `json` (default) is canonical, one document a line; `archive` is what mongorestore reads. Both are gzipped. */
  format?: 'archive' | 'json';
  /** Read each tenant as it was at one moment. Default true; replica sets only. */
  snapshot?: boolean;
}

/** One collection of a backup. */
export interface BackupCollection {
  /** As it is called in the database. */
  readonly name: string;
  /** `collection`, `view` or `timeseries`. */
  readonly type: string;
  /** How many documents; of a time series in an archive its buckets. */
  readonly documents: number;
  /** Of all documents, whatever their order: each one's SHA-256 in eight numbers of 32 bits, added up. Hexadecimal. */
  readonly hash: string;
  /** As `listCollections` gives them, in canonical Extended JSON. */
  readonly options: string;
  /** As `listIndexes` gives them, in canonical Extended JSON, sorted. */
  readonly indexes: readonly string[];
}

/** What a backup has to be. */
export interface BackupManifest {
  /** What tells it from other files. */
  readonly kind: 'polymongo-backup';
  /** Of this description. */
  readonly version: 1;
  /** The tenant that it is of. */
  readonly tenantId: string;
  /** The name that the tenant's database had. */
  readonly database: string;
  /** Of the data. */
  readonly format: 'archive' | 'json';
  /** When it began; ISO 8601. */
  readonly startedAt: string;
  /** Of MongoDB. */
  readonly serverVersion: string;
  /** The tenant's last migration that was done; null where none was. */
  readonly migration: string | null;
  /** All of it is as it was at one moment. */
  readonly isSnapshot: boolean;
  /** Sorted by name. */
  readonly collections: readonly BackupCollection[];
  /** Of the data as it is in the file. */
  readonly bytes: number;
  /** SHA-256 of those bytes, hexadecimal. */
  readonly sha256: string;
}

/** Which backups to verify: those of `tenants`, by default of all that `list()` gives. */
export interface VerifyOptions extends ForEachOptions {
  /** The folder that they are in, or what opens their parts. */
  from: BackupSource;
}

/** Which backup to restore, and where. */
export interface RestoreOptions {
  /** Where it is: as for `verify`. */
  from: BackupSource;
  /** The tenant to restore it as. Default: the one it is of. */
  as?: string;
  /** Replace what that tenant has. Default false: it is refused where it has anything. */
  drop?: boolean;
  /** Ends it; what was staged stays, and the next `restore` goes on with it. */
  signal?: AbortSignal;
  /** How long to wait for another process that works on the tenant, in ms. Default 60000. */
  timeoutMS?: number;
}

/** What was restored, or cloned. */
export interface TenantRestoration {
  /** The tenant that has it now. */
  readonly tenantId: string;
  /** The name of its database. */
  readonly database: string;
  /** How many documents each collection has; of a time series in an archive how many buckets. */
  readonly collections: readonly { readonly name: string; readonly documents: number }[];
}

/** How a tenant is cloned. */
export interface CloneOptions {
  /** Read it as it was at one moment. Default true; replica sets only. */
  snapshot?: boolean;
  /** Ends it; the next `clone` begins anew. */
  signal?: AbortSignal;
  /** How long to wait for another process that works on the new tenant, in ms. Default 60000. */
  timeoutMS?: number;
}

/** What `PolyMongoTenants` has of the backups, which come after it. */
export interface TenantBackups {
  backup(options: BackupOptions): TenantRun<BackupManifest>;
  verify(options: VerifyOptions): TenantRun<BackupManifest>;
  restore(tenantId: string, options: RestoreOptions): Promise<TenantRestoration>;
  clone(tenantId: string, newId: string, options: CloneOptions): Promise<TenantRestoration>;
}
