import { Inject, Injectable, type Type } from '@nestjs/common';
import { getPartToken } from './polymongo.tokens.js';

/**
 * A class that Nest makes with one part of the root without a name, as that of a root by its name.
 * @param part the name of that part's class
 * @throws PolyMongoOptionsError for what is no name of a root
 */
export function classOfRoot<T extends object, P>(Base: new (part: P) => T, part: string, root: string): Type<T> {
  const token = getPartToken(part, root);
  @Injectable()
  class OfRoot extends (Base as new (part: P) => object) {
    constructor(@Inject(token) given: P) {
      super(given);
    }
  }
  return Object.defineProperty(OfRoot, 'name', { value: `${Base.name}.of('${root}')` }) as unknown as Type<T>;
}
