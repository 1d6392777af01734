import { CommandError } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import { formatDoc } from '../../bson/format.js';
import { equalValues } from '../../bson/compare.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import { LATEST, type ReadView } from '../../storage/read-view.js';
import { arrayArgument, boolArgument, docArgument, integerArgument, wrongType } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { runWrite } from '../crud/write.js';
import { checkCreatable } from '../crud/write-namespace.js';
import { openCursor, sourceOf } from '../cursor/open-cursor.js';
import type { Operation } from '../operation.js';
import { checkTimeSeriesIndex } from '../time-series/restrictions.js';
import { int, reply } from '../reply.js';

export const createIndexes: Command = {
  name: 'createIndexes',
  isInApiV1: true,
  isAllowedInTransaction: true,
  isWrite: true,
  args: { createIndexes: 'any', indexes: 'array!', commitQuorum: 'any', ignoreUnknownIndexOptions: 'safeBool' },
  async run(op) {
    const ns = namespaceOf(op);
    checkCreatable(ns);
    const specs = specsOf(op);
    const options = { ignoresUnknown: boolArgument(op.args, 'ignoreUnknownIndexOptions') };
    const { catalog } = op.server.storage;
    const pending = runWrite(op, (unit) => {
      const existing = catalog.collection(ns, unit);
      if (existing && !existing.indexes.hasAll(specs, options)) catalog.checkUnused(unit, existing);
      const collection = existing ?? catalog.collectionForWrite(unit, ns);
      const before = collection.indexes.size;
      for (const spec of specs) checkTimeSeriesIndex(collection, spec);
      const created = collection.indexes.create(unit, specs, options);
      if (created.length > 0 && op.isInTransaction && collection.creator !== unit) {
        throw new CommandError(
          'OperationNotSupportedInTransaction',
          `Cannot create new indexes on existing collection ${nsString(ns)} in a multi-document transaction.`,
        );
      }
      if (created.length > 0 && op.isInTransaction && !isEmpty(collection, unit)) {
        throw new CommandError(
          'OperationNotSupportedInTransaction',
          `Cannot create new indexes on non-empty collection ${nsString(ns)} in a multi-document transaction.`,
        );
      }
      return { before, after: collection.indexes.size, created: created.length, isNew: !existing };
    });
    const { before, after, created, isNew } = pending instanceof Promise ? await pending : pending;
    return reply({
      numIndexesBefore: int(before),
      numIndexesAfter: int(after),
      createdCollectionAutomatically: isNew,
      note: created === 0 ? 'all indexes already exist' : undefined,
      commitQuorum: created > 0 ? 'votingMembers' : undefined,
    });
  },
};

const isEmpty = (collection: Collection, view: ReadView): boolean => collection.scan(view).next().done === true;

function specsOf({ args }: Operation): Doc[] {
  const specs = arrayArgument(args, 'indexes')!;
  if (specs.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create');
  return specs.map((spec, index) => {
    if (!isDoc(spec)) throw wrongType(`createIndexes.indexes.${index}`, spec, ['object']);
    if (specs.slice(0, index).some((earlier) => equalValues(earlier, spec))) {
      throw new CommandError('IndexAlreadyExists', `Identical index already exists: ${String(spec.get('name'))}`);
    }
    for (const field of ['key', 'name']) {
      if (spec.has(field)) continue;
      throw new CommandError(
        'FailedToParse',
        `Error in specification ${formatDoc(spec)} :: caused by :: The '${field}' field is a required property of an index specification`,
      );
    }
    return spec;
  });
}

export const listIndexes: Command = {
  name: 'listIndexes',
  isInApiV1: true,
  args: { listIndexes: 'any', cursor: 'object', includeBuildUUIDs: 'bool', includeIndexBuildInfo: 'bool' },
  run(op) {
    const ns = namespaceOf(op);
    const collection = requireCollection(op, op.server.storage.catalog.collection(ns, op.transactionUnit ?? LATEST));
    const cursor = docArgument(op.args, 'cursor');
    const specs = collection.indexes.list().map(({ spec }) => encodeDoc(spec.isId ? idIndexOf(collection) : spec.doc));
    return openCursor(op, nsString(ns), sourceOf(specs.values()), {
      batchSize: cursor && integerArgument(cursor, 'batchSize'),
    });
  },
};

/** The index on `_id` of a clustered collection is the collection itself. */
function idIndexOf({ options, indexes }: Collection): Doc {
  const clustered = docArgument(options, 'clusteredIndex');
  return clustered ? new Map([...clustered, ['clustered', true]]) : indexes.id!.spec.doc;
}

function requireCollection(op: Operation, collection: Collection | undefined): Collection {
  if (collection) return collection;
  throw new CommandError('NamespaceNotFound', `ns does not exist: ${nsString(namespaceOf(op))}`);
}

/** @throws CommandError TypeMismatch unless it is a name, a key or a list of names */
function checkDropped(index: Value): void {
  if (Array.isArray(index)) {
    if (!index.every((name) => typeof name === 'string')) throw wrongType('dropIndexes.index', index, ['string'], true);
  } else if (typeof index !== 'string' && !isDoc(index)) {
    throw wrongType('dropIndexes.index', index, ['string', 'object']);
  }
}

export const dropIndexes: Command = {
  name: 'dropIndexes',
  aliases: ['deleteIndexes'],
  isInApiV1: true,
  isWrite: true,
  args: { dropIndexes: 'any', index: 'any!' },
  async run(op) {
    const ns = namespaceOf(op);
    const { catalog } = op.server.storage;
    const index = op.args.get('index')!;
    checkDropped(index);
    const pending = runWrite(op, (unit) => {
      const collection = catalog.collection(ns, unit);
      if (!collection) throw new CommandError('NamespaceNotFound', `ns not found ${nsString(ns)}`);
      catalog.checkUnused(unit, collection);
      const before = collection.indexes.size;
      collection.indexes.drop(unit, index);
      return before;
    });
    const nIndexesWas = pending instanceof Promise ? await pending : pending;
    return reply({
      nIndexesWas: int(nIndexesWas),
      msg: index === '*' ? 'non-_id indexes dropped for collection' : undefined,
    });
  },
};
