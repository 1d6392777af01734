import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { startHttpApp } from '../../support/http-app.js';
import * as page from './testing-nest.js';

let app: INestApplication;
beforeAll(async () => {
  app = await startHttpApp({ imports: page.imports });
});
afterAll(() => app.close());

it('the code of docs/testing.md for Nest does what the page says', async () => {
  await page.later();
  const { options, tenantEntry } = app.get(PolyMongoWrapper);
  expect(options.defaultDB).toMatch(/^orders_/);
  const request = { headers: {} };
  const signOut = page.signedIn(app);
  expect(tenantEntry.resolution.onArrival(request, {} as never)).toBe('acme');
  signOut();
  expect(tenantEntry.resolution.onArrival(request, {} as never)).toBeUndefined();
});
