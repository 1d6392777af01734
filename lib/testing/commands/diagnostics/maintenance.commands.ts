import { CommandError } from '../../errors.js';
import { LATEST } from '../../storage/read-view.js';
import { nsString, parseNs } from '../../storage/namespace.js';
import type { Collection } from '../../storage/collection.js';
import { boolArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import type { Operation } from '../operation.js';
import { int, long, reply } from '../reply.js';

// What an administrator asks of a server that has files. Here nothing needs to be done, so it is done at once.

const requireCollection = (op: Operation): Collection => {
  const ns = namespaceOf(op);
  const collection = op.server.storage.catalog.collection(ns, LATEST);
  if (!collection) throw new CommandError('NamespaceNotFound', `Collection ${nsString(ns)} does not exist`);
  return collection;
};

export const fsync: Command = {
  name: 'fsync',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ args }) {
    if (boolArgument(args, 'lock')) {
      throw new CommandError('CommandNotSupported', 'fsync with lock: true is not supported by the embedded MongoDB');
    }
    return reply({ numFiles: int(1) });
  },
};

export const compact: Command = {
  name: 'compact',
  isLenient: true,
  args: {},
  run(op) {
    requireCollection(op);
    return reply({ bytesFreed: int(0) });
  },
};

export const reIndex: Command = {
  name: 'reIndex',
  isLenient: true,
  args: {},
  run() {
    throw new CommandError('IllegalOperation', 'reIndex is only allowed on a standalone mongod instance.');
  },
};

export const planCacheClear: Command = {
  name: 'planCacheClear',
  isLenient: true,
  args: {},
  run(op) {
    namespaceOf(op);
    return reply({});
  },
};

/** Of a whole collection; a `keyPattern` with `min` and `max` is for sharding. */
export const dataSize: Command = {
  name: 'dataSize',
  args: {
    dataSize: 'string!',
    keyPattern: 'object',
    min: 'object',
    max: 'object',
    estimate: 'safeBool',
  },
  run({ args, server }) {
    if (args.has('keyPattern') || args.has('min') || args.has('max')) {
      throw new CommandError('CommandNotSupported', 'dataSize of a range is not supported by the embedded MongoDB');
    }
    const name = stringArgument(args, 'dataSize')!;
    const ns = parseNs(name);
    if (ns.coll === '') {
      throw new CommandError('InvalidNamespace', `Namespace ${name} is not a valid collection name`);
    }
    const collection = server.storage.catalog.collection(ns, LATEST);
    return reply({
      estimate: boolArgument(args, 'estimate'),
      size: long(collection?.dataSize ?? 0),
      numObjects: long(collection?.count ?? 0),
      millis: long(0),
    });
  },
};
