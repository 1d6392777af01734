import { Inject } from '@nestjs/common';
import { getPolyMongoToken, type PolyMongoPart } from '../polymongo.parts.js';

/**
 * Injects what a root has one of: `@InjectPolyMongo(PolyMongoTenants, 'audit')`. Of the root without a name the class is enough.
 * @param part a class such as PolyMongoTenants, or TENANT_ID
 * @param root the root's name, where it has one
 * @throws PolyMongoOptionsError
 */
export const InjectPolyMongo = (part: PolyMongoPart | symbol, root?: string): ReturnType<typeof Inject> =>
  Inject(getPolyMongoToken(part, root));
