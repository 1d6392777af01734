import { describeValue } from '../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';

/** The keys of a path such as `meta.tenant`. @throws PolyMongoOptionsError when one is empty, or would be no field */
export function pathOf(path: string): readonly string[] {
  const keys = typeof path === 'string' ? path.split('.') : [];
  if (keys.length > 0 && keys.every((key) => key !== '' && key !== '__proto__')) return keys;
  throw new PolyMongoOptionsError(
    'tenant.resolve',
    `${describeValue(path)} is no path of a payload. Name its fields, as in 'meta.tenant'.`,
  );
}

/** What is at a path of a payload, in objects' own fields; undefined where it ends before. */
export function valueAt(data: unknown, keys: readonly string[]): unknown {
  let value = data;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
