import { expect, it } from '@jest/globals';
import * as embedded from 'embedded-mongo';

it('the public surface is exactly this', () => {
  expect(Object.keys(embedded)).toEqual(['EmbeddedMongo']);
});
