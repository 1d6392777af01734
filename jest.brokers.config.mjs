import { others } from './jest.project.mjs';
import { run } from './jest.shared.mjs';

/** Tests with real brokers, of those that are on PATH: `npm run test:brokers`. */
export default {
  ...run,
  ...others,
  displayName: 'brokers',
  testMatch: ['<rootDir>/test/brokers/**/*.test.ts'],
  globalSetup: '<rootDir>/test/brokers/choose-brokers.mjs',
};
