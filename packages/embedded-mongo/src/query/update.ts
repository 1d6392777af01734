import { compareValues } from '../bson/compare.js';
import { formatDoc, formatField } from '../bson/format.js';
import { identicalDocs, identicalValues } from '../bson/identical.js';
import { type Doc, isDoc, typeName, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { TreeApplication, type UpdateResult, type UpdateSite } from './update/apply.js';
import { compileArrayFilters, type ElementFilter } from './update/array-filters.js';
import { addToSet, pop, pull, pullAll } from './update/array.modifiers.js';
import { diffDocuments } from './update/diff.js';
import { currentDate, extreme, set, setOnInsert, unset } from './update/field.modifiers.js';
import type { ModifierCompiler } from './update/modifier.js';
import { bit, increment, multiplyBy } from './update/number.modifiers.js';
import { push } from './update/push.modifier.js';
import { addRename } from './update/rename.js';
import { addNode, branch, checkPath, identifierIn, type Branch } from './update/tree.js';
import { documentOfFilter, withIdFirst } from './update/upsert.js';

export type { UpdateResult } from './update/apply.js';
export type { UpdateDescription } from './update/description.js';
export { diffDocuments } from './update/diff.js';
export { assertWithoutExpr, documentOfFilter, withIdFirst } from './update/upsert.js';

/** A compiled update, of operators or a replacement. */
export interface Update {
  readonly kind: 'operators' | 'replacement';
  /** Whether it has a positional `$`, and so needs to know which array element the query matched. */
  readonly isPositional: boolean;
  /**
   * Applies the update; the given document is left as it is.
   * @throws CommandError for what cannot be applied to this document; ImmutableField (66) when `_id` would change
   */
  apply(before: Doc, site?: UpdateSite): UpdateResult;
}

export interface UpdateOptions {
  readonly arrayFilters?: readonly Doc[];
  /** Whether the update is of every document that matches; a replacement cannot be. */
  readonly isMulti?: boolean;
}

const MODIFIERS: ReadonlyMap<string, ModifierCompiler> = new Map([
  ['$set', set],
  ['$unset', unset],
  ['$inc', increment],
  ['$mul', multiplyBy],
  ['$min', extreme(-1)],
  ['$max', extreme(1)],
  ['$setOnInsert', setOnInsert],
  ['$currentDate', currentDate],
  ['$bit', bit],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pop', pop],
  ['$pull', pull],
  ['$pullAll', pullAll],
]);

/** Whether an update is made of operators, rather than a document to put in place of the old one. */
const isOperatorUpdate = (update: Doc): boolean => update.keys().next().value?.startsWith('$') === true;

/**
 * Compiles an update that is not a pipeline.
 *
 * @throws CommandError FailedToParse (9) for an unknown operator, ConflictingUpdateOperators (40) for two changes of
 * one path, and others, as MongoDB does
 * @see https://www.mongodb.com/docs/v7.0/reference/operator/update/
 */
export function compileUpdate(update: Doc, env: QueryEnv, options: UpdateOptions = {}): Update {
  if (!isOperatorUpdate(update)) return compileReplacement(update, options);
  const filters = compileArrayFilters(options.arrayFilters ?? [], env);
  const tree = buildTree(update, env, filters);
  return {
    kind: 'operators',
    isPositional: pathsOf(update).some((path) => path.split('.').includes('$')),
    apply(before, site = {}) {
      const result = new TreeApplication(before, filters, site).run(tree);
      if (result.isModified) assertIdKept(before, result);
      return result;
    },
  };
}

function pathsOf(update: Doc): string[] {
  return [...update.values()].flatMap((fields) => (isDoc(fields) ? [...fields.keys()] : []));
}

function buildTree(update: Doc, env: QueryEnv, filters: ReadonlyMap<string, ElementFilter>): Branch {
  const tree = branch();
  for (const [name, fields] of update) {
    const compile = MODIFIERS.get(name);
    if (!compile && name !== '$rename') {
      throw new CommandError(
        'FailedToParse',
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!isDoc(fields)) {
      throw new CommandError(
        'FailedToParse',
        `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: {$mod: {<field>: ...}} not {${formatField(name, fields)}}`,
      );
    }
    for (const [path, operand] of fields) {
      checkPath(path);
      if (compile) addNode(tree, path, { kind: 'leaf', modifier: compile(operand, path, env) }, filters);
      else addRename(tree, path, operand, filters);
    }
  }
  assertFiltersUsed(update, filters);
  return tree;
}

function assertFiltersUsed(update: Doc, filters: ReadonlyMap<string, ElementFilter>): void {
  const used = new Set(pathsOf(update).flatMap((path) => path.split('.').map(identifierIn)));
  for (const identifier of filters.keys()) {
    if (!used.has(identifier)) {
      throw new CommandError(
        'FailedToParse',
        `The array filter for identifier '${identifier}' was not used in the update ${formatDoc(update)}`,
      );
    }
  }
}

function assertIdKept(before: Doc, { doc, description }: UpdateResult): void {
  const id = before.get('_id');
  const after = doc.get('_id');
  if (after !== undefined) assertStorableId(after);
  if (id === undefined || (after !== undefined && identicalValues(id, after))) return;
  const changed = description ? [...description.updatedFields.keys(), ...description.removedFields] : [];
  const path = changed.find((name) => name.startsWith('_id.')) ?? '_id';
  throw new CommandError(
    'ImmutableField',
    `Performing an update on the path '${path}' would modify the immutable field '_id'`,
  );
}

/** @throws CommandError InvalidIdField (53) for an array, a regular expression or undefined as `_id` */
function assertStorableId(id: Value): void {
  const type = typeName(id);
  if (type === 'array' || type === 'regex' || type === 'undefined') {
    throw new CommandError('InvalidIdField', `The '_id' value cannot be of type ${type}`);
  }
  if (!isDoc(id)) return;
  for (const name of id.keys()) {
    if (name.startsWith('$') && !['$ref', '$id', '$db'].includes(name)) {
      throw new CommandError(
        'DollarPrefixedFieldName',
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
    }
  }
}

function compileReplacement(replacement: Doc, options: UpdateOptions): Update {
  if (options.isMulti) {
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update');
  }
  if (options.arrayFilters?.length) {
    throw new CommandError('FailedToParse', 'arrayFilters may not be specified for replacement-style updates');
  }
  for (const name of replacement.keys()) {
    if (name.startsWith('$')) {
      throw new CommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    }
  }
  return { kind: 'replacement', isPositional: false, apply: (before) => replaceDocument(before, replacement) };
}

/**
 * Puts a document in place of another, whose `_id` it keeps and has first.
 * @throws CommandError ImmutableField (66) when it has another `_id`
 */
export function replaceDocument(before: Doc, replacement: Doc): UpdateResult {
  const id = before.get('_id');
  const given = replacement.get('_id');
  if (given !== undefined) assertStorableId(given);
  if (id !== undefined && given !== undefined && compareValues(id, given) !== 0) {
    throw new CommandError(
      'ImmutableField',
      `After applying the update, the (immutable) field '_id' was found to have been altered to ${formatField('_id', given)}`,
    );
  }
  const kept = given ?? id;
  const doc: Doc = kept === undefined ? replacement : new Map<string, Value>([['_id', kept], ...replacement]);
  // As in mongod, where a replacement without `_id` is compared before it gets that of the document.
  const isModified = given === undefined || !identicalDocs(before, doc);
  return {
    doc: isModified ? doc : before,
    isModified,
    get description() {
      return diffDocuments(before, doc);
    },
  };
}

/** The document an upsert inserts when nothing matches its filter. */
export function upsertDocument(filter: Doc, update: Update): Doc {
  const base = documentOfFilter(filter, update.kind === 'replacement');
  const { doc } = update.apply(base, { isInsert: true });
  const withId = withIdFirst(doc);
  assertStorableId(withId.get('_id')!);
  return withId;
}
