import { Observable } from 'rxjs';

/** Runs a function in the scope that a value came from. */
export type Within = <T>(fn: () => T) => T;

/**
 * What is evaluated later, by whoever reads it, would else run as its reader's tenant: gives a generator or Observable
 * that goes on where it came from. The value itself stays as it is; anything else is given back.
 */
export function carry<T>(value: T, within: Within): T {
  if (value instanceof Observable) return carryObservable(value, within);
  return isGenerator(value) ? carryIterator(value, within) : value;
}

/** The value with its own members, such as a ChangeObservable's; subscribed to and iterated over in the scope. */
function carryObservable<O extends Observable<unknown>>(value: O, within: Within): O {
  const native = Observable.prototype as unknown as Record<PropertyKey, unknown>;
  return new Proxy(value, {
    get(target, key, carried) {
      const member = Reflect.get(target, key, target) as unknown;
      if (typeof member !== 'function') return member;
      const method = member as (...args: unknown[]) => unknown;
      if (key === 'subscribe') return (...args: unknown[]) => within(() => method.apply(target, args));
      if (key === Symbol.asyncIterator) {
        return () => carryIterator(within(() => method.call(target)) as AsyncIterableIterator<unknown>, within);
      }
      // `pipe` and its siblings subscribe to what they are called on. Other members may need their own object's fields.
      return native[key] === method && carried instanceof Observable ? method : method.bind(target);
    },
  });
}

const STEPS = ['next', 'return', 'throw'] as const;

/** An iterator beside the given one, with the given one as its prototype: that one is not altered. */
function carryIterator<I extends object>(iterator: I, within: Within): I {
  const members: PropertyDescriptorMap = {};
  for (const step of STEPS) {
    const native = (iterator as Partial<Record<string, (value?: unknown) => unknown>>)[step];
    if (native) members[step] = { value: (...args: [unknown?]) => within(() => native.apply(iterator, args)) };
  }
  for (const self of [Symbol.iterator, Symbol.asyncIterator]) {
    if (self in iterator) members[self] = { value: () => carried };
  }
  const carried = Object.create(iterator, members) as I;
  return carried;
}

const GENERATORS = new Set(['[object Generator]', '[object AsyncGenerator]']);

const isGenerator = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && GENERATORS.has(Object.prototype.toString.call(value));
