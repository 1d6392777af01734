import { BSONRegExp, ObjectId } from 'bson';
import { splitPath } from '../../bson/path.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { isOperatorDoc } from '../filter.js';
import { spend } from '../../bson/work.js';

/** The values a filter demands by equality, by path; those under `$or` only where it has one branch. */
function* equalitiesIn(filter: Doc): Iterable<[string, Value]> {
  for (const [name, condition] of filter) {
    if (name === '$and' || (name === '$or' && Array.isArray(condition) && condition.length === 1)) {
      for (const part of condition as Value[]) if (isDoc(part)) yield* equalitiesIn(part);
    } else if (!name.startsWith('$')) yield* equalitiesOfField(name, condition);
  }
}

function* equalitiesOfField(name: string, condition: Value): Iterable<[string, Value]> {
  if (condition instanceof BSONRegExp) return;
  if (!isOperatorDoc(condition)) return yield [name, condition];
  for (const [operator, operand] of condition) {
    if (operator === '$eq') yield [name, operand];
    if (!Array.isArray(operand)) continue;
    if (operator === '$all') for (const value of operand) if (isPlain(value)) yield [name, value];
    if (operator === '$in' && operand.length === 1 && isPlain(operand[0]!)) yield [name, operand[0]!];
  }
}

const isPlain = (value: Value): boolean => !(value instanceof BSONRegExp) && !isOperatorDoc(value);

function collectEqualities(filter: Doc): Map<string, Value> {
  const equalities = new Map<string, Value>();
  const above = new Map<string, string>(); // by each path on the way, one that leads through it
  for (const [path, value] of equalitiesIn(filter)) {
    spend(1);
    if (equalities.has(path)) throw inferenceError(`path '${path}' is matched twice`);
    const below = above.get(path);
    if (below !== undefined) throw inferenceError(`both paths '${below}' and '${path}' are matched`);
    for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
      const known = path.slice(0, dot);
      if (equalities.has(known)) throw inferenceError(`both paths '${path}' and '${known}' are matched`);
      above.set(known, path);
    }
    equalities.set(path, value);
  }
  return equalities;
}

const inferenceError = (reason: string): CommandError =>
  new CommandError('NotSingleValueField', `cannot infer query fields to set, ${reason}`);

function setAt(doc: Doc, path: string, value: Value): void {
  const parts = splitPath(path);
  const last = parts[parts.length - 1]!;
  let current = doc;
  for (const part of parts.slice(0, -1)) {
    const next = current.get(part);
    if (isDoc(next)) current = next;
    else {
      const made: Doc = new Map();
      current.set(part, made);
      current = made;
    }
  }
  current.set(last, value);
}

/** @throws CommandError QueryFeatureNotAllowed (224) when the filter of an upsert has an expression */
export function assertWithoutExpr(filter: Doc): void {
  for (const [name, condition] of filter) {
    if (name === '$expr') {
      throw new CommandError('QueryFeatureNotAllowed', '$expr is not allowed in the query predicate for an upsert');
    }
    if (name.startsWith('$') && Array.isArray(condition)) condition.filter(isDoc).forEach(assertWithoutExpr);
  }
}

/**
 * The document an upsert starts from: the fields that the filter demands by equality.
 * @param onlyId for a replacement, which takes nothing but `_id` from the filter
 * @throws CommandError NotSingleValueField (54) when the filter demands two values of one field
 */
export function documentOfFilter(filter: Doc, onlyId: boolean): Doc {
  const doc: Doc = new Map();
  const equalities = [...collectEqualities(filter)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [path, value] of equalities) {
    if (!onlyId || path === '_id') setAt(doc, path, value);
    else if (path.startsWith('_id.')) {
      throw new CommandError(
        'NotExactValueField',
        `field at '_id' must be exactly specified, field at sub-path '${path}'found`,
      );
    }
  }
  return doc;
}

/** The document with its `_id` first; a new ObjectId where it has none. */
export function withIdFirst(doc: Doc): Doc {
  if (doc.keys().next().value === '_id') return doc;
  return new Map<string, Value>([['_id', doc.get('_id') ?? new ObjectId()], ...doc]);
}
