import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import { docArgument, stringArgument } from '../arguments.js';
import { fieldsOf, int } from '../reply.js';

// What MongoDB 7.0 does not do with time series (manual: Time Series Collection Limitations).

const timeseriesOf = ({ options }: Pick<Collection, 'options'>): Doc | undefined => docArgument(options, 'timeseries');

const refusal = (what: string): CommandError =>
  new CommandError('InvalidOptions', `Cannot perform ${what} on a time-series collection`);

/** @throws CommandError OperationNotSupportedInTransaction (263) */
export function checkTimeSeriesWrite(collection: Collection, isInTransaction: boolean): void {
  if (!isInTransaction || !timeseriesOf(collection)) return;
  throw new CommandError(
    'OperationNotSupportedInTransaction',
    `Cannot insert into a time-series collection in a multi-document transaction: ${nsString(collection.ns)}`,
  );
}

/** Only the meta field can be updated, of many measurements at once. @throws CommandError InvalidOptions (72) */
export function checkTimeSeriesUpdate(
  collection: Collection,
  update: {
    readonly filter: Doc;
    readonly update: Value | undefined;
    readonly isMulti: boolean;
    readonly isUpsert: boolean;
  },
): void {
  const timeseries = timeseriesOf(collection);
  if (!timeseries) return;
  const metaField = stringArgument(timeseries, 'metaField');
  if (update.isUpsert) throw refusal('an upsert');
  if (!update.isMulti) throw refusal('a non-multi update');
  if (metaField === undefined)
    throw new CommandError(
      'InvalidOptions',
      'Cannot perform an update on a time-series collection that does not have a metaField',
    );
  if (Array.isArray(update.update)) throw refusal('an update with an aggregation pipeline');
  const isMeta = (path: string): boolean => path === metaField || path.startsWith(`${metaField}.`);
  if (!pathsOf(update.filter).every(isMeta)) {
    throw refusal(`an update when querying on a field that is not the metaField '${metaField}'`);
  }
  const changes = isDoc(update.update) ? [...update.update] : [];
  if (!changes.every(([name]) => name.startsWith('$'))) throw refusal('a replacement update');
  const changed = changes.flatMap(([, fields]) => (isDoc(fields) ? [...fields.keys()] : []));
  if (!changed.every(isMeta)) {
    throw refusal(`an update which updates a field that is not the metaField '${metaField}'`);
  }
}

/** The fields a filter asks about. */
function pathsOf(filter: Doc): string[] {
  return [...filter].flatMap(([name, condition]) => {
    if (!name.startsWith('$')) return [name];
    return Array.isArray(condition) ? condition.flatMap((part) => (isDoc(part) ? pathsOf(part) : [])) : [];
  });
}

/** @throws CommandError InvalidOptions (72) for a kind of index that cannot be of buckets */
export function checkTimeSeriesIndex(collection: Collection, spec: Doc): void {
  if (!timeseriesOf(collection)) return;
  const key = docArgument(spec, 'key');
  const kinds = key ? [...key.values()] : [];
  const kind =
    spec.get('unique') === true
      ? 'Unique'
      : kinds.includes('text')
        ? 'Text'
        : kinds.includes('hashed')
          ? 'Hashed'
          : undefined;
  if (kind === undefined) return;
  throw new CommandError('InvalidOptions', `${kind} indexes are not supported on time-series collections`);
}

/** The index on meta and time that a new time series has; none without a meta field. */
export function metaTimeIndex(options: Doc): Doc | undefined {
  const timeseries = docArgument(options, 'timeseries');
  const [meta, time] = [
    timeseries && stringArgument(timeseries, 'metaField'),
    timeseries && stringArgument(timeseries, 'timeField'),
  ];
  if (meta === undefined || time === undefined) return undefined;
  return fieldsOf({ key: fieldsOf({ [meta]: int(1), [time]: int(1) }), name: `${meta}_1_${time}_1` });
}

/** @throws CommandError InvalidOptions (72) for fields that a time series cannot be ordered by */
export function checkTimeSeriesFields(timeseries: Doc): void {
  const [time, meta] = [stringArgument(timeseries, 'timeField')!, stringArgument(timeseries, 'metaField')];
  for (const [name, field] of [
    ['timeField', time],
    ['metaField', meta],
  ] as const) {
    if (field?.includes('.')) throw new CommandError('InvalidOptions', `'${name}' must be a top-level field`);
  }
  if (meta === undefined) return;
  if (meta === '_id') throw new CommandError('InvalidOptions', "The 'metaField' cannot be '_id'");
  if (meta === time) throw new CommandError('InvalidOptions', "The 'metaField' must not be the same as 'timeField'");
}
