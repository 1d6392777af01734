import { arrayArgument, wrongType } from '../arguments.js';
import type { Command } from '../command.js';
import { reply } from '../reply.js';

export const killCursors: Command = {
  name: 'killCursors',
  isInApiV1: true,
  isAllowedInTransaction: true,
  args: { killCursors: 'string!', cursors: 'array!' },
  run({ args, server }) {
    const ids = arrayArgument(args, 'cursors')!.map((id, index) => {
      if (typeof id === 'bigint') return id;
      throw wrongType(`killCursors.cursors.${index}`, id, ['long']);
    });
    const killed = ids.filter((id) => server.cursors.kill(id));
    return reply({
      cursorsKilled: killed,
      cursorsNotFound: ids.filter((id) => !killed.includes(id)),
      cursorsAlive: [],
      cursorsUnknown: [],
    });
  },
};
