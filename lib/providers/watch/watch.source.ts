import type { mongo } from 'mongoose';
import { DATABASE, type BoundModel } from '../models/model.binding.js';
import type { Database } from '../databases/database.js';
import type { WatchSource } from './resuming.stream.js';
import { driverOptionsOf, pipelineOf, type WatchOptions } from './watch.options.js';

/** The changes of a model's collection; of a discriminator, its own documents. */
export function modelSource(model: BoundModel, options: WatchOptions): WatchSource {
  const database = model[DATABASE];
  const collection = model.collection.name;
  const pipeline = [...kindFilter(model), ...pipelineOf(options)];
  return {
    database,
    name: `${database.name}.${collection}`,
    isClusterWide: false,
    open: (client, start) =>
      client.db(database.name).collection(collection).watch(pipeline, driverOptions(options, start)),
  };
}

/** The changes of all collections of a database. */
export const databaseSource = (database: Database, options: WatchOptions): WatchSource => ({
  database,
  name: database.name,
  isClusterWide: false,
  open: (client, start) => client.db(database.name).watch(pipelineOf(options), driverOptions(options, start)),
});

/** The changes of the whole cluster of the primary pool. */
export const clusterSource = (database: Database, options: WatchOptions): WatchSource => ({
  database,
  name: 'the cluster',
  isClusterWide: true,
  open: (client, start) => client.watch(pipelineOf(options), driverOptions(options, start)),
});

const START_OPTIONS = ['startAfter', 'resumeAfter', 'startAtOperationTime'] as const;

/** Where the caller wants a stream to begin. */
export function startOf(options: WatchOptions): Partial<mongo.ChangeStreamOptions> {
  for (const name of START_OPTIONS) if (options[name] !== undefined) return { [name]: options[name] };
  return {};
}

function driverOptions(options: WatchOptions, start: Partial<mongo.ChangeStreamOptions>): mongo.ChangeStreamOptions {
  const { startAfter: _a, resumeAfter: _b, startAtOperationTime: _c, ...rest } = driverOptionsOf(options);
  return { ...rest, ...start };
}

/** As mongoose's own `watch()` filters for a discriminator. Deletions carry no document and are left out by it. */
function kindFilter({ schema }: BoundModel): mongo.Document[] {
  const { discriminatorMapping: mapping } = schema as {
    discriminatorMapping?: { key: string; value: unknown; isRoot: boolean };
  };
  return mapping && !mapping.isRoot ? [{ $match: { [`fullDocument.${mapping.key}`]: mapping.value } }] : [];
}
