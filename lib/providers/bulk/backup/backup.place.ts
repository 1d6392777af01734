import { randomUUID } from 'node:crypto';
import { link, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupPart, BackupSource, BackupTarget } from '../../tenant/tenant.backups.js';
import { BackupExistsError, BackupMissingError } from './backup.errors.js';

const MANIFEST = '.manifest.json';
const DATA = { archive: 'archive.gz', json: 'json.gz' } as const;
type Format = keyof typeof DATA;

/** A tenant's id may be anything that `tenant.pattern` allows. */
const fileOf = (folder: string, tenantId: string, part: BackupPart, format: Format): string =>
  join(folder, encodeURIComponent(tenantId) + (part === 'data' ? `.${DATA[format]}` : MANIFEST));

/** Writes one part of a backup, to its end. In a folder it has its name once it is complete. @throws BackupExistsError */
export async function writePart(
  target: BackupTarget,
  { tenantId, part, format }: { tenantId: string; part: BackupPart; format: Format },
  content: Readable,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (typeof target === 'function')
      return await pipeline(content, (await ended(signal, () => target(tenantId, part))) as Writable, { signal });
    await writeFile(fileOf(target, tenantId, part, format), tenantId, content, signal);
  } finally {
    content.destroy();
  }
}

async function writeFile(file: string, tenantId: string, content: Readable, signal: AbortSignal): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.part`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await pipeline(content, handle.createWriteStream({ flush: true }), { signal });
    await link(unfinished, file); // unlike a rename it replaces nothing
  } catch (error) {
    throw (error as { code?: unknown }).code === 'EEXIST' ? new BackupExistsError(tenantId, file) : error;
  } finally {
    await unlink(unfinished).catch(() => {});
  }
}

/** @throws BackupExistsError before anything is read */
export async function assertFree(target: BackupTarget, tenantId: string, format: Format): Promise<void> {
  if (typeof target === 'function') return;
  for (const part of ['data', 'manifest'] as const) {
    const file = fileOf(target, tenantId, part, format);
    const found = await open(file).catch(() => undefined);
    await found?.close();
    if (found) throw new BackupExistsError(tenantId, file);
  }
}

/** The tenants of whom there are backups in a folder. @throws the error of a folder that cannot be read */
export async function backupsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const found = names.filter((name) => name.endsWith(MANIFEST)).map((name) => name.slice(0, -MANIFEST.length));
  if (found.length === 0) throw new BackupMissingError('*', join(folder, `*${MANIFEST}`), undefined);
  return found.map(decodeURIComponent).sort();
}

/** Opens one part of a backup. */
export async function openPart(
  source: BackupSource,
  tenantId: string,
  part: BackupPart,
  format: Format = 'json',
  signal?: AbortSignal,
): Promise<Readable> {
  if (typeof source === 'function') return ended(signal, () => source(tenantId, part));
  const file = fileOf(source, tenantId, part, format);
  const handle = await open(file).catch((error: unknown) => {
    throw new BackupMissingError(tenantId, file, error);
  });
  return handle.createReadStream();
}

/** What somebody opens, who may never answer. @throws the signal's reason */
async function ended<T>(signal: AbortSignal | undefined, open: () => T | Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal!.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([open(), aborted]);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
