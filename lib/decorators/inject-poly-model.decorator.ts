import { Inject } from '@nestjs/common';
import { getPolyModelToken } from '../polymongo.tokens.js';

/** Injects the wrapped model registered under `name` with `PolyMongoModule.forFeature`, a `PolyModel<T>`. */
export const InjectPolyModel = (name: string): ReturnType<typeof Inject> => Inject(getPolyModelToken(name));
