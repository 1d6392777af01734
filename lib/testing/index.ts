export { PolyMongoError } from '../polymongo.errors.js';
export { EmbeddedMongo } from './embedded-mongo.js';
export { EmbeddedMongoMissingError } from './testing.errors.js';
export type { EmbeddedMongoOptions, EmbeddedUser } from 'embedded-mongo';
