import { arrayArgument, wrongType } from '../arguments.js';
import type { Command } from '../command.js';
import { reply } from '../reply.js';
import { CommandError } from '../../errors.js';
import { isGranted, privilegesOf } from '../auth/authorization.js';
import type { Client } from '../client.js';
import type { MongoServer } from '../server.js';
import { parseNs } from '../../storage/namespace.js';
import type { ClientCursor } from './client-cursor.js';

export const killCursors: Command = {
  name: 'killCursors',
  isInApiV1: true,
  isAllowedInTransaction: true,
  args: { killCursors: 'string!', cursors: 'array!' },
  run({ args, db, server, client }) {
    const ids = arrayArgument(args, 'cursors')!.map((id, index) => {
      if (typeof id === 'bigint') return id;
      throw wrongType(`killCursors.cursors.${index}`, id, ['long']);
    });
    const isForbidden = (id: bigint): boolean =>
      server.cursors.has(id) && !mayKill(server, client, server.cursors.find(id));
    if (ids.some(isForbidden)) {
      throw new CommandError(
        'Unauthorized',
        `not authorized to kill cursor on ${db}.${String(args.get('killCursors'))}`,
      );
    }
    const killed = ids.filter((id) => server.cursors.kill(id));
    return reply({
      cursorsKilled: killed,
      cursorsNotFound: ids.filter((id) => !killed.includes(id)),
      cursorsAlive: [],
      cursorsUnknown: [],
    });
  },
};

/** One's own, or with the privilege for others'. */
function mayKill({ credentials }: MongoServer, client: Client, { origin, ns }: ClientCursor): boolean {
  if (origin.owner === client.owner) return true;
  const privileges = privilegesOf(credentials, client);
  return (['cluster', parseNs(ns)] as const).some((on) => isGranted(privileges, { action: 'killAnyCursor', on }));
}
