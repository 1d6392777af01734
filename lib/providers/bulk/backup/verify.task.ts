import { messageOf } from '../../../polymongo.errors.js';
import type { BackupManifest, BackupSource } from '../../tenant/tenant.backups.js';
import { BulkFormatError } from '../bulk.errors.js';
import { readImportEvents } from '../codecs/import.events.reader.js';
import { BackupContents, differencesOf } from './backup.contents.js';
import { BackupDamagedError } from './backup.errors.js';
import { readManifest } from './backup.manifest.js';
import { openPart } from './backup.place.js';
import { CountedBytes } from './counted.bytes.js';

/** Reads a backup to its end and compares it with its manifest. @throws BackupDamagedError; what opening its parts throws */
export async function verifyBackup(tenantId: string, from: BackupSource, signal: AbortSignal): Promise<BackupManifest> {
  const manifest = await readManifest(tenantId, await openPart(from, tenantId, 'manifest', undefined, signal));
  if (manifest.tenantId !== tenantId)
    throw new BackupDamagedError(tenantId, [`it is one of tenant ${manifest.tenantId}`]);
  const contents = new BackupContents();
  const counted = new CountedBytes();
  const stop = () => void data.destroy();
  const data = await openPart(from, tenantId, 'data', manifest.format, signal);
  signal.addEventListener('abort', stop, { once: true }); // a source that gives nothing would be waited for
  try {
    const source = counted.through(data);
    for await (const event of readImportEvents(source, { format: manifest.format, signal })) contents.take(event);
    for await (const _ of source); // what comes after its end
  } catch (error) {
    signal.throwIfAborted();
    if (!isOfTheFile(error)) throw error;
    throw new BackupDamagedError(tenantId, [`it cannot be read: ${messageOf(error)}`], error);
  } finally {
    signal.removeEventListener('abort', stop);
    data.destroy();
  }
  signal.throwIfAborted();
  const differences = differencesOf(manifest.collections, contents.collections);
  if (counted.bytes !== manifest.bytes) differences.push(`${counted.bytes} bytes, not ${manifest.bytes}`);
  else if (counted.digest() !== manifest.sha256) differences.push('other bytes');
  if (differences.length > 0) throw new BackupDamagedError(tenantId, differences);
  return manifest;
}

/** It says what is wrong with the bytes, and not that they could not be had. */
const isOfTheFile = (error: unknown): boolean =>
  error instanceof BulkFormatError || /^Z_/.test(String((error as { code?: unknown }).code));
