import { isNumeric, toNumber } from '../../bson/number.js';
import { docOf, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { scopeOf } from '../expression.js';
import { displayNumber } from '../expression/display.js';
import { asInt32, compareOperands } from '../expression/operand.js';
import { groupByExpression, outputAccumulators } from './bucket.stage.js';
import { granularityOf, type Granularity } from './granularity.js';
import { Group, type Accumulators } from './group.stage.js';
import { holding, docSpec, type StageDefinition } from './stage.js';

interface Entry {
  readonly key: Value;
  readonly doc: Doc;
}

interface Bucket {
  min: Value;
  max: Value;
  readonly entries: Entry[];
}

function bucketCount(value: Value): number {
  if (!isNumeric(value)) {
    throw new CommandError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(value)}`,
    );
  }
  const count = asInt32(value);
  if (count === undefined) {
    throw new CommandError(
      40242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${displayNumber(value)}`,
    );
  }
  if (count > 0) return count;
  throw new CommandError(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${count}`);
}

function numberOf(value: Value): number {
  if (!isNumeric(value)) {
    throw new CommandError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeName(value)}`,
    );
  }
  if (toNumber(value) >= 0) return toNumber(value);
  throw new CommandError(
    40260,
    `$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number: ${displayNumber(value)}`,
  );
}

/** Zero stays what it is, of whatever type. */
function roundedDown(key: Value, granularity: Granularity): Value {
  const number = numberOf(key);
  return number === 0 ? key : granularity.valueOf(granularity.roundDown(number));
}

/** Shares sorted entries out evenly; equal keys stay together, and boundaries keep to the granularity. */
function distribute(
  entries: readonly Entry[],
  count: number,
  granularity: Granularity | undefined,
  env: QueryEnv,
): Bucket[] {
  const size = Math.max(1, Math.round(entries.length / count));
  const buckets: Bucket[] = [];
  let at = 0;
  while (at < entries.length) {
    const isLast = buckets.length === count - 1;
    const first = entries[at] as Entry;
    let end = isLast ? entries.length : Math.min(entries.length, at + size);
    const last = entries[end - 1] as Entry;
    const min = granularity ? (buckets.at(-1)?.max ?? roundedDown(first.key, granularity)) : first.key;
    let max: Value = last.key;
    if (granularity) {
      const boundary = granularity.roundUp(numberOf(last.key));
      while (end < entries.length && numberOf((entries[end] as Entry).key) < boundary) end++;
      const next = entries[end];
      max = boundary > 0 ? granularity.valueOf(boundary) : next ? roundedDown(next.key, granularity) : last.key;
    } else {
      while (end < entries.length && compareOperands(entries[end]?.key, max, env.collation) === 0) end++;
      max = entries[end]?.key ?? max;
    }
    buckets.push({ min, max, entries: entries.slice(at, end) });
    at = end;
  }
  return buckets;
}

function bucketDocument({ min, max, entries }: Bucket, accumulators: Accumulators): Doc {
  const group = new Group(docOf(['min', min], ['max', max]), accumulators);
  for (const { doc } of entries) group.add(doc);
  return group.result();
}

export const bucketAutoStage: StageDefinition = {
  compile(spec, { env }) {
    const fields = docSpec(
      spec,
      40240,
      (type) => `The argument to $bucketAuto must be an object, but found type: ${type}`,
    );
    for (const field of fields.keys()) {
      if (!['groupBy', 'buckets', 'output', 'granularity'].includes(field)) {
        throw new CommandError(40245, `Unrecognized option to $bucketAuto: ${field}`);
      }
    }
    const [groupBy, buckets, granularity] = ['groupBy', 'buckets', 'granularity'].map((field) => fields.get(field));
    if (groupBy === undefined || buckets === undefined) {
      throw new CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified");
    }
    const key = groupByExpression(groupBy, env, '$bucketAuto', 40239);
    const count = bucketCount(buckets);
    if (granularity !== undefined && typeof granularity !== 'string') {
      throw new CommandError(
        40261,
        `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(granularity)}`,
      );
    }
    const rounding = granularity === undefined ? undefined : granularityOf(granularity);
    const accumulators = outputAccumulators(fields.get('output'), env, '$bucketAuto', 40244);
    return holding(function* (docs) {
      const entries = Array.from(docs, (doc) => ({ doc, key: key(scopeOf(doc)) ?? null }));
      entries.sort((a, b) => compareOperands(a.key, b.key, env.collation));
      for (const bucket of distribute(entries, count, rounding, env)) yield bucketDocument(bucket, accumulators);
    });
  },
};
