import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { BackupManifest, BackupOptions } from '../../tenant/tenant.backups.js';
import type { ExportStream, ExportStreamOptions } from '../bulk.types.js';
import { BackupContents } from './backup.contents.js';
import { SnapshotExpiredError } from './backup.errors.js';
import { writeManifest } from './backup.manifest.js';
import { assertFree, writePart } from './backup.place.js';
import { CountedBytes } from './counted.bytes.js';

/** SnapshotTooOld, SnapshotUnavailable. */
const EXPIRED: ReadonlySet<unknown> = new Set([239, 246]);

/** What a backup is of, and what it reads it by. */
export interface BackupSubject {
  readonly tenantId: string;
  readonly database: string;
  readonly serverVersion: string;
  readonly migration: string | undefined;
  read(options: ExportStreamOptions, contents: BackupContents): ExportStream;
}

/** Writes one tenant's backup: its data, and when that is complete the manifest. @throws BackupExistsError, SnapshotExpiredError */
export async function backUp(
  { tenantId, database, serverVersion, migration, read }: BackupSubject,
  { to, format = 'json', snapshot = true }: BackupOptions,
  signal: AbortSignal,
): Promise<BackupManifest> {
  await assertFree(to, tenantId, format);
  const startedAt = new Date().toISOString();
  const contents = new BackupContents();
  const counted = new CountedBytes();
  const stream = read({ format, snapshot, gzip: true, signal }, contents);
  try {
    await writePart(to, { tenantId, part: 'data', format }, Readable.from(counted.through(stream)), signal);
    await stream.summary;
  } catch (error) {
    signal.throwIfAborted();
    throw (await isExpired(stream, error)) ? new SnapshotExpiredError(tenantId, error) : error;
  } finally {
    if (!stream.closed) await once(stream.destroy(), 'close');
  }
  const manifest: BackupManifest = {
    kind: 'polymongo-backup',
    version: 1,
    tenantId,
    database,
    format,
    startedAt,
    serverVersion,
    migration: migration ?? null,
    isSnapshot: snapshot,
    collections: contents.collections,
    bytes: counted.bytes,
    sha256: counted.digest(),
  };
  await writePart(to, { tenantId, part: 'manifest', format }, Readable.from([writeManifest(manifest)]), signal);
  return manifest;
}

/** The stream's own error says why it ended; what its reader gets may say only that it did. */
async function isExpired({ summary }: ExportStream, error: unknown): Promise<boolean> {
  const own = await summary.then(
    () => error,
    (reason: unknown) => reason,
  );
  for (let cause: unknown = own; cause instanceof Error; cause = cause.cause)
    if (EXPIRED.has((cause as { code?: unknown }).code)) return true;
  return false;
}
