import { transform } from './jest.shared.mjs';

/** The module's tests: `npm run test:module`, or with the server's by `npm test`. */
export default {
  displayName: 'nestjs-polymongo',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/brokers/'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/packages/embedded-mongo/test/support/choose-server.mjs',
  globalTeardown: '<rootDir>/packages/embedded-mongo/test/support/stop-server.mjs',
  moduleNameMapper: {
    '^nestjs-polymongo$': '<rootDir>/lib/index.ts',
    '^nestjs-polymongo/(testing|terminus)$': '<rootDir>/lib/$1/index.ts',
    '^embedded-mongo$': '<rootDir>/packages/embedded-mongo/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform,
};
