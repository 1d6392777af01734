import { CommandError } from '../../errors.js';
import { int, reply } from '../reply.js';
import { nsString } from '../../storage/namespace.js';
import type { Command } from '../command.js';
import { PROFILE } from '../diagnostics/profiler.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { runWrite } from '../crud/write.js';

export const drop: Command = {
  name: 'drop',
  isInApiV1: true,
  isWrite: true,
  args: { drop: 'any', collectionUUID: 'binData' },
  async run(op) {
    const ns = namespaceOf(op);
    if (ns.coll.startsWith('system.') && !['system.js', 'system.profile', 'system.users'].includes(ns.coll)) {
      throw new CommandError('IllegalOperation', `can't drop system collection ${nsString(ns)}`);
    }
    if (ns.coll === PROFILE && op.server.profiler.levelOf(op.db) > 0) {
      throw new CommandError('IllegalOperation', 'turn off profiling before dropping system.profile collection');
    }
    const { catalog } = op.server.storage;
    const pending = runWrite(op, (unit) => {
      const entry = catalog.find(ns, unit);
      if (!entry) return undefined; // since 7.0 no error
      catalog.drop(unit, ns);
      return entry;
    });
    const dropped = pending instanceof Promise ? await pending : pending;
    if (!dropped) return reply({ ns: undefined });
    return reply({
      nIndexesWas: dropped.kind === 'collection' ? int(dropped.indexes.size) : undefined,
      ns: nsString(ns),
    });
  },
};
