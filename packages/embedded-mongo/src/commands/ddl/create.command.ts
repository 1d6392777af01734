import { CommandError } from '../../errors.js';
import { equalValues } from '../../bson/compare.js';
import { parseCollation } from '../../bson/collation.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { parseIndexSpec } from '../../storage/index.spec.js';
import { nsString } from '../../storage/namespace.js';
import {
  ArgumentParser,
  boolArgument,
  countArgument,
  docArgument,
  integerArgument,
  stringArgument,
} from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { checkValidator } from '../crud/validator.js';
import { runWrite } from '../crud/write.js';
import { checkCreatable } from '../crud/write-namespace.js';
import type { Operation } from '../operation.js';
import { checkTimeSeriesFields, metaTimeIndex } from '../time-series/restrictions.js';
import { fieldsOf, int, reply } from '../reply.js';
import { checkViewPipeline } from './view-pipeline.js';

/** The options that belong to the collection; the others only say how to create it. */
const COLLECTION_OPTIONS = [
  'capped',
  'size',
  'max',
  'timeseries',
  'expireAfterSeconds',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'storageEngine',
  'validator',
  'validationLevel',
  'validationAction',
  'indexOptionDefaults',
  'viewOn',
  'pipeline',
  'collation',
] as const;

const TIMESERIES = new ArgumentParser('create.timeseries', {
  timeField: 'string!',
  metaField: 'string',
  granularity: 'string',
  bucketMaxSpanSeconds: 'number',
  bucketRoundingSeconds: 'number',
});

export const create: Command = {
  name: 'create',
  isInApiV1: true,
  isAllowedInTransaction: true,
  isWrite: true,
  args: {
    create: 'any',
    capped: 'safeBool',
    autoIndexId: 'safeBool',
    size: 'number',
    max: 'number',
    timeseries: 'object',
    expireAfterSeconds: 'any',
    clusteredIndex: 'any',
    changeStreamPreAndPostImages: 'object',
    storageEngine: 'object',
    validator: 'object',
    validationLevel: 'string',
    validationAction: 'string',
    indexOptionDefaults: 'object',
    viewOn: 'string',
    pipeline: 'array',
    collation: 'object',
    idIndex: 'object',
    temp: 'safeBool',
    flags: 'any',
    encryptedFields: 'object',
  },
  async run(op) {
    const ns = namespaceOf(op);
    checkCreatable(ns);
    checkOptions(op);
    checkIdIndex(op.args);
    const options = optionsOf(op);
    checkViewPipeline(op, options);
    const { catalog } = op.server.storage;
    const pending = runWrite(op, (unit) => {
      const existing = catalog.find(ns, unit);
      // Creating the same again is no error, but for a transaction.
      if (existing && !op.isInTransaction && equalValues(existing.options, options)) return;
      if (existing) {
        throw new CommandError(
          'NamespaceExists',
          existing.kind === 'view'
            ? `namespace ${nsString(ns)} already exists, but is a view`
            : `Collection ${nsString(ns)} already exists.`,
        );
      }
      const entry = catalog.create(unit, ns, options);
      const index = metaTimeIndex(options);
      if (index && entry.kind === 'collection') entry.indexes.create(unit, [index]);
    });
    if (pending instanceof Promise) await pending;
    return reply({});
  },
};

function optionsOf({ args }: Operation): Doc {
  const options: Doc = new Map();
  for (const name of COLLECTION_OPTIONS) {
    const value = args.get(name);
    if (value == null) continue;
    if (name === 'capped' && !boolArgument(args, 'capped')) continue;
    options.set(name, normalized(name, value));
  }
  if (options.has('viewOn') && !options.has('pipeline')) options.set('pipeline', []);
  if (options.has('validator')) {
    if (!options.has('validationLevel')) options.set('validationLevel', 'strict');
    if (!options.has('validationAction')) options.set('validationAction', 'error');
  }
  return options;
}

function normalized(name: string, value: Value): Value {
  if (name === 'capped') return true;
  if (name === 'clusteredIndex') {
    const given = isDoc(value) ? value : new Map<string, Value>();
    return fieldsOf({
      v: int(2),
      key: fieldsOf({ _id: int(1) }),
      name: given.get('name') ?? '_id_',
      unique: true,
    });
  }
  if (name === 'timeseries' && isDoc(value)) return timeseriesOptions(value);
  if (name === 'collation' && isDoc(value)) return parseCollation(value)?.spec ?? value;
  return value;
}

const BUCKET_SPAN_SECONDS: Readonly<Record<string, number>> = { seconds: 3600, minutes: 86_400, hours: 2_592_000 };

