export { EmbeddedMongo } from 'embedded-mongo';
export type { EmbeddedMongoOptions, EmbeddedUser } from 'embedded-mongo';
