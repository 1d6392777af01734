import { Inject } from '@nestjs/common';
import { getPolyModelToken } from '../polymongo.tokens.js';

/**
 * Injects the wrapped model registered under `name` with `PolyMongoModule.forFeature`, a `PolyModel<T>`.
 * @param root the name of the root that it is registered in, where that has one
 */
export const InjectPolyModel = (name: string, root?: string): ReturnType<typeof Inject> =>
  Inject(getPolyModelToken(name, root));
