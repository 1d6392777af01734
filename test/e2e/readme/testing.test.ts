import { expect, it } from '@jest/globals';
import { tested } from './testing.js';

it('the test of the README passes', async () => {
  await expect(tested()).resolves.toBeUndefined();
});
