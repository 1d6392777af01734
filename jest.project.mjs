import { projectsOf } from './jest.shared.mjs';

/** The module's tests: `npm run test:module`, or with the server's by `npm test`. */
export const { unit, others } = projectsOf('nestjs-polymongo', import.meta.dirname, {
  '^nestjs-polymongo$': '<rootDir>/lib/index.ts',
  '^nestjs-polymongo/(testing|terminus|prometheus|opentelemetry)$': '<rootDir>/lib/$1/index.ts',
  '^embedded-mongo$': '<rootDir>/packages/embedded-mongo/src/index.ts',
});
