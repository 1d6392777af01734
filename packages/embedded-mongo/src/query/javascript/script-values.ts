import { BSONRegExp, BSONSymbol, Code, Decimal128, Int32 } from 'bson';
import { toNumber } from '../../bson/number.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';

/** Makes and tells values of a script's own context. */
export interface Realm {
  object(): Record<string, unknown>;
  array(): unknown[];
  date(ms: number): unknown;
  regExp(source: string, flags: string): unknown;
  isDate(value: unknown): value is Date;
  isRegExp(value: unknown): value is RegExp;
}

/** A BSON value as a script sees it: all numbers are numbers; types that JavaScript has not are the classes of bson. */
export function toScript(value: Value, realm: Realm): unknown {
  if (typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128) return toNumber(value);
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Date) return realm.date(value.getTime());
  if (value instanceof BSONRegExp) return realm.regExp(value.pattern, value.options.replace(/[^imsu]/g, ''));
  if (value instanceof Code) return String(value.code);
  if (Array.isArray(value)) {
    const array = realm.array();
    for (const element of value) array.push(toScript(element, realm));
    return array;
  }
  if (!isDoc(value)) return value;
  const object = realm.object();
  for (const [name, field] of value) {
    // Defined, not assigned: a field may be called __proto__.
    Object.defineProperty(object, name, {
      value: toScript(field, realm),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}

/** What a script gave, as BSON: numbers are doubles, functions and `undefined` are missing. */
export function fromScript(value: unknown, realm: Realm): Value | undefined {
  switch (typeof value) {
    case 'undefined':
    case 'function':
    case 'symbol':
      return undefined;
    case 'object':
      return value === null ? null : fromObject(value, realm);
    default:
      return value as Value;
  }
}

function fromObject(value: object, realm: Realm): Value {
  if (Array.isArray(value)) return value.map((element) => fromScript(element, realm) ?? null);
  if (realm.isDate(value)) return new Date(value.getTime());
  if (realm.isRegExp(value)) return new BSONRegExp(value.source, value.flags.replace(/[^imsu]/g, ''));
  if ('_bsontype' in value) return value as Value;
  const doc: Doc = new Map();
  for (const [name, field] of Object.entries(value)) {
    const converted = fromScript(field, realm);
    if (converted !== undefined) doc.set(name, converted);
  }
  return doc;
}
