import type { Command } from 'commander';
import { Option } from 'commander';
import type { PolyMongoMigrations } from '../../providers/migrations/polymongo-migrations.provider.js';
import type { ForEachOptions, TenantResult } from '../../providers/tenant/tenant.fan-out.js';
import type { TenantRun } from '../../providers/tenant/tenant.run.js';
import type { TenantMigration } from '../../providers/tenant/tenant.migrations.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { writeJSON, writeLine } from '../output.js';
import { ProgressLine } from '../progress.line.js';
import { createMigrationFile } from './migrate.file.js';
import { writeRun, writeStatus } from './migrate.output.js';
import { readConfig, type TenantsConfig } from './tenants.config.js';
import { byTenant, concludeRun, jsonOf } from './tenants.results.js';
import { parseCount, withConfig } from './tenants.session.js';

interface Flags extends GlobalOptions {
  readonly config?: string;
  readonly dir?: string;
  readonly tenant?: string[];
  readonly all?: boolean;
  readonly concurrency?: number;
  readonly onError: 'stop' | 'collect';
  readonly to?: string;
  readonly only?: string[];
  readonly accept?: string[];
  readonly dryRun?: boolean;
  readonly as: 'done' | 'undone';
}

const DIRECTORY = 'migrations';
const EXAMPLES = `
Examples:
  polymongo migrate create split-name
  polymongo migrate status --all
  polymongo migrate up --all --concurrency 8 --on-error collect
  polymongo migrate up --tenant acme --to 0007 --dry-run
  polymongo migrate down --tenant acme --to 0005
  polymongo migrate redo 0007 --tenant acme       one that is half-done, or down and up
  polymongo migrate mark 0007 --as done --tenant acme

--config names a module whose default export is { ...options of PolyMongoModule, migrations: { directory, classes, … } }: for
tenants whose databases are named or placed otherwise than by default.`;

/** `polymongo migrate`: the migrations of tenants. */
export function migrateCommand(program: Command, io: CliIO, exit: (code: number) => void): Command {
  const migrate = program
    .command('migrate')
    .description("run, take back and look at the migrations of tenants' databases")
    .addHelpText('after', EXAMPLES);

  const run = (
    name: string,
    start: (
      migrations: PolyMongoMigrations,
      options: ForEachOptions,
      flags: Flags,
      arg: string,
    ) => TenantRun<TenantMigration>,
  ) => {
    const command = withTenants(migrate.command(name)).addOption(
      new Option('--on-error <what>', 'after a tenant that failed').choices(['stop', 'collect']).default('stop'),
    );
    return command.action(async (...args: unknown[]) => {
      const flags = (args.at(-1) as Command).optsWithGlobals<Flags>();
      await withMigrations(flags, io, async (migrations) => {
        const line = new ProgressLine(io, !flags.json && !flags.quiet);
        const options = { ...selectionOf(flags, io), onError: flags.onError, onProgress: line.showTenants };
        const write = (results: readonly TenantResult<TenantMigration>[]) => {
          if (!flags.quiet) writeRun(io.stdout, results);
        };
        exit(await concludeRun(start(migrations, options, flags, String(args[0])), io, flags, line, write));
      });
    });
  };

  run('up', (migrations, options, { to, only, accept, dryRun }) =>
    migrations.up({ ...options, to, only, accept, dryRun }),
  )
    .description('run what has not run')
    .option('--to <migration>', 'the last one to run, by name or number (default: all)')
    .option('--only <migration>', 'only this one, whatever the order (may be given several times)', collect)
    .option('--accept <migration>', 'take one that changed as it is now (may be given several times)', collect)
    .option('--dry-run', 'say what would run, and change nothing');
  run('down', (migrations, options, { to, dryRun }) => migrations.down({ ...options, to, dryRun }))
    .description('take back the last one, or all after --to')
    .option('--to <migration>', 'the last one that stays, by name or number; 0 takes back all')
    .option('--dry-run', 'say what would run, and change nothing');
  run('redo', (migrations, options, _, name) => migrations.redo(name, options))
    .argument('<migration>', 'by name or number')
    .description('run one again: down and up, or what was not finished where it is half-done');
  run('mark', (migrations, options, flags, name) => migrations.mark(name, flags.as, options))
    .argument('<migration>', 'by name or number')
    .description('have one count as done or undone, without running it')
    .addOption(new Option('--as <what>', 'done or undone').choices(['done', 'undone']).makeOptionMandatory());

  withTenants(migrate.command('status'))
    .description('which migrations tenants have: a table of tenants and versions')
    .action(async (_: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await withMigrations(flags, io, async (migrations) => {
        const results = await migrations.status({ ...selectionOf(flags, io), onError: 'collect' });
        results.sort(byTenant);
        if (flags.json) writeJSON(io.stdout, results.map(jsonOf));
        else writeStatus(io.stdout, migrations.names, results);
        exit(results.every(({ ok }) => ok) ? 0 : 1);
      });
    });

  migrate
    .command('create')
    .argument('<name>', 'what it does, as in split-name')
    .description('write a new migration file, with the next number')
    .option('-d, --dir <folder>', `the folder (default: ${DIRECTORY})`)
    .addOption(
      new Option('--type <type>', 'the kind of file (default: as the last one)').choices(['ts', 'js', 'mjs', 'cjs']),
    )
    .action(async (name: string, { dir = DIRECTORY, type }: { dir?: string; type?: string }, command: Command) => {
      const file = await createMigrationFile(dir, name, type);
      if (command.optsWithGlobals<GlobalOptions>().json) writeJSON(io.stdout, { created: file });
      else writeLine(io.stdout, `Created ${file}.`);
    });
  return migrate;
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

const withTenants = (command: Command): Command =>
  withConfig(command.option('-d, --dir <folder>', `the folder of the migrations (default: ${DIRECTORY})`))
    .option('-t, --tenant <id>', 'this tenant (may be given several times)', collect)
    .option('--all', 'all tenants')
    .option('--concurrency <n>', 'tenants at the same time (default: 4)', parseCount);

/** @throws UsageError */
function selectionOf({ tenant, all, concurrency }: Flags, { signal }: CliIO): ForEachOptions {
  if (tenant ? all : !all) throw new UsageError('Say for which tenants: --tenant acme (several times), or --all.');
  return { signal, ...(tenant && { tenants: tenant }), ...(concurrency !== undefined && { concurrency }) };
}

async function withMigrations(
  flags: Flags,
  io: CliIO,
  work: (migrations: PolyMongoMigrations) => Promise<void>,
): Promise<void> {
  selectionOf(flags, io); // before anything connects
  const { migrations = {}, ...options }: TenantsConfig = await readConfig(flags.config);
  const directory = flags.dir ?? migrations.directory ?? (migrations.classes ? undefined : DIRECTORY);
  const uri = flags.uri ?? options.mongoURI ?? uriOf(flags, io);
  const log = flags.quiet
    ? () => {}
    : ({ tenantId, migration, message }: { tenantId: string; migration: string; message: string }) =>
        writeLine(io.stderr, `${tenantId} ${migration}: ${message}`);
  await withWrapper(
    uri,
    async (wrapper) =>
      work(await wrapper.useMigrations({ log, ...migrations, ...(directory !== undefined && { directory }) })),
    options,
  );
}
