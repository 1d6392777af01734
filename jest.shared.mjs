/** How Jest reads TypeScript, in every package. */
export const transform = {
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
