import type { Command } from 'commander';
import { Option } from 'commander';
import type { TenantStatsOptions } from '../../providers/tenant/polymongo-tenants.provider.js';
import type { TenantCriteria, TenantInfo, TenantOverview } from '../../providers/tenant/tenant.census.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { writeJSON, writeLine, writeTable } from '../output.js';
import { plural } from '../plural.js';
import { formatMegabytes, ProgressLine } from '../progress.line.js';
import { addBackupCommands } from './tenants.backup.command.js';
import { addMoveCommands } from './tenants.move.command.js';
import { byTenant, jsonOf } from './tenants.results.js';
import { parseCount, withConfig, withTenants, type ConfigFlags } from './tenants.session.js';

interface Flags extends ConfigFlags {
  readonly state?: TenantCriteria['state'];
  readonly suspended?: boolean;
  readonly unusedSince?: Date;
  readonly createdBefore?: Date;
  readonly startsWith?: string;
  readonly reason?: string;
  readonly concurrency?: number;
}

const EXAMPLES = `
Examples:
  polymongo tenants find --unused-since 2026-01-01
  polymongo tenants find --suspended --json
  polymongo tenants stats                           all of them
  polymongo tenants stats acme globex
  polymongo tenants suspend acme --reason unpaid
  polymongo tenants resume acme
  polymongo tenants backup --all --out backups/2026-01-31
  polymongo tenants verify --all --from backups/2026-01-31
  polymongo tenants restore acme --from backups/2026-01-31 --as acme-then
  polymongo tenants clone acme acme-test
  polymongo tenants move acme --to eu-2 --offline --config polymongo.config.mjs
  polymongo tenants confirm acme                    or rollback acme

--config names a module whose default export is the options of PolyMongoModule: where tenants' databases are named or placed
otherwise than by default. suspend waits for tenant.suspension.withinMS of it, which has to be that of the servers.`;

/** `polymongo tenants`: looking after them. */
export function tenantsCommand(program: Command, io: CliIO, exit: (code: number) => void): Command {
  const tenants = program
    .command('tenants')
    .description('find, measure, suspend, back up, restore, clone and move tenants')
    .addHelpText('after', EXAMPLES);
  const toDate = (text: string): Date => {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw new UsageError(`${text} is no date; write it as 2026-01-31.`);
    return date;
  };

  withConfig(tenants.command('find'))
    .description('list the tenants that meet all criteria')
    .addOption(
      new Option('--state <state>', 'how it was provisioned').choices(['provisioning', 'ready', 'removing', 'found']),
    )
    .option('--suspended', 'only those that are suspended')
    .option('--no-suspended', 'only those that are not')
    .option('--unused-since <date>', 'not used since then, as far as is known', toDate)
    .option('--created-before <date>', 'provisioned before then', toDate)
    .option('--starts-with <text>', 'how their ids begin')
    .action(async (_: object, command: Command) => {
      const { state, suspended, unusedSince, createdBefore, startsWith, ...flags } = command.optsWithGlobals<Flags>();
      const isSuspended = command.getOptionValueSource('suspended') === 'cli' ? suspended : undefined;
      const given = { state, isSuspended, unusedSince, createdBefore, startsWith };
      await withTenants(flags, io, async (all) => {
        const found = await all.find(given);
        if (flags.json) return writeJSON(io.stdout, found);
        writeTable(io.stdout, ['TENANT', 'DATABASE', 'STATE', 'LAST USED', 'SUSPENDED'], found.map(rowOf));
        writeLine(io.stdout, countOf(found.length));
      });
    });

  withConfig(tenants.command('stats'))
    .argument('[ids...]', 'which (default: all)')
    .description('show what tenants hold, where they are and how far their migrations are')
    .option('--concurrency <n>', 'tenants at the same time (default: 4)', parseCount)
    .action(async (ids: string[], _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const line = new ProgressLine(io, !flags.json && !flags.quiet);
      const options: TenantStatsOptions = {
        signal: io.signal,
        onError: 'collect',
        onProgress: line.showTenants,
        ...(ids.length > 0 && { tenants: ids }),
        ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
      };
      await withTenants(flags, io, async (all) => {
        const results = [...(await all.stats(options))].sort(byTenant);
        line.clear();
        const isWhole = results.every(({ ok }) => ok);
        if (flags.json) writeJSON(io.stdout, results.map(jsonOf));
        else {
          const held = results.flatMap((result) => (result.ok ? [result.value] : []));
          writeTable(
            io.stdout,
            ['TENANT', 'DOCUMENTS', 'COLLECTIONS', 'SIZE', 'VERSION', 'CLUSTER', 'LAST USED', 'SUSPENDED'],
            held.map(overviewRowOf),
          );
          for (const result of results)
            if (!result.ok) writeLine(io.stderr, `polymongo: ${result.tenantId}: ${(result.error as Error).message}`);
        }
        exit(isWhole ? 0 : 1);
      });
    });

  withConfig(tenants.command('suspend'))
    .argument('<id>', 'the tenant')
    .description('let nobody in as a tenant, in any process, until it is resumed')
    .option('--reason <text>', 'why; clients are not told')
    .action(async (id: string, _: object, command: Command) => {
      const { reason, ...flags } = command.optsWithGlobals<Flags>();
      await withTenants(flags, io, (all) => all.suspend(id, { ...(reason !== undefined && { reason }) }));
      if (flags.json) writeJSON(io.stdout, { suspended: id });
      else if (!flags.quiet) writeLine(io.stdout, `${id} is suspended.`);
    });

  withConfig(tenants.command('resume'))
    .argument('<id>', 'the tenant')
    .description('let a suspended tenant in again')
    .action(async (id: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await withTenants(flags, io, (all) => all.resume(id));
      if (flags.json) writeJSON(io.stdout, { resumed: id });
      else if (!flags.quiet) writeLine(io.stdout, `${id} is let in again.`);
    });
  addBackupCommands(tenants, io, exit);
  addMoveCommands(tenants, io);
  return tenants;
}

const dayOf = (date: Date | undefined): string => date?.toISOString().slice(0, 16).replace('T', ' ') ?? '-';
const suspensionOf = ({ suspension }: TenantInfo): string =>
  suspension ? [dayOf(suspension.since), suspension.reason].filter(Boolean).join(' ') : '-';

const rowOf = (tenant: TenantInfo): (string | number)[] => [
  tenant.tenantId,
  tenant.database,
  tenant.state,
  dayOf(tenant.lastUsedAt),
  suspensionOf(tenant),
];

const overviewRowOf = (tenant: TenantOverview): (string | number)[] => [
  tenant.tenantId,
  tenant.documents,
  tenant.collections,
  formatMegabytes(tenant.sizeMb),
  tenant.version ?? '-',
  tenant.cluster,
  dayOf(tenant.lastUsedAt),
  suspensionOf(tenant),
];

const countOf = (count: number): string => plural(count, 'tenant');
