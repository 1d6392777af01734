import { Inject } from '@nestjs/common';
import { getPolyConnectionToken } from '../polymongo.tokens.js';

/**
 * Injects mongoose's connection to a database, the default one unless another is named: the same as `model.db(name).db`, which
 * survives that its pool closes and opens again.
 * @param root the name of the root whose pools serve it, where that has one
 */
export const InjectPolyConnection = (dbName?: string, root?: string): ReturnType<typeof Inject> =>
  Inject(getPolyConnectionToken(dbName, root));
