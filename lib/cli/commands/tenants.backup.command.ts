import type { Command } from 'commander';
import { Option } from 'commander';
import { mkdir } from 'node:fs/promises';
import type { BackupManifest, TenantRestoration } from '../../providers/tenant/tenant.backups.js';
import type { TenantResult } from '../../providers/tenant/tenant.fan-out.js';
import type { PolyMongoTenants } from '../../providers/tenant/polymongo-tenants.provider.js';
import { type CliIO, UsageError } from '../cli.io.js';
import type { GlobalOptions } from '../cli.session.js';
import { writeJSON, writeLine, writeTable } from '../output.js';
import { plural } from '../plural.js';
import { formatBytes, ProgressLine } from '../progress.line.js';
import { concludeRun } from './tenants.results.js';
import { parseCount, withConfig, withTenants, type ConfigFlags } from './tenants.session.js';

interface Flags extends ConfigFlags {
  readonly all?: boolean;
  readonly out: string;
  readonly from: string;
  readonly as?: string;
  readonly drop?: boolean;
  readonly format?: 'json' | 'archive';
  readonly snapshot: boolean;
  readonly concurrency?: number;
}

/** `polymongo tenants backup`, `verify`, `restore` and `clone`. */
export function addBackupCommands(tenants: Command, io: CliIO, exit: (code: number) => void): void {
  withMany(tenants.command('backup'))
    .description('write a backup of each tenant: its data, and a manifest to verify it by')
    .requiredOption('-o, --out <folder>', 'where to; made where it is not there, and nothing in it is replaced')
    .addOption(new Option('--format <format>', 'of the data (default: json)').choices(['json', 'archive']))
    .option('--no-snapshot', 'read while others write, where the server has no snapshots')
    .action(async (ids: string[], _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const { out, format, snapshot } = flags;
      const options = selectionOf(ids, flags, io);
      await mkdir(out, { recursive: true });
      await onEach(flags, io, exit, 'Backed up', (all, more) =>
        all.backup({ ...options, ...more, to: out, snapshot, ...(format && { format }) }),
      );
    });

  withMany(tenants.command('verify'))
    .description('read backups to their end, and compare them with their manifests')
    .requiredOption('--from <folder>', 'where they are')
    .action(async (ids: string[], _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const options = selectionOf(ids, flags, io);
      await onEach(flags, io, exit, 'Whole:', (all, more) => all.verify({ ...options, ...more, from: flags.from }));
    });

  withConfig(tenants.command('restore'))
    .argument('<id>', 'the tenant that the backup is of')
    .description('restore a tenant from its backup; run again it goes on')
    .requiredOption('--from <folder>', 'where the backup is')
    .option('--as <id>', 'as this tenant (default: the same)')
    .option('--drop', 'in the place of what the tenant has')
    .action(async (id: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const { from, as, drop = false } = flags;
      await withTenants(flags, io, async (all) => {
        const restored = await all.restore(id, { from, drop, signal: io.signal, ...(as !== undefined && { as }) });
        tell(io, flags, 'Restored', restored);
      });
    });

  withConfig(tenants.command('clone'))
    .argument('<id>', 'the tenant')
    .argument('<new-id>', 'the new one')
    .description('copy a tenant to a new one')
    .option('--no-snapshot', 'read while others write, where the server has no snapshots')
    .action(async (id: string, newId: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const { snapshot } = flags;
      await withTenants(flags, io, async (all) =>
        tell(io, flags, 'Cloned', await all.clone(id, newId, { snapshot, signal: io.signal })),
      );
    });
}

const withMany = (command: Command): Command =>
  withConfig(command)
    .argument('[ids...]', 'which')
    .option('--all', 'all tenants')
    .option('--concurrency <n>', 'tenants at the same time (default: 4)', parseCount);

type Many = Parameters<PolyMongoTenants['forEach']>[1] & object;

/** @throws UsageError */
function selectionOf(ids: readonly string[], { all, concurrency }: Flags, { signal }: CliIO): Many {
  if (ids.length > 0 === (all === true)) throw new UsageError('Say for which tenants: their ids, or --all.');
  return {
    signal,
    onError: 'collect',
    ...(ids.length > 0 && { tenants: ids }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

async function onEach(
  flags: Flags,
  io: CliIO,
  exit: (code: number) => void,
  done: string,
  start: (tenants: PolyMongoTenants, more: Many) => AsyncIterable<TenantResult<BackupManifest>>,
): Promise<void> {
  const line = new ProgressLine(io, !flags.json && !flags.quiet);
  await withTenants(flags, io, async (all) => {
    const run = start(all, { onProgress: line.showTenants });
    exit(await concludeRun(run, io, flags, line, (results) => writeResults(io, flags, done, results)));
  });
}

function writeResults(
  { stdout, stderr }: CliIO,
  { quiet }: GlobalOptions,
  done: string,
  results: readonly TenantResult<BackupManifest>[],
): void {
  const whole = results.flatMap((result) => (result.ok ? [result.value] : []));
  if (!quiet && whole.length > 0) {
    const rows = whole.map((each) => [
      each.tenantId,
      documentsOf(each),
      each.collections.length,
      formatBytes(each.bytes),
    ]);
    writeTable(stdout, ['TENANT', 'DOCUMENTS', 'COLLECTIONS', 'SIZE'], rows);
    writeLine(stdout, `${done} ${whole.length} of ${results.length}.`);
  }
  for (const result of results)
    if (!result.ok) writeLine(stderr, `polymongo: ${result.tenantId}: ${(result.error as Error).message}`);
}

function tell({ stdout }: CliIO, { json, quiet }: GlobalOptions, done: string, restored: TenantRestoration): void {
  const { tenantId, database, collections } = restored;
  if (json)
    writeJSON(stdout, {
      tenantId,
      database,
      collections: collections.map(({ name, documents }) => ({ name, documents })),
    });
  else if (!quiet)
    writeLine(
      stdout,
      `${done}: ${tenantId}, ${plural(documentsOf(restored), 'document')} in ${plural(collections.length, 'collection')}.`,
    );
}

const documentsOf = ({ collections }: Pick<TenantRestoration, 'collections'>): number =>
  collections.reduce((sum, { documents }) => sum + documents, 0);