/** @throws CommandError */
function timeseriesOptions(given: Doc): Doc {
  TIMESERIES.check(given);
  checkTimeSeriesFields(given);
  const granularity = stringArgument(given, 'granularity') ?? 'seconds';
  const span = Object.hasOwn(BUCKET_SPAN_SECONDS, granularity) ? BUCKET_SPAN_SECONDS[granularity] : undefined;
  if (span === undefined) {
    throw new CommandError(
      'BadValue',
      `Enumeration value '${granularity}' for field 'create.timeseries.granularity' is not a valid value.`,
    );
  }
  if (given.has('bucketMaxSpanSeconds')) return given;
  return new Map([...given, ['granularity', granularity], ['bucketMaxSpanSeconds', int(span)]]);
}

const LEVELS = ['off', 'strict', 'moderate'];
const ACTIONS = ['error', 'warn'];

const UNVALIDATED = ['admin', 'local', 'config'];

/** @throws CommandError */
export function checkOptions({ args, ...op }: Pick<Operation, 'args' | 'commandName' | 'db'>): void {
  for (const field of ['size', 'max']) assertInRange(args, field);
  if (boolArgument(args, 'capped') && integerArgument(args, 'size') === undefined) {
    throw new CommandError('InvalidOptions', "the 'size' field is required when 'capped' is true");
  }
  if (!boolArgument(args, 'capped') && (args.has('size') || args.has('max')) && op.commandName === 'create') {
    throw new CommandError(
      'InvalidOptions',
      "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
    );
  }
  if (
    op.commandName === 'create' &&
    args.has('expireAfterSeconds') &&
    !args.has('timeseries') &&
    !args.has('clusteredIndex')
  ) {
    throw new CommandError(
      'InvalidOptions',
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  }
  checkCapped(args);
  if (args.has('pipeline') && !args.has('viewOn')) {
    throw new CommandError('InvalidOptions', "'pipeline' requires 'viewOn' to also be specified");
  }
  if (args.has('viewOn') && boolArgument(args, 'capped')) {
    throw new CommandError('InvalidOptions', "Cannot specify 'capped' and 'viewOn' together");
  }
  checkChoice(args, 'validationLevel', LEVELS, op.commandName);
  checkChoice(args, 'validationAction', ACTIONS, op.commandName);
  const validator = docArgument(args, 'validator');
  if (!validator) return;
  if (UNVALIDATED.includes(op.db)) {
    throw new CommandError(
      'InvalidOptions',
      `Document validators are not allowed on collections in the ${op.db} database`,
    );
  }
  checkValidator(validator);
}

const MOST_BYTES = 2 ** 50;

/** @throws CommandError BadValue for a size or a number of documents that no capped collection has */
function assertInRange(args: Doc, field: string): void {
  const value = field === 'size' ? countArgument(args, field, 1) : integerArgument(args, field);
  if (value === undefined || (field === 'max' && value <= 0)) return;
  if (value > (field === 'max' ? 0x7fff_ffff : MOST_BYTES)) {
    throw new CommandError('BadValue', `BSON field '${field}' value ${value} is out of range`);
  }
}

/** @throws CommandError for an `idIndex` that is not the one on `_id`, or of what has none */
function checkIdIndex(args: Doc): void {
  const idIndex = docArgument(args, 'idIndex');
  if (!idIndex) return;
  if (args.has('viewOn')) throw new CommandError('InvalidOptions', "'idIndex' is not allowed with 'viewOn'");
  if (args.has('autoIndexId')) throw new CommandError('InvalidOptions', "'idIndex' is not allowed with 'autoIndexId'");
  const { isId, collation } = parseIndexSpec(idIndex);
  if (!isId) {
    throw new CommandError('BadValue', "The field 'key' for an _id index must be {_id: 1}, but got another one");
  }
  const own = docArgument(args, 'collation');
  if (!equalValues(collation?.spec ?? null, (own && parseCollation(own)?.spec) ?? null)) {
    throw new CommandError('BadValue', "'idIndex' must have the same collation as the collection.");
  }
}

const MAX_CAPPED_BYTES = 2 ** 50;
const MAX_CAPPED_COUNT = 2 ** 31;

function checkCapped(args: Doc): void {
  if (!boolArgument(args, 'capped')) return;
  const size = integerArgument(args, 'size')!;
  if (size > MAX_CAPPED_BYTES) {
    throw new CommandError(
      'BadValue',
      `BSON field 'size' value must be <= ${MAX_CAPPED_BYTES}, actual value '${size}'`,
    );
  }
  if ((integerArgument(args, 'max') ?? 0) >= MAX_CAPPED_COUNT) {
    throw new CommandError('BadValue', 'max in a capped collection has to be < 2^31 or not set');
  }
  for (const other of ['clusteredIndex', 'timeseries']) {
    if (args.has(other)) throw new CommandError('InvalidOptions', `Cannot specify 'capped' and '${other}' together`);
  }
}

function checkChoice(args: Doc, field: string, choices: readonly string[], owner: string): void {
  const value = stringArgument(args, field);
  if (value !== undefined && !choices.includes(value)) {
    throw new CommandError(
      'BadValue',
      `Enumeration value '${value}' for field '${owner}.${field}' is not a valid value.`,
    );
  }
}
