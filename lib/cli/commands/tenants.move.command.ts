import type { Command } from 'commander';
import type { MoveProgress, MoveWaitOptions } from '../../providers/tenant/tenant.moves.js';
import { type CliIO, UsageError } from '../cli.io.js';
import { writeJSON, writeLine } from '../output.js';
import { withConfig, withTenants, type ConfigFlags } from './tenants.session.js';

interface Flags extends ConfigFlags {
  readonly to: string;
  readonly offline?: boolean;
  readonly discardWrites?: boolean;
}

/** `polymongo tenants move`, `confirm` and `rollback`. */
export function addMoveCommands(tenants: Command, io: CliIO): void {
  withConfig(tenants.command('move'))
    .argument('<id>', 'the tenant')
    .description('move a tenant to another cluster; run again it goes on')
    .requiredOption('--to <cluster>', 'its name among the clusters of the config')
    .option('--offline', 'suspend the tenant meanwhile; there is no other way as yet')
    .action(async (id: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      if (!flags.offline)
        throw new UsageError('A tenant is suspended while it is moved: say that you know, with --offline.');
      await withTenants(flags, io, async (all) => {
        const moved = await all.move(id, { ...waiting(flags, io), to: flags.to, online: false });
        if (flags.json) return writeJSON(io.stdout, moved);
        const remark = moved.isOneCluster ? ' Both are one cluster: nothing was copied.' : '';
        if (!flags.quiet) writeLine(io.stdout, `${id} is on ${moved.to}.${remark} Confirm it, or roll it back.`);
      });
    });

  withConfig(tenants.command('confirm'))
    .argument('<id>', 'the tenant')
    .description('drop what a tenant that was moved had before')
    .action(async (id: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await withTenants(flags, io, (all) => all.confirm(id, waiting(flags, io)));
      if (flags.json) writeJSON(io.stdout, { confirmed: id });
      else if (!flags.quiet) writeLine(io.stdout, `The move of ${id} is confirmed.`);
    });

  withConfig(tenants.command('rollback'))
    .argument('<id>', 'the tenant')
    .description('take a move back that is not confirmed')
    .option('--discard-writes', 'lose what was written since')
    .action(async (id: string, _: object, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      const { discardWrites = false } = flags;
      await withTenants(flags, io, (all) => all.rollback(id, { ...waiting(flags, io), discardWrites }));
      if (flags.json) writeJSON(io.stdout, { rolledBack: id });
      else if (!flags.quiet) writeLine(io.stdout, `${id} is where it was.`);
    });
}

/** Each step is a line on stderr. */
function waiting({ json, quiet }: Flags, { signal, stderr }: CliIO): MoveWaitOptions {
  let last = '';
  const onProgress = ({ phase, step }: MoveProgress): void => {
    if (last !== `${phase}: ${step}`) writeLine(stderr, (last = `${phase}: ${step}`));
  };
  return { signal, ...(!json && !quiet && { onProgress }) };
}
