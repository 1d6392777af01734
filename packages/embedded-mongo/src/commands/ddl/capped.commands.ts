import { CommandError } from '../../errors.js';
import { integerArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { runWrite } from '../crud/write.js';
import type { Operation } from '../operation.js';
import { fieldsOf, long, reply } from '../reply.js';
import type { Collection } from '../../storage/collection.js';
import type { Namespace } from '../../storage/namespace.js';
import { nsString } from '../../storage/namespace.js';
import type { WriteUnit } from '../../storage/write-unit.js';

/** A new capped collection with what fits of the newest documents; of the other options only the collation is taken over. */
function copyAsCapped(op: Operation, unit: WriteUnit, source: Collection, to: Namespace): void {
  const size = integerArgument(op.args, 'size') ?? 0;
  if (size <= 0) throw new CommandError('InvalidOptions', 'Capped collection size must be greater than zero');
  if (size > 2 ** 50) throw new CommandError('BadValue', 'Capped collection size is out of range');
  const { catalog } = op.server.storage;
  const options = fieldsOf({ capped: true, size: long(size), collation: source.options.get('collation') });
  const capped = catalog.create(unit, to, options) as Collection;
  for (const { bytes } of source.scan(unit)) unit.insert(capped, bytes);
}

function requireSource(op: Operation, unit: WriteUnit): Collection {
  const ns = namespaceOf(op);
  const { catalog } = op.server.storage;
  const source = catalog.collection(ns, unit);
  if (catalog.list(ns.db, unit).length === 0) {
    throw new CommandError('NamespaceNotFound', `database ${ns.db} not found`);
  }
  if (!source) throw new CommandError('NamespaceNotFound', `source collection ${nsString(ns)} does not exist`);
  return source;
}

export const convertToCapped: Command = {
  name: 'convertToCapped',
  isWrite: true,
  args: { convertToCapped: 'string!', size: 'number!' },
  async run(op) {
    const { catalog } = op.server.storage;
    const pending = runWrite(op, (unit) => {
      const source = requireSource(op, unit);
      const { ns } = source;
      const temporary = { db: ns.db, coll: `tmp.convertToCapped.${ns.coll}` };
      copyAsCapped(op, unit, source, temporary);
      catalog.rename(unit, temporary, ns, { dropTarget: true });
    });
    if (pending instanceof Promise) await pending;
    return reply({});
  },
};

export const cloneCollectionAsCapped: Command = {
  name: 'cloneCollectionAsCapped',
  isWrite: true,
  args: { cloneCollectionAsCapped: 'string!', toCollection: 'string!', size: 'number!', temp: 'bool' },
  async run(op) {
    const to = { db: op.db, coll: stringArgument(op.args, 'toCollection')! };
    const pending = runWrite(op, (unit) => copyAsCapped(op, unit, requireSource(op, unit), to));
    if (pending instanceof Promise) await pending;
    return reply({});
  },
};
