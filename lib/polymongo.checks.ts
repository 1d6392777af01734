import { InvalidDatabaseNameError, PolyMongoOptionsError } from './polymongo.errors.js';
import { isMongoURI, redactURI } from './polymongo.uri.js';

/** What an option may be, in words and as a test. */
export interface Check {
  allowed: string;
  accepts: (value: unknown) => boolean;
}

export type Checks<T> = { readonly [K in keyof Required<T>]: Check };

export const checks = {
  mongoURI: { allowed: "a connection string that begins with 'mongodb://' or 'mongodb+srv://'", accepts: isMongoURI },
  string: { allowed: 'a non-empty string', accepts: (v) => typeof v === 'string' && v !== '' },
  boolean: { allowed: 'true or false', accepts: (v) => typeof v === 'boolean' },
  positiveInteger: {
    allowed: 'a whole number of at least 1',
    accepts: (v) => Number.isSafeInteger(v) && (v as number) >= 1,
  },
  count: { allowed: 'a whole number of at least 0', accepts: (v) => Number.isSafeInteger(v) && (v as number) >= 0 },
  durationMS: {
    allowed: 'a number of milliseconds from 0 to 2147483647',
    accepts: (v) => typeof v === 'number' && v >= 0 && v <= 2_147_483_647,
  },
  function: { allowed: 'a function', accepts: (v) => typeof v === 'function' },
  array: { allowed: 'an array', accepts: Array.isArray },
  object: { allowed: 'an object', accepts: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) },
  abortSignal: { allowed: 'an AbortSignal', accepts: (v) => v instanceof AbortSignal },
} as const satisfies Record<string, Check>;

/** One of these words. */
export const oneOf = (...words: readonly string[]): Check => ({
  allowed: words.map((word) => `'${word}'`).join(' or '),
  accepts: (v) => words.includes(v as string),
});

/** Checks one value. @throws PolyMongoOptionsError that names it */
export function checkValue(name: string, value: unknown, { allowed, accepts }: Check): void {
  if (!accepts(value))
    throw new PolyMongoOptionsError(name, `${name} must be ${allowed}, not ${describe(name, value)}.`);
}

/**
 * Checks what is given as options: an object with the table's names and no others.
 * @param path what they are options of, as in `retry.`; put before each name
 * @param elsewhere names that others know, with what is there in their place
 * @throws PolyMongoOptionsError
 */
export function checkOptions<T extends object>(
  path: string,
  options: T,
  table: Checks<T>,
  required: readonly (keyof T)[] = [],
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  checkValue(path === '' ? 'options' : `options of ${path.slice(0, -1)}`, options, checks.object);
  rejectUnknown(path, options, table, elsewhere);
  check(path, options, table, required);
}

/** Checks each option that is given, and that the required ones are. @throws PolyMongoOptionsError */
export function check<T extends object>(
  path: string,
  options: T,
  table: Checks<T>,
  required: readonly (keyof T)[] = [],
): void {
  for (const name of Object.keys(table) as (keyof T & string)[]) {
    const value = options[name];
    if (value === undefined && !required.includes(name)) continue;
    checkValue(path + name, value, table[name]);
  }
}

/** Refuses option names that do not exist, with the nearest one that does. @throws PolyMongoOptionsError */
function rejectUnknown<T extends object>(
  path: string,
  options: T,
  table: Checks<T>,
  elsewhere: Readonly<Record<string, string>>,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(table, name)) continue;
    const near = Object.keys(table).find((known) => known.toLowerCase() === name.toLowerCase());
    const hint = near
      ? `Did you mean ${path}${near}?`
      : (elsewhere[name] ?? `Known are: ${Object.keys(table).join(', ')}.`);
    throw new PolyMongoOptionsError(path + name, `Unknown option ${path}${name}. ${hint}`);
  }
}

/** Half a character: BSON has one sign for all of them, so that several names would be one. */
export const ILL_FORMED = /\p{Surrogate}/u;
const FORBIDDEN = '/\\. "$*<>:|?\0';

/**
 * Checks a database name against MongoDB's rules.
 * @see https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
 * @throws InvalidDatabaseNameError
 */
export function checkDatabaseName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new InvalidDatabaseNameError(`is ${describeValue(name)}`);
  if (name === '') throw new InvalidDatabaseNameError('is empty');
  if (name.length > 63 || Buffer.byteLength(name) > 63) throw new InvalidDatabaseNameError('is longer than 63 bytes');
  if (ILL_FORMED.test(name)) throw new InvalidDatabaseNameError('is no well-formed Unicode');
  for (const character of FORBIDDEN) {
    if (name.includes(character)) throw new InvalidDatabaseNameError(`contains ${JSON.stringify(character)}`);
  }
}

/** One name or several, each checked. @throws InvalidDatabaseNameError */
export function databaseNames(names: string | readonly string[]): string[] {
  const all = [names].flat();
  for (const name of all) checkDatabaseName(name);
  return all;
}

const describe = (name: string, value: unknown): string =>
  name.endsWith('mongoURI') && typeof value === 'string' ? 'a string without that beginning' : describeValue(value);

/** Says what a value is without repeating it where it could be a secret. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return `the string ${JSON.stringify(redactURI(value).slice(0, 60))}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`;
  if (typeof value === 'function' && value.name) return `the class or function ${value.name}`;
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}
