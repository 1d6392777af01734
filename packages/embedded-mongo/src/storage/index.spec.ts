import { type Collation, parseCollation } from '../bson/collation.js';
import { equalValues } from '../bson/compare.js';
import { isNumeric, toNumber } from '../bson/number.js';
import { type Doc, int32, isDoc, typeName, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { checkPartialFilter } from './partial-filter.js';
import { valueText } from './value-text.js';

/** What an index orders its documents by. Those of the last two kinds hold no keys here. */
export type IndexKind = 'btree' | 'hashed' | 'wildcard' | 'text' | '2dsphere' | '2d';

/** An index as created: checked, with what the code needs of it taken apart. */
export interface IndexSpec {
  readonly name: string;
  readonly kind: IndexKind;
  /** The document listIndexes shows. */
  readonly doc: Doc;
  readonly key: Doc;
  readonly fields: readonly string[];
  readonly isDescending: readonly boolean[];
  readonly isHashed: readonly boolean[];
  readonly isUnique: boolean;
  readonly isSparse: boolean;
  readonly isHidden: boolean;
  readonly isId: boolean;
  readonly partialFilter: Doc | undefined;
  readonly expireAfterSeconds: number | undefined;
  readonly collation: Collation | undefined;
  readonly wildcardProjection: Doc | undefined;
}

const PLUGINS = ['hashed', 'text', '2dsphere', '2d'];

/** Options createIndexes knows (manual: createIndexes); `background` and others are accepted and do nothing. */
const OPTIONS = new Set(
  `v key name unique background sparse expireAfterSeconds hidden partialFilterExpression collation storageEngine
  weights default_language language_override textIndexVersion 2dsphereIndexVersion bits min max bucketSize
  wildcardProjection prepareUnique dropDups ns clustered`.split(/\s+/),
);

const cannot = (message: string): CommandError => new CommandError('CannotCreateIndex', message);

const isTrue = (value: Value | undefined): boolean => value === true || (isNumeric(value) && toNumber(value) !== 0);

function kindOf(key: Doc): IndexKind {
  for (const [field, direction] of key) {
    if (typeof direction === 'string') {
      if (!PLUGINS.includes(direction)) throw cannot(`Unknown index plugin '${direction}'`);
      return direction as IndexKind;
    }
    if (field === '$**' || field.endsWith('.$**')) return 'wildcard';
  }
  return 'btree';
}

function checkField(field: string, direction: Value, kind: IndexKind): void {
  if (field === '') throw cannot('Index keys cannot be an empty field.');
  if (field.startsWith('.') || field.endsWith('.') || field.includes('..')) {
    throw cannot(`Index keys cannot contain an empty field.`);
  }
  const parts = field.split('.');
  if (
    kind !== 'wildcard' &&
    field !== '$**' &&
    parts.some((part, i) => part.startsWith('$') && !(i > 0 && ['$id', '$db', '$ref'].includes(part)))
  ) {
    throw cannot(`Index key contains an illegal field name: field name starts with '$'.`);
  }
  if (typeof direction === 'string') return;
  if (!isNumeric(direction)) {
    throw cannot(
      `Values in v:2 index key pattern cannot be of type ${typeof direction === 'boolean' ? 'bool' : 'object'}. Only numbers > 0, numbers < 0, and strings are allowed.`,
    );
  }
  const number = toNumber(direction);
  if (Number.isNaN(number)) throw cannot('Values in the index key pattern cannot be NaN.');
  if (number === 0) throw cannot('Values in the index key pattern cannot be 0.');
}

/** The name an index gets when none is given: `a_1_b_-1`. */
export const defaultIndexName = (key: Doc): string =>
  [...key].map(([field, value]) => `${field}_${isNumeric(value) ? toNumber(value) : String(value)}`).join('_');

export interface IndexSpecOptions {
  /** Options that are not known are left out instead of refused. */
  readonly ignoresUnknown?: boolean;
}

/**
 * Checks one element of createIndexes' `indexes`.
 *
 * @param collectionCollation what the index takes on when it names no collation itself
 * @throws CommandError CannotCreateIndex (67), BadValue, InvalidIndexSpecificationOption (197), TypeMismatch
 */
export function parseIndexSpec(
  all: Doc,
  collectionCollation?: Collation,
  { ignoresUnknown = false }: IndexSpecOptions = {},
): IndexSpec {
  const given = ignoresUnknown ? new Map([...all].filter(([option]) => OPTIONS.has(option))) : all;
  const key = given.get('key');
  if (!isDoc(key))
    throw new CommandError('FailedToParse', "The 'key' field is a required property of an index specification");
  if (key.size === 0) throw cannot('Index keys cannot be empty.');
  for (const option of given.keys()) {
    if (OPTIONS.has(option)) continue;
    throw new CommandError(
      'InvalidIndexSpecificationOption',
      `The field '${option}' is not valid for an index specification. Specification: ${valueText(given)}`,
    );
  }
  const kind = kindOf(key);
  for (const [field, direction] of key) checkField(field, direction, kind);
  const isId = key.size === 1 && key.has('_id') && isNumeric(key.get('_id'));
  const name = given.get('name') ?? defaultIndexName(key);
  if (typeof name !== 'string') throw new CommandError('TypeMismatch', "The field 'name' must be a string");
  if (name === '') throw cannot('index name cannot be empty');
  if (name === '*') throw cannot("The index name '*' is not valid.");
  if (name.includes('\0')) throw cannot("The field 'name' cannot contain an embedded null byte");
  checkVersion(given.get('v'));
  checkCollation(given.get('collation'));
  const collation = given.has('collation') ? parseCollation(given.get('collation') as Doc) : collectionCollation;
  checkOptions(given, kind, isId);
  const isDirected = [...key.values()].map((direction) => isNumeric(direction) && toNumber(direction) < 0);
  return {
    name: isId ? '_id_' : name,
    kind,
    doc: listedDoc(given, key, isId ? '_id_' : name, collation),
    key,
    fields: [...key.keys()],
    isDescending: isDirected,
    isHashed: [...key.values()].map((direction) => direction === 'hashed'),
    isUnique: (isTrue(given.get('unique')) && kind !== '2d' && kind !== '2dsphere') || isId, // many places share a cell
    isSparse: isTrue(given.get('sparse')),
    isHidden: isTrue(given.get('hidden')),
    isId,
    partialFilter: given.get('partialFilterExpression') as Doc | undefined,
    expireAfterSeconds: secondsOf(given.get('expireAfterSeconds')),
    collation,
    wildcardProjection: given.get('wildcardProjection') as Doc | undefined,
  };
}

function checkVersion(version: Value | undefined): void {
  if (version === undefined) return;
  if (!isNumeric(version)) throw new CommandError('TypeMismatch', "The field 'v' must be a number");
  const number = toNumber(version);
  if (number !== 1 && number !== 2) {
    throw cannot(`Invalid index specification; cannot create an index with v=${number}`);
  }
}

function checkCollation(given: Value | undefined): void {
  if (given === undefined) return;
  if (!isDoc(given)) throw new CommandError('TypeMismatch', "The field 'collation' must be an object");
  if (given.size === 0) throw new CommandError('BadValue', "The field 'collation' cannot be an empty object");
}

const secondsOf = (value: Value | undefined): number | undefined =>
  value === undefined ? undefined : toNumber(value as number);

const MAX_TTL_SECONDS = 2_147_483_647;

const ID_INDEX_OPTIONS = ['v', 'key', 'name', 'ns', 'collation'];

function checkIdIndex(given: Doc): void {
  const option = [...given.keys()].find((name) => !ID_INDEX_OPTIONS.includes(name));
  if (option === undefined) return;
  throw new CommandError(
    'InvalidIndexSpecificationOption',
    `The field '${option}' is not valid for an _id index specification. Specification: ${valueText(given)}`,
  );
}

/** Options that are true or false; numbers count as such. */
const FLAGS = ['unique', 'sparse', 'background', 'hidden', 'prepareUnique', 'dropDups', 'clustered'];

function checkTypes(given: Doc): void {
  for (const flag of FLAGS) {
    const value = given.get(flag);
    if (value === undefined || typeof value === 'boolean' || isNumeric(value)) continue;
    throw new CommandError(
      'TypeMismatch',
      `The field '${flag}' has value ${flag}: ${valueText(value)}, which is not convertible to bool`,
    );
  }
  const version = given.get('v');
  if (version === undefined) return;
  if (!isNumeric(version)) {
    throw new CommandError('TypeMismatch', `The field 'v' must be a number, but got ${typeName(version)}`);
  }
  if (![1, 2].includes(toNumber(version))) {
    throw cannot(`Invalid index specification ${valueText(given)}; cannot create an index with v=${toNumber(version)}`);
  }
}

/** @throws CommandError BadValue (2), FailedToParse (9) */
function checkWildcardProjection(given: Doc, kind: IndexKind): void {
  if (!given.has('wildcardProjection')) return;
  if (kind !== 'wildcard') {
    throw new CommandError('BadValue', "The field 'wildcardProjection' is only allowed in an 'wildcard' index");
  }
  if ((given.get('key') as Doc).has('$**')) return;
  throw new CommandError(
    'FailedToParse',
    `The field 'wildcardProjection' is only allowed when 'key' is {"$**": ±1}. Specification: ${valueText(given)}`,
  );
}

function checkOptions(given: Doc, kind: IndexKind, isId: boolean): void {
  checkTypes(given);
  checkWildcardProjection(given, kind);
  const key = given.get('key') as Doc;
  const partial = given.get('partialFilterExpression');
  if (partial !== undefined && !isDoc(partial)) {
    throw new CommandError('TypeMismatch', "The field 'partialFilterExpression' must be an object");
  }
  if (partial) checkPartialFilter(partial);
  if (partial && isTrue(given.get('sparse'))) {
    throw cannot('cannot mix "partialFilterExpression" and "sparse" options');
  }
  if (isId) checkIdIndex(given);
  if (kind === 'hashed' && isTrue(given.get('unique'))) {
    throw new CommandError(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.');
  }
  if ([...key.values()].filter((direction) => direction === 'hashed').length > 1) {
    throw new CommandError(31303, 'A maximum of one index field is allowed to be hashed');
  }
  if (kind === 'wildcard') {
    if (isTrue(given.get('unique'))) throw cannot("Index type 'wildcard' does not support the 'unique' option");
    if (given.has('expireAfterSeconds')) throw cannot("Index type 'wildcard' cannot be a TTL index");
    if (isTrue(given.get('sparse'))) throw cannot("Index type 'wildcard' does not support the 'sparse' option");
  }
  const seconds = given.get('expireAfterSeconds');
  if (seconds === undefined) return;
  if (!isNumeric(seconds))
    throw cannot("TTL index 'expireAfterSeconds' option must be numeric, but received a type of object.");
  const number = toNumber(seconds);
  if (number < 0 || number > MAX_TTL_SECONDS) {
    throw cannot(
      `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than ${number}`,
    );
  }
  if (key.size !== 1) {
    throw cannot(
      'TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: ' + valueText(given),
    );
  }
}

/** Most options are listed as they were given. */
function listedDoc(given: Doc, key: Doc, name: string, collation: Collation | undefined): Doc {
  const doc: Doc = new Map<string, Value>([
    ['v', int32(2)],
    ['key', key],
    ['name', name],
  ]);
  for (const [option, value] of given) {
    if (['v', 'key', 'name', 'collation', 'ns', 'dropDups', 'clustered'].includes(option)) continue;
    if (['unique', 'hidden', 'prepareUnique'].includes(option)) {
      if (isTrue(value)) doc.set(option, true);
    } else doc.set(option, value);
  }
  const text = [...key.values()].includes('text');
  if (text) {
    const weights = new Map<string, Value>(isDoc(given.get('weights')) ? (given.get('weights') as Doc) : []);
    for (const [field, kind] of key) {
      if (kind === 'text' && field !== '_fts' && !weights.has(field)) weights.set(field, int32(1));
    }
    doc.set('weights', new Map([...weights].sort(([a], [b]) => (a < b ? -1 : 1))));
    if (!doc.has('default_language')) doc.set('default_language', 'english');
    if (!doc.has('language_override')) doc.set('language_override', 'language');
    doc.set('textIndexVersion', int32(3));
    const others = [...key].filter(([field, kind]) => kind !== 'text' && field !== '_ftsx');
    doc.set('key', new Map<string, Value>([...others, ['_fts', 'text'], ['_ftsx', int32(1)]]));
  }
  if ([...key.values()].includes('2dsphere')) doc.set('2dsphereIndexVersion', int32(3));
  if (collation && !text) doc.set('collation', collation.spec);
  return doc;
}

const sameOption = (a: Doc, b: Doc, option: string): boolean => {
  const x = a.get(option);
  const y = b.get(option);
  return x === undefined || y === undefined ? x === y : equalValues(x, y);
};

/**
 * Whether two specs have the same signature: what may not be there twice, whatever the names are. The key is the one
 * listIndexes shows: those of text indexes do not name their fields.
 */
export const isSameSignature = (a: IndexSpec, b: IndexSpec): boolean =>
  sameOption(a.doc, b.doc, 'key') &&
  a.isUnique === b.isUnique &&
  a.isSparse === b.isSparse &&
  sameOption(a.doc, b.doc, 'collation') &&
  sameOption(a.doc, b.doc, 'partialFilterExpression') &&
  sameOption(a.doc, b.doc, 'wildcardProjection');

/** Whether two specs of one signature agree in the options that are not part of it. */
export const hasSameOptions = (a: IndexSpec, b: IndexSpec): boolean =>
  ['expireAfterSeconds', 'weights', 'default_language', 'language_override'].every((option) =>
    sameOption(a.doc, b.doc, option),
  );
