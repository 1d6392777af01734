import { hash } from 'node:crypto';
import { messageOf } from '../../../polymongo.errors.js';
import type { BackupManifest } from '../../tenant/tenant.backups.js';
import { BackupDamagedError } from './backup.errors.js';

/** A manifest is small; what is larger is none. */
const MAX_BYTES = 64 * 1024 * 1024;
const KIND = 'polymongo-backup';

/** The text of the file: the manifest, and what tells that no byte of it has changed. */
export function writeManifest(manifest: BackupManifest): string {
  const text = JSON.stringify(manifest, null, 1);
  return `${text}\n${hash('sha256', text)}\n`;
}

/** @throws BackupDamagedError */
export async function readManifest(tenantId: string, source: AsyncIterable<Uint8Array>): Promise<BackupManifest> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) throw new BackupDamagedError(tenantId, ['its manifest is too large to be one']);
  }
  const text = Buffer.concat(chunks).toString();
  const [, body, checksum] = /^([\s\S]*)\n([0-9a-f]{64})\n$/.exec(text) ?? [];
  if (body === undefined || hash('sha256', body) !== checksum || Buffer.byteLength(text) !== length)
    throw new BackupDamagedError(tenantId, ['its manifest is not as it was written']);
  const manifest = parse(tenantId, body);
  if (manifest.kind !== KIND || manifest.version !== 1)
    throw new BackupDamagedError(tenantId, [
      `its manifest is of another kind or version (${String(manifest.version)})`,
    ]);
  return manifest;
}

function parse(tenantId: string, text: string): BackupManifest {
  try {
    return JSON.parse(text) as BackupManifest;
  } catch (error) {
    throw new BackupDamagedError(tenantId, [`its manifest is no JSON: ${messageOf(error)}`], error);
  }
}
