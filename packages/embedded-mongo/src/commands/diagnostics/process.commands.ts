import { CommandError } from '../../errors.js';
import { stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { fieldsOf, int, reply } from '../reply.js';

export const whatsmyuri: Command = {
  name: 'whatsmyuri',
  isAuthFree: true,
  isLenient: true,
  args: {},
  run: ({ client }) => reply({ you: client.connection.remoteAddress }),
};

export const getCmdLineOpts: Command = {
  name: 'getCmdLineOpts',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ server: { topology } }) {
    const [bindIp, port] = topology.host.split(':');
    const parsed = fieldsOf({
      net: fieldsOf({ bindIp, port: int(Number(port)) }),
      replication: fieldsOf({ replSet: topology.setName }),
    });
    return reply({ argv: ['mongod', '--replSet', topology.setName, '--port', port], parsed });
  },
};

export const getLog: Command = {
  name: 'getLog',
  isAdminOnly: true,
  args: { getLog: 'string!' },
  run({ args }) {
    const log = stringArgument(args, 'getLog')!;
    if (log === '*') return reply({ names: ['global', 'startupWarnings'] });
    if (log !== 'global' && log !== 'startupWarnings') {
      throw new CommandError('OperationFailed', `No log named '${log}'`);
    }
    return reply({ totalLinesWritten: int(0), log: [] });
  },
};
