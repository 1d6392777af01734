export { PolyMongoError } from '../polymongo.errors.js';
export { EmbeddedMongo } from './embedded-mongo.js';
export { expectFixtures, loadFixtures, type FixturePlace, type Fixtures } from './fixtures.js';
export { freshDatabase } from './fresh-database.js';
export { globalSetup, globalTeardown } from './shared-server.js';
export { overrideTenant, runAsTenant } from './test-tenant.js';
export { EmbeddedMongoMissingError, FixtureMismatchError } from './testing.errors.js';
export { PolyMongoTestingModule, type PolyMongoTestingOptions } from './testing.module.js';
export type { EmbeddedMongoOptions, EmbeddedUser } from 'embedded-mongo';
