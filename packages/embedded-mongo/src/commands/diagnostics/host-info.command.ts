import { arch, availableParallelism, hostname, release, totalmem, type } from 'node:os';
import type { Command } from '../command.js';
import { fieldsOf, int, long, reply } from '../reply.js';

export const hostInfo: Command = {
  name: 'hostInfo',
  isLenient: true,
  args: {},
  run: () =>
    reply({
      system: fieldsOf({
        currentTime: new Date(),
        hostname: hostname(),
        cpuAddrSize: int(64),
        memSizeMB: long(Math.floor(totalmem() / 2 ** 20)),
        numCores: int(availableParallelism()),
        cpuArch: arch(),
        numaEnabled: false,
      }),
      os: fieldsOf({ type: type(), name: type(), version: release() }),
      extra: fieldsOf({ versionString: `Node.js ${process.version}` }),
    }),
};
