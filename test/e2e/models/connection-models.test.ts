import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Schema, type Connection, type SchemaOptions } from 'mongoose';
import { PolyMongoWrapper, type AnyModel } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let server: TestServer;
let polymongo: PolyMongoWrapper;
let connection: Connection;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, handleSignals: false });
  connection = polymongo.pools.connectionOf(uniqueName('models'));
  const unique = () => new Schema({ a: { type: String, unique: true } });
  const discriminators = [{ name: 'Person', schema: new Schema({ p: { type: String, unique: true } }) }];
  polymongo.models.define({ name: 'Party', schema: unique(), discriminators });
  polymongo.models.define({ name: 'Log', schema: new Schema({ n: Number }, { capped: 4096 }) });
});
afterEach(async () => {
  await connection.dropDatabase();
  await polymongo.actions.closeAll();
});
afterAll(() => server.stop());

const collections = async () => (await connection.listCollections()).map(({ name }) => name).sort();
const all = ['Party', 'Person', 'Log'];

describe('the connection of a database that nobody has used', () => {
  it('has all registered models, those that are registered later too', () => {
    expect(connection.modelNames()).toEqual(all);
    expect(Object.keys(connection.models)).toEqual(all);
    expect(Object.values(connection.models).map(({ modelName }) => modelName)).toEqual(all);
    expect('Party' in connection.models && Object.hasOwn(connection.models, 'Party')).toBe(true);
    expect(connection.models['Party']).toBe(connection.model('Party'));
    expect({ ...connection.models }['Person']!.db).toBe(connection);
    polymongo.models.define({ name: 'Later', schema: new Schema({}) });
    expect(Object.keys(connection.models)).toEqual([...all, 'Later']);
    expect(connection.models['Never']).toBeUndefined();
  });

  it('makes the collections of all of them by createCollections()', async () => {
    expect(Object.keys(await connection.createCollections())).toEqual(all);
    expect(await collections()).toEqual(['logs', 'parties']);
    const [log] = await connection.listCollections().then((list) => list.filter(({ name }) => name === 'logs'));
    expect(log).toMatchObject({ options: { capped: true, size: 4096 } });
  });

  it('makes and repairs the indexes of all of them by syncIndexes()', async () => {
    await connection.collection('parties').createIndex({ p: 1 }, { unique: true });
    expect(await connection.syncIndexes()).toEqual({ Party: ['p_1'], Person: [], Log: [] });
    const indexes = await connection.collection('parties').indexes();
    expect(indexes.find(({ name }) => name === 'p_1')).toMatchObject({ partialFilterExpression: { __t: 'Person' } });
    expect(await connection.syncIndexes()).toEqual({ Party: [], Person: [], Log: [] });
  });
});

describe('a model that connection.model(name, schema) makes on one database', () => {
  it('is not made by `new`: mongoose says what to write', () => {
    const constructed = () => new (connection.model as never as new (name: string) => unknown)('Party');
    expect(constructed).toThrow(/should not be run with `new`/);
  });

  const unique = (options?: SchemaOptions): Schema =>
    new Schema({ q: { type: String, unique: true } }, options as never);
  const names = async (model: AnyModel) => (await model.collection.indexes()).map(({ name }) => name);

  it.each<[string, SchemaOptions]>([
    ['with the default options', {}],
    ['with autoCreate: false', { autoCreate: false }],
  ])('%s has its indexes though nobody uses it at once', async (_, options) => {
    const AdHoc = connection.model('AdHoc', unique(options));
    await once(AdHoc, 'index');
    await AdHoc.init();
    expect(await names(AdHoc)).toEqual(['_id_', 'q_1']);
  });

  it('has its first write wait for them, by any way to the collection', async () => {
    const AdHoc = connection.model('AdHoc', unique());
    const written = await Promise.allSettled([
      connection.collection('adhocs').insertOne({ q: '1' }),
      AdHoc.create({ q: '1' }),
    ]);
    expect(written.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await expect(AdHoc.create({ q: '1' })).rejects.toMatchObject({ code: 11000 });
  });

  it('gets them anew after its database was dropped', async () => {
    const AdHoc = connection.model('AdHoc', unique());
    await AdHoc.create({ q: '1' });
    await connection.dropDatabase();
    await AdHoc.create({ q: '1' });
    expect(await names(AdHoc)).toEqual(['_id_', 'q_1']);
  });

  it('makes none any more when it was deleted', async () => {
    const AdHoc = connection.model('AdHoc', unique());
    await AdHoc.init();
    connection.deleteModel('AdHoc');
    await connection.dropDatabase();
    await connection.collection('adhocs').insertOne({ q: '1' });
    expect(await names(AdHoc)).toEqual(['_id_']);
  });

  it('has a discriminator whose unique index leaves other documents alone', async () => {
    const AdHoc = connection.model('AdHoc', new Schema({ n: Number }));
    const Kind = AdHoc.discriminator('Kind', unique());
    await AdHoc.create([{ n: 1 }, { n: 2 }]);
    await Kind.create({ q: '1' });
    await expect(Kind.create({ q: '1' })).rejects.toMatchObject({ code: 11000 });
  });
});
