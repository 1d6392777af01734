import { inspect, types } from 'node:util';
import { HIDDEN, isPlain } from './polymongo.secrets.js';
import { redactURI, SECRET_NAME } from './polymongo.uri.js';

/** What else is secret by its name in the options that an error of a socket, proxy or DNS carries with it. */
const SECRET_OF_AN_ERROR = /^(?:pass|pwd|passwd|user|userId|credentials)$/i;

/**
 * Takes secrets out of an error that somebody else made: out of every property of it, of its causes and of all errors that
 * it holds, however deep. The errors are altered; of what else they hold copies take its place.
 */
export function redactError(error: unknown, secrets: readonly string[]): void {
  new ErrorRedaction(secrets).redact(error);
}

class ErrorRedaction {
  /** What stands for each object: itself, as long as nothing in it is secret. */
  readonly #seen = new Map<object, unknown>();

  constructor(readonly secrets: readonly string[]) {}

  redact(value: unknown, name: PropertyKey = ''): unknown {
    if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'function')
      return value;
    if (typeof name === 'string' && (SECRET_NAME.test(name) || SECRET_OF_AN_ERROR.test(name))) return HIDDEN;
    if (typeof value === 'string') return redactURI(value, this.secrets);
    if (typeof value !== 'object') return value;
    if (this.#seen.has(value)) return this.#seen.get(value);
    this.#seen.set(value, value);
    if (value instanceof Error) return this.#error(value);
    if (Array.isArray(value) || isPlain(value)) return this.#copy(value);
    if (types.isMap(value)) return this.#map(value);
    if (types.isSet(value)) return this.#set(value);
    return this.#instance(value);
  }

  #error(error: Error): Error {
    for (const name of Reflect.ownKeys(error)) {
      const { value, writable, configurable, get } = Object.getOwnPropertyDescriptor(error, name)!;
      const given: unknown = get && name === 'stack' ? error.stack : value; // an accessor on some versions of V8
      const redacted = this.redact(given, name);
      if (redacted === given) continue;
      if (configurable) Object.defineProperty(error, name, { value: redacted, writable: true, configurable });
      else if (writable) (error as unknown as Record<PropertyKey, unknown>)[name] = redacted;
    }
    return error;
  }

  #copy(value: object): unknown {
    const copy = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
    this.#seen.set(value, copy); // what leads back here leads to the copy
    let isClean = true;
    for (const name of Reflect.ownKeys(value).filter((key) => key !== 'length' || !Array.isArray(value))) {
      const each = (value as Record<PropertyKey, unknown>)[name];
      const shownName = typeof name === 'string' ? redactURI(name, this.secrets) : name;
      const redacted = this.redact(each, name);
      isClean &&= redacted === each && shownName === name;
      Object.defineProperty(copy, shownName, { value: redacted, writable: true, enumerable: true, configurable: true });
    }
    return isClean ? this.#keep(value) : copy;
  }

  #map(value: Map<unknown, unknown>): unknown {
    const copy = new Map<unknown, unknown>();
    this.#seen.set(value, copy);
    for (const [key, each] of value) copy.set(this.redact(key), this.redact(each, typeof key === 'string' ? key : ''));
    const isClean = [...value].every(([key, each]) => copy.has(key) && copy.get(key) === each);
    return isClean ? this.#keep(value) : copy;
  }

  #set(value: Set<unknown>): unknown {
    const copy = new Set<unknown>();
    this.#seen.set(value, copy);
    for (const each of value) copy.add(this.redact(each));
    return [...value].every((each) => copy.has(each)) ? this.#keep(value) : copy;
  }

  /** What belongs to a class cannot be copied. What shows itself by itself is left to that. */
  #instance(value: object): unknown {
    if (ArrayBuffer.isView(value) || inspect.custom in value) return value;
    let isClean = true;
    for (const name of Reflect.ownKeys(value)) {
      const each: unknown = Object.getOwnPropertyDescriptor(value, name)!.value;
      if (this.redact(each, name) !== each) isClean = false;
    }
    if (isClean) return value;
    const shown = `[${value.constructor?.name ?? 'Object'}]`;
    this.#seen.set(value, shown);
    return shown;
  }

  #keep<T extends object>(value: T): T {
    this.#seen.set(value, value);
    return value;
  }
}
