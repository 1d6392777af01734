import type { Command } from 'commander';
import type { PolyMongoTenants } from '../../providers/tenant/polymongo-tenants.provider.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { type GlobalOptions, uriOf, withWrapper } from '../cli.session.js';
import { readConfig } from './tenants.config.js';

/** Options of every command on tenants. */
export interface ConfigFlags extends GlobalOptions {
  readonly config?: string;
}

export const withConfig = (command: Command): Command =>
  command.option('-c, --config <file>', 'a module with the options of PolyMongoModule');

/** Runs `work` with the tenants of the server, as the config has them. */
export async function withTenants(
  flags: ConfigFlags,
  io: CliIO,
  work: (tenants: PolyMongoTenants) => Promise<void>,
): Promise<void> {
  const { migrations, ...options } = await readConfig(flags.config);
  const tenant = { ...options.tenant, suspension: options.tenant?.suspension ?? {} };
  await withWrapper(
    flags.uri ?? options.mongoURI ?? uriOf(flags, io),
    async (wrapper) => {
      if (migrations) await wrapper.useMigrations(migrations);
      await work(wrapper.tenants);
    },
    { ...options, tenant },
  );
}

/** @throws UsageError */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--concurrency takes a number of at least 1, not ${text}.`);
  return Number(text);
}
