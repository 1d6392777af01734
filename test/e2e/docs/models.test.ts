import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import * as page from './models.js';

let server: EmbeddedMongo;
let polymongo: PolyMongoWrapper;
beforeAll(async () => {
  server = await EmbeddedMongo.start();
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
  polymongo.models.define({ name: 'Order', schema: new mongoose.Schema({ code: { type: String, unique: true } }) });
});
afterAll(async () => {
  await polymongo.actions.closeAll();
  await server.stop();
});

it('the code of docs/models.md does what the page says', async () => {
  const stamped = page.withPlugins(
    server.uri,
    (schema, options) => void schema.add({ by: { type: String, default: options?.by } }),
  );
  const Note = stamped.wrapModel(stamped.models.define({ name: 'Note', schema: new mongoose.Schema({}) }));
  expect((await Note.create({})).get('by')).toBe('import');
  await stamped.actions.closeAll();

  expect(await page.ensured(polymongo.pools)).toEqual([]);

  const orders = polymongo.pools.connectionOf('tenant_acme').collection('orders');
  await polymongo.tenants.provision('acme');
  await orders.dropIndex('code_1');
  await orders.createIndex({ code: 1 });
  const log = jest.spyOn(console, 'log').mockImplementation(() => {});
  const [plan] = await page.ofAllTenants(polymongo.tenants);
  expect(plan).toMatchObject({ tenantId: 'acme', ok: true, value: [{ toDrop: ['code_1'] }] });
  expect(log).toHaveBeenCalledWith('acme', [expect.objectContaining({ database: 'tenant_acme' })]);
  log.mockRestore();
  expect(await orders.indexes()).toContainEqual(expect.objectContaining({ name: 'code_1', unique: true }));
});
