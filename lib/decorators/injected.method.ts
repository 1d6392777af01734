import { Inject } from '@nestjs/common';
import { PolyMongoError } from '../polymongo.errors.js';
import { getPolyMongoToken, type PolyMongoPart } from '../polymongo.parts.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the decorated method
type Method = (...args: any[]) => unknown;

/**
 * A decorator that calls a provider's method by way of `around`, which is given an injected part of this package. The method
 * keeps its name and what other decorators wrote on it.
 * @param decorator its name, for the error of an instance that Nest has not made
 * @param root the name of the root whose part that is, where it has one
 */
export function injectedMethod<P, A extends unknown[]>(
  decorator: string,
  provider: PolyMongoPart<P>,
  root: string | undefined,
  around: (injected: P, args: A, proceed: () => unknown) => Promise<unknown>,
) {
  const key = Symbol(`polymongo.${provider.name}`);
  const token = getPolyMongoToken(provider, root);
  return <T>(target: object, method: string | symbol, descriptor: TypedPropertyDescriptor<T>): void => {
    Inject(token)(target, key);
    const native = descriptor.value as unknown as Method;
    const decorated = async function (this: Record<symbol, P | undefined>, ...args: A): Promise<unknown> {
      const injected = this[key];
      if (injected) return around(injected, args, () => native.apply(this, args));
      throw new PolyMongoError(
        `@${decorator}() on ${String(method)} needs an instance that Nest has made, in an application that imports ` +
          `PolyMongoModule.forRoot(). Elsewhere call run() of ${provider.name} yourself.`,
      );
    };
    for (const name of Reflect.getMetadataKeys(native)) {
      Reflect.defineMetadata(name, Reflect.getMetadata(name, native), decorated);
    }
    Object.defineProperty(decorated, 'name', { value: native.name });
    descriptor.value = decorated as never;
  };
}
