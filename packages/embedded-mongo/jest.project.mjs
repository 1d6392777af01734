import { transform } from '../../jest.shared.mjs';

/** The server's tests: `npm test -w embedded-mongo`, or with the module's by `npm test`. */
export default {
  displayName: 'embedded-mongo',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/test/support/choose-server.mjs',
  globalTeardown: '<rootDir>/test/support/stop-server.mjs',
  moduleNameMapper: {
    '^embedded-mongo$': '<rootDir>/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform,
};
