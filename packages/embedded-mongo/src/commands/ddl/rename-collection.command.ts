import { CommandError } from '../../errors.js';
import { checkNamespace, parseNs } from '../../storage/namespace.js';
import { boolArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { runWrite } from '../crud/write.js';
import { reply } from '../reply.js';

export const renameCollection: Command = {
  name: 'renameCollection',
  isAdminOnly: true,
  isWrite: true,
  args: {
    renameCollection: 'string!',
    to: 'string!',
    dropTarget: 'any',
    stayTemp: 'safeBool',
    collectionUUID: 'binData',
  },
  async run(op) {
    const from = parseNs(stringArgument(op.args, 'renameCollection')!);
    const to = parseNs(stringArgument(op.args, 'to')!);
    checkNamespace(from);
    checkNamespace(to);
    if (from.coll.startsWith('system.') || to.coll.startsWith('system.')) {
      throw new CommandError('IllegalOperation', 'renaming system collections is not allowed');
    }
    const { catalog } = op.server.storage;
    const dropTarget = boolArgument(op.args, 'dropTarget');
    const pending = runWrite(op, (unit) => catalog.rename(unit, from, to, { dropTarget }));
    if (pending instanceof Promise) await pending;
    return reply({});
  },
};
