import { join } from 'node:path';
import { projectsOf } from '../../jest.shared.mjs';

/** The server's tests: `npm test -w embedded-mongo`, or with the module's by `npm test`. */
export const { unit, others } = projectsOf('embedded-mongo', import.meta.dirname, {
  '^embedded-mongo$': join(import.meta.dirname, 'src/index.ts'),
});
