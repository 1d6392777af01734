import { Inject } from '@nestjs/common';

type Provider<T> = abstract new (...args: never[]) => T;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the decorated method
type Method = (...args: any[]) => unknown;

/**
 * A decorator that calls a provider's method by way of `around`, which is given an injected part of this package. The method
 * keeps its name and what other decorators wrote on it.
 */
export function injectedMethod<P, A extends unknown[]>(
  provider: Provider<P>,
  around: (injected: P, args: A, proceed: () => unknown) => Promise<unknown>,
) {
  const key = Symbol(`polymongo.${provider.name}`);
  return <T>(target: object, _key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void => {
    Inject(provider)(target, key);
    const native = descriptor.value as unknown as Method;
    const method = async function (this: Record<symbol, P>, ...args: A): Promise<unknown> {
      return around(this[key]!, args, () => native.apply(this, args));
    };
    for (const name of Reflect.getMetadataKeys(native)) {
      Reflect.defineMetadata(name, Reflect.getMetadata(name, native), method);
    }
    Object.defineProperty(method, 'name', { value: native.name });
    descriptor.value = method as never;
  };
}
