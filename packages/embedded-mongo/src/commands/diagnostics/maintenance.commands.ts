import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { planQuery } from '../../storage/plan/planner.js';
import { LATEST } from '../../storage/read-view.js';
import { nsString, parseNs } from '../../storage/namespace.js';
import type { Collection } from '../../storage/collection.js';
import { boolArgument, docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { queryEnv } from '../crud/query-env.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import type { Operation } from '../operation.js';
import { int, long, reply, type ReplyDoc } from '../reply.js';

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

/** Of a whole collection, or of what lies between two keys of an index. */
export const dataSize: Command = {
  name: 'dataSize',
  args: {
    dataSize: 'string!',
    keyPattern: 'object',
    min: 'object',
    max: 'object',
    estimate: 'safeBool',
  },
  run(op) {
    const { args, server } = op;
    const name = stringArgument(args, 'dataSize')!;
    const ns = parseNs(name);
    if (ns.coll === '') {
      throw new CommandError('InvalidNamespace', `Namespace ${name} is not a valid collection name`);
    }
    const collection = server.storage.catalog.collection(ns, LATEST);
    const [min, max] = [docArgument(args, 'min'), docArgument(args, 'max')];
    if (collection && (min || max)) return sizeOfRange(op, collection, min, max);
    return reply({
      estimate: boolArgument(args, 'estimate'),
      size: long(collection?.dataSize ?? 0),
      numObjects: long(collection?.count ?? 0),
      millis: long(0),
    });
  },
};

function sizeOfRange(op: Operation, collection: Collection, min: Doc | undefined, max: Doc | undefined): ReplyDoc {
  const hint = docArgument(op.args, 'keyPattern') ?? new Map([...(min ?? max)!.keys()].map((field) => [field, int(1)]));
  const plan = planQuery(collection, { filter: new Map(), hint, min, max }, queryEnv(op, { collection }));
  const found = [...plan.run(LATEST)];
  const size = found.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return reply({ estimate: false, size: long(size), numObjects: long(found.length), millis: long(0) });
}
