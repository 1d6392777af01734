import { join } from 'node:path';

/** How Jest reads TypeScript, in every package. */
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
      },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};

/** What holds for a whole run; Jest does not take it from a project. */
export const run = { testTimeout: 60_000, workerIdleMemoryLimit: '1GB' };

const SUPPORT = join(import.meta.dirname, 'packages/embedded-mongo/test/support');

/**
 * The projects of a package: its unit tests, which start no server, reach none and look for no download, and all others.
 * @param sources what packages are imported from, by the name that tests import them by
 */
export function projectsOf(name, rootDir, sources) {
  const project = {
    rootDir,
    extensionsToTreatAsEsm: ['.ts'],
    moduleNameMapper: { ...sources, '^(\\.{1,2}/.*)\\.js$': '$1' },
    transform,
  };
  return {
    unit: {
      ...project,
      displayName: `${name} unit`,
      testMatch: ['<rootDir>/test/unit/**/*.test.ts'],
      testEnvironment: join(SUPPORT, 'unit.environment.mjs'),
    },
    others: {
      ...project,
      displayName: name,
      testMatch: ['<rootDir>/test/!(unit|brokers)/**/*.test.ts'],
      testEnvironment: 'node',
      globalSetup: join(SUPPORT, 'choose-server.mjs'),
      globalTeardown: join(SUPPORT, 'stop-server.mjs'),
    },
  };
}
