export { EmbeddedMongo } from './embedded-mongo.js';
export type { EmbeddedMongoOptions } from './embedded-mongo.js';
export type { EmbeddedRoles, EmbeddedUser } from './commands/auth/credentials.js';
