import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { toNumber } from '../../bson/number.js';
import { DBPointer, type Doc, isDoc, type Value } from '../../bson/value.js';
import { spend } from '../../bson/work.js';
import { CommandError } from '../../errors.js';

/** How deep what a script gives may be (mongod's ObjectWrapper::kMaxWriteFieldDepth). */
const MOST_DEPTH = 150;

const tag = (...parts: unknown[]): string => JSON.stringify({ $t: parts });

/**
 * A BSON value as text for a script's context: JSON, where `{ "$t": [kind, …] }` is what JSON has not. All numbers are
 * numbers; types that JavaScript has not become classes of the context.
 */
export function toScript(value: Value | undefined): string {
  spend(1);
  switch (typeof value) {
    case 'undefined':
      return tag('u');
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
    case 'bigint':
      return numberText(Number(value));
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(toScript).join(',')}]`;
  return isDoc(value) ? docText(value) : objectText(value);
}

function numberText(value: number): string {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? String(value)
    : tag('n', Object.is(value, -0) ? '-0' : String(value));
}

function docText(doc: Doc): string {
  if (doc.has('$t')) {
    return `{"$t":["doc",[${[...doc].map(([name, field]) => `[${JSON.stringify(name)},${toScript(field)}]`).join(',')}]]}`;
  }
  let text = '';
  for (const [name, field] of doc) text += `${text && ','}${JSON.stringify(name)}:${toScript(field)}`;
  return `{${text}}`;
}

function objectText(value: Exclude<Value, Doc | Value[] | string | number | bigint | boolean | null>): string {
  if (value instanceof Int32 || value instanceof Decimal128) return numberText(toNumber(value));
  if (value instanceof ObjectId) return tag('oid', value.toHexString());
  if (value instanceof Date) return tag('d', value.getTime());
  if (value instanceof BSONSymbol) return JSON.stringify(value.value);
  if (value instanceof Code) return JSON.stringify(String(value.code));
  if (value instanceof BSONRegExp) return tag('r', value.pattern, value.options.replace(/[^imsu]/g, ''));
  if (value instanceof Binary) return tag('bin', value.sub_type, value.toString('base64'));
  if (value instanceof Timestamp) return tag('ts', value.t, value.i);
  if (value instanceof MinKey) return tag('min');
  if (value instanceof MaxKey) return tag('max');
  return value instanceof DBPointer ? tag('ptr', value.namespace, value.id.toHexString()) : tag('u');
}

/**
 * What a script gave, as BSON: numbers are doubles, functions and `undefined` are missing. Scripts may have forged it,
 * so that nothing is believed of it but that it is JSON.
 * @throws CommandError 17279 where it is too deep, JSInterpreterFailure (139) where it is no value
 */
export function fromScript(value: unknown, depth = 0): Value | undefined {
  if (typeof value !== 'object' || value === null) return value as Value;
  if (depth > MOST_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return value.map((item) => fromScript(item, depth + 1) ?? null);
  if (Object.hasOwn(value, '$t')) return fromTag((value as { $t: unknown }).$t, depth);
  return docFrom(Object.entries(value), depth);
}

function docFrom(entries: readonly (readonly unknown[])[], depth: number): Doc {
  const doc: Doc = new Map();
  for (const [name, field] of entries) {
    const converted = fromScript(field, depth + 1);
    if (converted !== undefined) doc.set(String(name), converted);
  }
  return doc;
}

function fromTag(parts: unknown, depth: number): Value | undefined {
  const [kind, first, second] = parts as unknown[];
  switch (kind) {
    case 'u':
      return undefined;
    case 'n':
      return Number(first);
    case 'l':
      return BigInt(first as string);
    case 'd':
      return new Date(typeof first === 'number' ? first : NaN);
    case 'r':
      return new BSONRegExp(String(first), String(second).replace(/[^imsu]/g, ''));
    case 'oid':
      return new ObjectId(String(first));
    case 'bin':
      return new Binary(Buffer.from(String(second), 'base64'), Number(first) & 255);
    case 'ts':
      return new Timestamp({ t: Number(first) >>> 0, i: Number(second) >>> 0 });
    case 'ptr':
      return new DBPointer(String(first), new ObjectId(String(second)));
    case 'min':
      return new MinKey();
    case 'max':
      return new MaxKey();
    case 'doc':
      return docFrom(first as unknown[][], depth);
    case 'deep':
      throw tooDeep();
    default:
      throw new CommandError('JSInterpreterFailure', 'a script gave what is no value');
  }
}

const tooDeep = (): CommandError =>
  new CommandError(
    17279,
    `Exceeded depth limit of ${MOST_DEPTH} when converting js object to BSON. Do you have a cycle?`,
  );
