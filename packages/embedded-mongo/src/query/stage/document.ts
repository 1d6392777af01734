import { isDoc, type Doc, type Value } from '../../bson/value.js';

/** A document with another value at a path; what is no document on the way becomes one. */
export function withPath(doc: Doc, path: readonly string[], value: Value): Doc {
  const [field = '', ...rest] = path;
  const result = new Map(doc);
  if (rest.length === 0) return result.set(field, value);
  const nested = doc.get(field);
  return result.set(field, withPath(isDoc(nested) ? nested : new Map(), rest, value));
}

/** A document without what is at a path. */
export function withoutPath(doc: Doc, path: readonly string[]): Doc {
  const [field = '', ...rest] = path;
  const result = new Map(doc);
  const nested = doc.get(field);
  if (rest.length === 0) result.delete(field);
  else if (isDoc(nested)) result.set(field, withoutPath(nested, rest));
  return result;
}
