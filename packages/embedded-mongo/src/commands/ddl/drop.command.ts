import { CommandError } from '../../errors.js';
import { int, reply } from '../reply.js';
import { type Namespace, nsString } from '../../storage/namespace.js';
import type { Command } from '../command.js';
import { PROFILE } from '../diagnostics/profiler.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { runWrite } from '../crud/write.js';

/** The system collections a client may drop (mongod: `isDroppableCollection`). */
const DROPPABLE = /^(system\.(js|profile|views|healthlog|sessions|keys|preimages|buckets\..*))$/;

/** @throws CommandError IllegalOperation (20) */
function checkDroppable(ns: Namespace): void {
  if (nsString(ns) === 'local.oplog.rs') {
    throw new CommandError(5255000, "can't drop live oplog while replicating");
  }
  if (ns.coll.startsWith('system.') && !DROPPABLE.test(ns.coll)) {
    throw new CommandError('IllegalOperation', `can't drop system collection ${nsString(ns)}`);
  }
}

export const drop: Command = {
  name: 'drop',
  isInApiV1: true,
  isWrite: true,
  args: { drop: 'any', collectionUUID: 'binData' },
  async run(op) {
    const ns = namespaceOf(op);
    checkDroppable(ns);
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
