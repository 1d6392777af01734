import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isCausedBy } from '../../../polymongo.errors.js';
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
    const isOwn = await isSettled(stream.summary);
    throw expiredOr(tenantId, isOwn ? await stream.summary.catch((reason: unknown) => reason) : error);
  } finally {
    stream.destroy();
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

/** The stream's own error says why it ended; what its reader gets may say only that it did. One that nobody read has none. */
const isSettled = (summary: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    summary.then(
      () => false,
      () => true,
    ),
    setImmediate(false),
  ]);

/** A SnapshotExpiredError where the server said so, else the error. */
export function expiredOr(tenantId: string, error: unknown): unknown {
  const isExpired = isCausedBy(error, (cause) => EXPIRED.has((cause as { code?: unknown }).code));
  return isExpired ? new SnapshotExpiredError(tenantId, error) : error;
}
