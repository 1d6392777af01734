import { Binary } from 'bson';
import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import { LATEST } from '../../storage/read-view.js';
import { boolArgument, countArgument, integerArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { fieldsOf, int, long, reply } from '../reply.js';
import { collectionIndexSize, databaseSize, indexSize, storageSize } from './sizes.js';

export const dbStats: Command = {
  name: 'dbStats',
  aliases: ['dbstats'],
  args: { dbStats: 'any', scale: 'number', freeStorage: 'number' },
  run(op) {
    const scale = integerArgument(op.args, 'scale') ?? 1;
    if (scale < 1) throw new CommandError('BadValue', 'Scale factor must be greater than zero');
    const size = databaseSize(op.server.storage.catalog.list(op.db, LATEST));
    const totalSize = size.storageSize + size.indexSize;
    return reply({
      db: op.db,
      collections: long(size.collections),
      views: long(size.views),
      objects: long(size.objects),
      avgObjSize: size.objects === 0 ? 0 : size.dataSize / size.objects,
      dataSize: size.dataSize / scale,
      storageSize: size.storageSize / scale,
      indexes: long(size.indexes),
      indexSize: size.indexSize / scale,
      totalSize: totalSize / scale,
      ...(boolArgument(op.args, 'freeStorage') && {
        freeStorageSize: 0,
        indexFreeStorageSize: 0,
        totalFreeStorageSize: 0,
      }),
      scaleFactor: long(scale),
      fsUsedSize: totalSize / scale,
      fsTotalSize: totalSize / scale,
    });
  },
};

/** As int32 where it fits. */
const wholeNumber = (value: number | undefined): Value | undefined =>
  value === undefined ? undefined : value <= 0x7fff_ffff ? int(value) : long(value);

/** The numbers of collStats, which `$collStats: { storageStats: {} }` gives too. */
export function collectionStats(collection: Collection | undefined, scale: number): Doc {
  const scaled = (bytes: number): number => Math.floor(bytes / scale);
  if (!collection) {
    return fieldsOf({
      size: int(0),
      count: int(0),
      numOrphanDocs: int(0),
      storageSize: int(0),
      totalSize: int(0),
      nindexes: int(0),
      totalIndexSize: int(0),
      indexDetails: fieldsOf({}),
      indexSizes: fieldsOf({}),
      scaleFactor: int(scale),
    });
  }
  const indexes = collection.indexes.list();
  const totalIndexSize = collectionIndexSize(collection);
  return fieldsOf({
    size: int(scaled(collection.dataSize)),
    count: int(collection.count),
    avgObjSize: collection.count > 0 ? int(Math.floor(collection.dataSize / collection.count)) : undefined,
    numOrphanDocs: int(0),
    storageSize: int(scaled(storageSize(collection))),
    freeStorageSize: int(0),
    capped: collection.isCapped,
    max: collection.options.get('max'),
    maxSize: wholeNumber(integerArgument(collection.options, 'size')),
    nindexes: int(indexes.length),
    indexDetails: fieldsOf({}),
    indexBuilds: [],
    totalIndexSize: int(scaled(totalIndexSize)),
    totalSize: int(scaled(storageSize(collection) + totalIndexSize)),
    indexSizes: fieldsOf(
      Object.fromEntries(indexes.map(({ spec }) => [spec.name, int(scaled(indexSize(collection.count)))])),
    ),
    scaleFactor: int(scale),
  });
}

export const collStats: Command = {
  name: 'collStats',
  aliases: ['collstats'],
  args: { collStats: 'any', scale: 'number' },
  run(op) {
    const ns = namespaceOf(op);
    const collection = op.server.storage.catalog.collection(ns, LATEST);
    return reply({
      ns: nsString(ns),
      ...Object.fromEntries(collectionStats(collection, countArgument(op.args, 'scale', 1) ?? 1)),
    });
  },
};

export const validate: Command = {
  name: 'validate',
  isLenient: true,
  args: {},
  run(op) {
    const ns = namespaceOf(op);
    if (boolArgument(op.args, 'background') && boolArgument(op.args, 'full')) {
      throw new CommandError(
        'InvalidOptions',
        'Running the validate command with both { background: true } and { full: true } is not supported.',
      );
    }
    const collection = op.server.storage.catalog.collection(ns, LATEST);
    if (!collection) {
      throw new CommandError('NamespaceNotFound', `Collection '${nsString(ns)}' does not exist to validate.`);
    }
    const indexes = collection.indexes.list();
    return reply({
      ns: nsString(ns),
      uuid: new Binary(Buffer.from(collection.uuid), Binary.SUBTYPE_UUID),
      nInvalidDocuments: int(0),
      nNonCompliantDocuments: int(0),
      nrecords: int(collection.count),
      nIndexes: int(indexes.length),
      keysPerIndex: fieldsOf(Object.fromEntries(indexes.map(({ spec }) => [spec.name, int(collection.count)]))),
      indexDetails: fieldsOf(Object.fromEntries(indexes.map(({ spec }) => [spec.name, fieldsOf({ valid: true })]))),
      valid: true,
      repaired: false,
      warnings: [],
      errors: [],
      extraIndexEntries: [],
      missingIndexEntries: [],
      corruptRecords: [],
    });
  },
};
