import { CommandError } from '../../errors.js';
import { arrayArgument, docArgument, integerArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { int, reply } from '../reply.js';
import { FailPoint, parseMode } from './fail-point.js';

/** The fail points this server has. Others are refused, as an unknown name is by MongoDB. */
const KNOWN = new Set([
  'failCommand',
  'failGetMoreAfterCursorCheckout',
  'maxTimeAlwaysTimeOut',
  'maxTimeNeverTimeOut',
  'onPrimaryTransactionalWrite',
]);

export const configureFailPoint: Command = {
  name: 'configureFailPoint',
  isAdminOnly: true,
  args: { configureFailPoint: 'string!', mode: 'any!', data: 'object', times: 'number' },
  run({ args, server }) {
    const name = stringArgument(args, 'configureFailPoint')!;
    if (!KNOWN.has(name)) throw new CommandError('FailPointSetFailed', `failpoint ${name} not found`);
    const mode = parseMode(args.get('mode'));
    const data = docArgument(args, 'data') ?? new Map();
    if (mode && name === 'failCommand') checkFailCommand(data);
    if (mode) server.failPoints.set(name, new FailPoint(mode, data));
    else server.failPoints.delete(name);
    return reply({ count: int(0) });
  },
};

function checkFailCommand(data: Map<string, unknown>): void {
  const args = data as Parameters<typeof arrayArgument>[0];
  if (!arrayArgument(args, 'failCommands')) {
    throw new CommandError('BadValue', "failCommand needs 'data.failCommands', the names of the commands to fail");
  }
  if (args.get('blockConnection') === true && integerArgument(args, 'blockTimeMS') === undefined) {
    throw new CommandError('InvalidOptions', "must specify 'blockTimeMS' when 'blockConnection' is true");
  }
}
