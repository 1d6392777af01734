import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

const { MongoClient } = mongoose.mongo;

describe('roles', () => {
  let server: EmbeddedMongo;
  let root: mongo.MongoClient;
  const clients: mongo.MongoClient[] = [];

  const as = async (username: string, authSource = 'admin'): Promise<mongo.Db> => {
    const client = new MongoClient(server.uri, { auth: { username, password: 'x' }, authSource });
    clients.push(client);
    return (await client.connect()).db('shop');
  };

  beforeAll(async () => {
    server = await EmbeddedMongo.start({
      users: [
        { username: 'root', password: 'x' },
        { username: 'reader', password: 'x', roles: [{ role: 'read', db: 'shop' }] },
        { username: 'writer', password: 'x', authSource: 'shop', roles: ['readWrite'] },
        { username: 'keeper', password: 'x', roles: [{ role: 'dbAdmin', db: 'shop' }] },
        { username: 'watcher', password: 'x', roles: ['clusterMonitor', 'readAnyDatabase'] },
        { username: 'nobody', password: 'x', roles: [] },
      ],
    });
    root = await new MongoClient(server.uri, { auth: { username: 'root', password: 'x' } }).connect();
    await root.db('shop').collection('docs').insertOne({ n: 1 });
  });

  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  afterAll(async () => {
    await root.close();
    await server.stop();
  });

  const refused = expect.objectContaining({ code: 13, codeName: 'Unauthorized' });
  const errorOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'done', (error: unknown) => error); // prettier-ignore

  it('let a reader read its database, and no more', async () => {
    const shop = await as('reader');
    expect(await shop.collection('docs').countDocuments()).toBe(1);
    expect(await errorOf(shop.collection('docs').insertOne({ n: 2 }))).toEqual(refused);
    expect(
      await errorOf(
        shop
          .collection('docs')
          .aggregate([{ $out: 'copy' }])
          .toArray(),
      ),
    ).toEqual(refused);
    expect(await errorOf(shop.collection('docs').findOneAndDelete({}))).toEqual(refused);
    expect(await errorOf(shop.collection('docs').createIndex({ n: 1 }))).toEqual(refused);
    const elsewhere = shop.admin().command({ serverStatus: 1 });
    expect(await errorOf(elsewhere)).toMatchObject({ message: /^not authorized on admin to execute command \{ serverStatus: 1/ }); // prettier-ignore
  });

  it('let a writer write, make indexes and run transactions, but not administer', async () => {
    const shop = await as('writer', 'shop');
    const docs = shop.collection('docs');
    await docs.createIndex({ n: 1 });
    await shop.client.withSession((session) => session.withTransaction(() => docs.insertOne({ n: 3 }, { session })));
    await docs.updateOne({ n: 4 }, { $set: { a: 1 } }, { upsert: true });
    await docs.deleteMany({ n: { $gt: 1 } });
    expect(await errorOf(shop.dropDatabase())).toEqual(refused);
    expect(await errorOf(shop.command({ createUser: 'other', pwd: 'x', roles: [] }))).toEqual(refused);
    expect(await errorOf(shop.client.db('other').collection('docs').findOne())).toEqual(refused);
  });

  it('let an administrator of a database define it, and not read it', async () => {
    const shop = await as('keeper');
    await shop.createCollection('made');
    await shop.command({ collMod: 'made', validator: { n: { $gt: 0 } } });
    await shop.command({ drop: 'made' });
    expect(await errorOf(shop.collection('docs').findOne())).toEqual(refused);
    expect(await errorOf(shop.collection('docs').insertOne({}))).toEqual(refused);
  });

  it('of the database admin are about all databases', async () => {
    const shop = await as('watcher');
    expect(await shop.admin().command({ serverStatus: 1 })).toMatchObject({ ok: 1 });
    expect(await shop.client.db('other').collection('docs').findOne()).toBeNull();
    expect(await errorOf(shop.collection('docs').insertOne({}))).toEqual(refused);
  });

  it('decide which databases are listed, and are told by connectionStatus', async () => {
    const namesFor = async (user: string): Promise<string[]> =>
      (await (await as(user)).admin().listDatabases()).databases.map(({ name }) => name);
    expect(await namesFor('nobody')).toEqual([]);
    expect(await namesFor('reader')).toEqual(['shop']);
    expect(await namesFor('watcher')).toContain('admin');
    const status = await (await as('reader')).command({ connectionStatus: 1 });
    expect(status.authInfo.authenticatedUserRoles).toEqual([{ role: 'read', db: 'shop' }]);
  });

  it('can be made, changed, granted and dropped', async () => {
    const shop = root.db('shop');
    const privileges = [{ resource: { db: 'shop', collection: 'docs' }, actions: ['find', 'insert'] }];
    await shop.command({ createRole: 'clerk', privileges, roles: [] });
    await expect(shop.command({ createRole: 'clerk', privileges, roles: [] })).rejects.toMatchObject({ code: 51002 });
    await expect(shop.command({ createUser: 'x', pwd: 'x', roles: ['nothing'] })).rejects.toMatchObject({ code: 31 });
    await shop.command({ createUser: 'cleo', pwd: 'x', roles: ['clerk'] });
    const cleo = await as('cleo', 'shop');
    await cleo.collection('docs').insertOne({ n: 5 });
    expect(await errorOf(cleo.collection('others').findOne())).toEqual(refused);
    expect(await errorOf(cleo.collection('docs').deleteOne({ n: 5 }))).toEqual(refused);
    await shop.command({ updateRole: 'clerk', roles: ['readWrite'] });
    await cleo.collection('docs').deleteOne({ n: 5 });
    expect(await shop.command({ rolesInfo: 'clerk', showPrivileges: true })).toMatchObject({
      roles: [{ role: 'clerk', db: 'shop', isBuiltin: false, privileges, roles: [{ role: 'readWrite', db: 'shop' }] }],
    });
    await shop.command({ dropRole: 'clerk' });
    expect(await errorOf(cleo.collection('docs').findOne())).toEqual(refused);
  });
});
