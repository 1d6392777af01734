import { inspect, type InspectOptions } from 'node:util';
import { redactURI, SECRET_NAME, secretsInURI } from './polymongo.uri.js';

/** Shown in the place of a secret. */
export const HIDDEN = '***';

/** Shorter ones are in every text by chance. */
const MIN_SECRET_LENGTH = 3;

/** Has an object show itself without secrets, to `console.log` and `JSON.stringify`. Its properties are what they are. */
export interface Shown {
  toJSON(): unknown;
}

/** A frozen copy of options that shows itself without its secrets. Copies of the copy by `{ ...options }` do not. */
export const hideSecrets = <T extends object>(options: T): Readonly<T> =>
  Object.freeze(Object.assign(Object.create(HIDING) as object, options)) as Readonly<T>;

/** As {@link hideSecrets}, and what is secret inside shows itself no more than the whole. */
export function hideDriverSecrets<T extends { auth?: object; authMechanismProperties?: object }>(
  options: T,
): Readonly<T> {
  const { auth, authMechanismProperties } = options;
  return hideSecrets({
    ...options,
    ...(isPlain(auth) && { auth: hideSecrets(auth) }),
    ...(isPlain(authMechanismProperties) && { authMechanismProperties: hideSecrets(authMechanismProperties) }),
  });
}

/** Has instances of a class show what their `toJSON` gives, under the name of the class. */
export function showAsJSON(prototype: Shown): void {
  Object.defineProperty(prototype, inspect.custom, {
    configurable: true,
    value(this: Shown, depth: number, options: InspectOptions) {
      const { name } = this.constructor;
      return `${name === 'Object' ? '' : `${name} `}${inspect(this.toJSON(), { ...options, depth })}`;
    },
  });
}

const HIDING: Shown = Object.create(Object.prototype, {
  toJSON: {
    value(this: object) {
      return withoutSecrets(this);
    },
  },
}) as Shown;
showAsJSON(HIDING);

/** A value as it may be shown. */
function withoutSecrets(value: unknown, name = '', seen: readonly unknown[] = []): unknown {
  if (value === undefined || value === null || value === false) return value;
  if (SECRET_NAME.test(name)) return HIDDEN;
  if (typeof value === 'string') return redactURI(value);
  if (seen.includes(value)) return '[Circular]';
  const around = [...seen, value];
  if (Array.isArray(value)) return value.map((each) => withoutSecrets(each, '', around));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each, key, around)]));
}

/** The secrets of a pool's configuration, the longest first, as they may stand in what somebody else says. */
export function secretsOf({ mongoURI, driverOptions }: { mongoURI: string; driverOptions: object }): string[] {
  const raw = [...secretsInURI(mongoURI), ...secretsIn(driverOptions)];
  const written = raw.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return [...new Set(written)].filter(({ length }) => length >= MIN_SECRET_LENGTH).sort((a, b) => b.length - a.length);
}

function secretsIn(value: unknown, isSecret = false, seen: readonly unknown[] = []): string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (typeof value !== 'object' || value === null || seen.includes(value)) return [];
  if (!isPlain(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    secretsIn(each, isSecret || SECRET_NAME.test(key), [...seen, value]),
  );
}

/** An object literal, or options that show themselves without secrets. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || prototype === HIDING;
}
