import { compareValues } from './compare.js';
import { encodeValue } from './encode.js';
import { type Doc, isDoc, typeCode, type Value } from './value.js';

/** Whether two values have the same bytes: the same types throughout and fields in the same order. */
export function identicalValues(a: Value, b: Value): boolean {
  if (a === b) return a !== 0 || Object.is(a, b);
  if (isDoc(a)) return isDoc(b) && identicalDocs(a, b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => identicalValues(value, b[i]!));
  }
  const type = typeCode(a);
  if (type !== typeCode(b)) return false;
  if (typeof a === 'number') return Object.is(a, b);
  if (type === 19 || type === 15) return encodeValue(a).equals(encodeValue(b));
  return compareValues(a, b) === 0;
}

/** Whether two documents have the same bytes. */
export function identicalDocs(a: Doc, b: Doc): boolean {
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [key, value] of a) {
    const [otherKey, other] = others.next().value!;
    if (key !== otherKey || !identicalValues(value, other)) return false;
  }
  return true;
}
