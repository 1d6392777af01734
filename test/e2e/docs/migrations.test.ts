import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  PolyMongoMigrations,
  PolyMongoMigrationsModule,
  PolyMongoModule,
  PolyMongoPools,
  PolyMongoTenants,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import * as page from './migrations.js';

let mongo: EmbeddedMongo;
beforeAll(async () => {
  mongo = await EmbeddedMongo.start();
  jest.spyOn(console, 'log').mockImplementation(() => {});
});
afterAll(() => mongo.stop());

it('the code of docs/migrations.md does what the page says', async () => {
  const lines: string[] = [];
  const migrations = PolyMongoMigrationsModule.forRoot({
    ...page.files,
    classes: [...page.files.classes, page.EmailIndex],
    log: ({ message }) => lines.push(message),
  });
  const root = PolyMongoModule.forRoot({ mongoURI: mongo.uri, tenant: { exists: 'provisioned' } });
  const app = await Test.createTestingModule({ imports: [root, migrations] }).compile();
  await app.init();
  const tenants = app.get(PolyMongoTenants);
  const members = () => app.get(PolyMongoPools).connectionOf('tenant_acme').collection('members');

  await tenants.provision('acme');
  const own = app.get(PolyMongoMigrations);
  await expect(own.down({ to: '1' })).rejects.toThrow('has no down()');
  await own.mark('3', 'undone');
  await own.down({ to: '1' });
  await tenants.run('acme', () => members().insertOne({ name: 'Ada King Lovelace' }));
  const { results, planned } = await page.run(tenants);
  expect(results).toMatchObject([{ ok: true, value: { version: '0003-email-index' } }]);
  expect(planned).toMatchObject({ value: { steps: [] } });
  expect(lines.at(-1)).toBe('1 names split');
  expect(await tenants.run('acme', () => members().findOne())).toMatchObject({ first: 'Ada', last: 'King Lovelace' });

  await own.mark('3', 'undone');
  const { version, pending } = await page.rest(own);
  expect([version, pending]).toEqual(['0003-email-index', ['0002-split-name']]);
  expect(page.registered().module).toBe(PolyMongoMigrationsModule);
  expect(page.rolling('x').module).toBe(PolyMongoMigrationsModule);
  await app.close();
});
