import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

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

  it('are needed to read something before anybody has the server run a script', async () => {
    await root.db('shop').command({ createRole: 'changer', roles: [], privileges: [{ resource: { db: 'shop', collection: 'docs' }, actions: ['insert', 'update', 'remove'] }] }); // prettier-ignore
    await root.db('shop').command({ createUser: 'changer', pwd: 'x', roles: ['changer'] });
    const call = { $function: { body: 'function () { return true; }', args: [], lang: 'js' } };
    const added = { $addFields: { x: call } };
    const anybodys = [
      { currentOp: 1, $ownOps: true, $where: 'true' },
      { currentOp: 1, $ownOps: true, $expr: call },
      { usersInfo: 'none', filter: { $expr: call } },
      { aggregate: 1, pipeline: [{ $currentOp: {} }, added], cursor: {} },
      { aggregate: 1, pipeline: [{ $listLocalSessions: {} }, added], cursor: {} },
      { aggregate: 1, pipeline: [{ $documents: [{}] }], let: { x: call }, cursor: {} },
    ];
    for (const command of anybodys) {
      expect([command, await errorOf((await as('nobody')).client.db('admin').command(command))]).toEqual([command, refused]); // prettier-ignore
    }
    const changer = await as('changer', 'shop');
    const changes = [
      { update: 'docs', updates: [{ q: { $where: 'true' }, u: { $set: { a: 1 } } }] },
      { update: 'docs', updates: [{ q: {}, u: [added] }] },
      { update: 'docs', updates: [{ q: {}, u: { $set: { a: 1 } } }], let: { x: call } },
      { delete: 'docs', deletes: [{ q: { $expr: call }, limit: 1 }] },
    ];
    for (const command of changes) {
      expect([command, await errorOf(changer.command(command))]).toEqual([command, refused]);
    }
    expect(await changer.command({ update: 'docs', updates: [{ q: { n: 1 }, u: { $set: { n: 1 } } }] })).toMatchObject({ n: 1 }); // prettier-ignore
    expect(await (await as('reader')).command({ find: 'docs', filter: { $where: 'true' } })).toMatchObject({ ok: 1 });
  });

  it("are needed for everything but what is one's own", async () => {
    const shop = await as('nobody');
    const commands = [
      { dropAllUsersFromDatabase: 1 },
      { dataSize: 'shop.docs' },
      { listCollections: 1 },
      { createUser: 'x', pwd: 'x', roles: [] },
      { grantRolesToUser: 'nobody', roles: [{ role: 'root', db: 'admin' }] },
      { validate: 'docs' },
      { collStats: 'docs' },
      { count: 'docs' },
      { distinct: 'docs', key: 'n' },
      { aggregate: 1, pipeline: [{ $listLocalSessions: { allUsers: true } }], cursor: {} },
      { aggregate: 'docs', pipeline: [{ $planCacheStats: {} }], cursor: {} },
      { aggregate: 1, pipeline: [{ $documents: [{}] }, { $project: { x: { $function: { body: 'function () {}', args: [], lang: 'js' } } } }], cursor: {} }, // prettier-ignore
      { aggregate: 1, pipeline: [{ $documents: [{}] }, { $facet: { a: [{ $match: { $where: 'true' } }] } }], cursor: {} }, // prettier-ignore
      { explain: { find: 'docs' } },
      { explain: { findandmodify: 'docs', remove: true } },
      { explain: { mapreduce: 'docs', map: 'function () {}', reduce: 'function () {}', out: { inline: 1 } } },
      { createSearchIndexes: 'docs', indexes: [] },
      { cloneCollectionAsCapped: 'docs', toCollection: 'copy', size: 1000 },
    ];
    for (const command of commands) {
      expect([command, await errorOf(shop.command(command))]).toEqual([command, refused]);
    }
    const failPoint = { configureFailPoint: 'failCommand', mode: 'alwaysOn', data: { failCommands: ['find'], errorCode: 1 } }; // prettier-ignore
    const ofAdmin = [failPoint, { getDefaultRWConcern: 1 }, { currentOp: 1 }, { usersInfo: { forAllDBs: true } }];
    for (const command of ofAdmin) {
      expect([command, await errorOf(shop.admin().command(command))]).toEqual([command, refused]);
    }
    expect(await shop.command({ aggregate: 1, pipeline: [{ $documents: [{ n: 1 }] }], cursor: {} })).toMatchObject({ cursor: { firstBatch: [{ n: 1 }] } }); // prettier-ignore
    expect(await shop.command({ usersInfo: { user: 'nobody', db: 'admin' } })).toMatchObject({ users: [{ user: 'nobody' }] }); // prettier-ignore
    expect(await shop.command({ listCollections: 1, nameOnly: true, authorizedCollections: true })).toMatchObject({ cursor: { firstBatch: [] } }); // prettier-ignore
  });

  it('are asked for what mapReduce writes', async () => {
    const shop = await as('reader');
    const job = (out: object): object => ({ mapReduce: 'docs', map: 'function () { emit(1, 1); }', reduce: 'function () { return 1; }', out }); // prettier-ignore
    expect(await shop.command(job({ inline: 1 }))).toMatchObject({ ok: 1 });
    for (const out of [
      'copy',
      { replace: 'copy' },
      { merge: 'docs' },
      { reduce: 'docs' },
      { merge: 'docs', db: 'b' },
    ]) {
      expect(await errorOf(shop.command(job(out as object)))).toEqual(refused);
    }
  });

  describe('of one collection', () => {
    let shop: mongo.Db;

    beforeAll(async () => {
      const privileges = [
        { resource: { db: 'shop', collection: 'docs' }, actions: ['find'] },
        { resource: { db: 'shop', collection: 'mine' }, actions: ['find', 'createCollection', 'insert', 'collMod'] },
      ];
      await root.db('shop').command({ createRole: 'of-docs', privileges, roles: [] });
      await root.db('shop').command({ createUser: 'clerk', pwd: 'x', roles: ['of-docs'] });
      await root.db('shop').collection('secrets').insertOne({ word: 'sesame' });
    });

    beforeEach(async () => {
      shop = await as('clerk', 'shop');
    });

    const secret = { $lookup: { from: 'secrets', pipeline: [], as: 'found' } };
    const waysIn = [
      secret,
      { $facet: { all: [secret] } },
      { $lookup: { from: 'docs', pipeline: [secret], as: 'found' } },
      { $lookup: { from: 'docs', pipeline: [{ $facet: { all: [secret] } }], as: 'found' } },
      { $lookup: { from: 'docs', pipeline: [{ $unionWith: 'secrets' }], as: 'found' } },
      { $lookup: { from: { db: 'other', coll: 'secrets' }, pipeline: [], as: 'found' } },
      { $unionWith: { coll: 'docs', pipeline: [{ $graphLookup: { from: 'secrets', startWith: 1, connectFromField: 'a', connectToField: 'b', as: 'c' } }] } }, // prettier-ignore
      { $unionWith: 'secrets' },
    ];

    it('do not let a stage within a stage read another', async () => {
      for (const stage of waysIn) {
        const command = { aggregate: 'docs', pipeline: [stage], cursor: {} };
        expect([stage, await errorOf(shop.command(command))]).toEqual([stage, refused]);
        expect(await errorOf(shop.command({ explain: command }))).toEqual(refused);
      }
    });

    it('do not let a view show another', async () => {
      for (const stage of waysIn) {
        const view = { create: 'mine', viewOn: 'docs', pipeline: [stage] };
        expect([stage, await errorOf(shop.command(view))]).toEqual([stage, refused]);
      }
      expect(await errorOf(shop.command({ create: 'mine', viewOn: 'secrets' }))).toEqual(refused);
      await shop.command({ create: 'mine', viewOn: 'docs' });
      expect(await errorOf(shop.command({ collMod: 'mine', viewOn: 'secrets', pipeline: [] }))).toEqual(refused);
      expect(await errorOf(shop.command({ collMod: 'mine', viewOn: 'secrets' }))).toMatchObject({ code: 72 });
      await root.db('shop').dropCollection('mine');
    });

    it('are what listCollections shows', async () => {
      const found = await shop.listCollections({}, { nameOnly: true, authorizedCollections: true }).toArray();
      expect(found.map(({ name }) => name)).toEqual(['docs']);
    });
  });

  it('cannot be handed out by who may not grant them', async () => {
    await root.db('shop').command({ createUser: 'chief', pwd: 'x', roles: ['userAdmin'] });
    const shop = await as('chief', 'shop');
    const rootRole = [{ role: 'root', db: 'admin' }];
    const everything = [{ resource: { anyResource: true }, actions: ['anyAction'] }];
    for (const command of [
      { createUser: 'x', pwd: 'x', roles: rootRole },
      { grantRolesToUser: 'chief', roles: rootRole },
      { updateUser: 'chief', roles: ['read'] },
      { createRole: 'x', privileges: [], roles: rootRole },
      { createRole: 'x', privileges: everything, roles: [] },
      { createRole: 'x', privileges: [{ resource: { db: '', collection: '' }, actions: ['find'] }], roles: [] },
      { updateRole: 'clerk', privileges: everything },
    ]) {
      expect([command, await errorOf(shop.command(command))]).toEqual([command, refused]);
    }
    await shop.command({ createUser: 'helper', pwd: 'x', roles: ['read'] });
  });

  it('are of one kind: what names a database gives nothing of the cluster', async () => {
    await root.db('shop').command({ createUser: 'mixer', pwd: 'x', roles: ['userAdmin'] });
    const shop = await as('mixer', 'shop');
    for (const wide of [{ anyResource: true }, { cluster: true }, { anyResource: true, cluster: true }]) {
      for (const own of [{ db: 'shop', collection: '' }, { db: 'shop' }]) {
        const privileges = [{ resource: { ...own, ...wide }, actions: ['anyAction'] }];
        const command = { createRole: 'mixed', privileges, roles: [] };
        expect([command, await errorOf(shop.command(command))]).toEqual([command, refused]);
        await expect(root.db('shop').command(command)).rejects.toMatchObject({ codeName: 'FailedToParse' });
      }
    }
  });

  it('leave a user as he is who names no field that somebody else may change', async () => {
    await root.db('shop').command({ createUser: 'nobody', pwd: 'x', roles: [] });
    const shop = await as('nobody', 'shop');
    const command = { updateUser: 'reader', digestPassword: true };
    expect(await errorOf(shop.command(command))).toEqual(refused);
  });

  it('leave cursors and sessions to the user who opened them', async () => {
    await root.db('shop').collection('many').insertMany([{}, {}, {}]);
    const { cursor } = await root.db('shop').command({ find: 'many', batchSize: 1 }, { promoteLongs: false });
    const shop = await as('reader');
    expect(await errorOf(shop.command({ getMore: cursor.id, collection: 'many' }))).toEqual(refused);
    expect(await errorOf(shop.command({ killCursors: 'many', cursors: [cursor.id] }))).toEqual(refused);
    expect(await root.db('shop').command({ killCursors: 'many', cursors: [cursor.id] }, { promoteLongs: false })).toMatchObject({ ok: 1, cursorsKilled: [cursor.id] }); // prettier-ignore

    const session = root.startSession();
    session.startTransaction();
    await root.db('shop').collection('many').insertOne({ n: 1 }, { session });
    for (const command of ['endSessions', 'killSessions']) {
      expect(await shop.admin().command({ [command]: [session.id] })).toMatchObject({ ok: 1 });
    }
    await shop.admin().command({ killSessions: [] });
    await session.commitTransaction();
    await session.endSession();
    expect(await root.db('shop').collection('many').countDocuments({ n: 1 })).toBe(1);
  });

  it('are refused without repeating a password', async () => {
    const shop = await as('nobody');
    for (const command of [
      { createUser: 'x', pwd: 'canary', roles: [] },
      { updateUser: 'reader', pwd: 'canary' },
      { explain: { createUser: 'x', pwd: 'canary', roles: [] } },
    ]) {
      const error = await errorOf(shop.command(command));
      expect(error).toEqual(refused);
      expect(String(error)).not.toContain('canary');
      expect(String(error)).toContain('pwd: "xxx"');
    }
  });

  it('leave no password in a profile', async () => {
    const shop = root.db('shop');
    await shop.command({ profile: 2 });
    await shop.command({ createUser: 'profiled', pwd: 'canary', roles: [] });
    await shop.command({ updateUser: 'profiled', pwd: 'canary' });
    const explained = [
      { createUser: 'profiled', pwd: 'canary', roles: [] },
      { updateUser: 'profiled', pwd: 'canary' },
    ];
    for (const explain of explained) await errorOf(shop.command({ explain }));
    await shop.command({ dropUser: 'profiled' });
    await shop.command({ profile: 0 });
    const profile = await shop.collection('system.profile').find().toArray();
    const shown = profile.map(({ command }) => (command as { explain: mongo.Document }).explain);
    expect(shown).toMatchObject(explained.map((explain) => ({ ...explain, pwd: 'xxx' })));
    expect(JSON.stringify(profile)).not.toContain('canary');
  });

  it('do not show passwords to who watches operations', async () => {
    const admin = root.db('admin');
    const failPoint = { failCommands: ['updateUser'], blockConnection: true, blockTimeMS: 200 };
    await admin.command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data: failPoint });
    const changed = root.db('admin').command({ updateUser: 'nobody', pwd: 'canary' });
    let seen: mongo.Document[] = [];
    while (seen.length === 0) seen = (await admin.command({ currentOp: 1, 'command.updateUser': 'nobody' })).inprog;
    expect(JSON.stringify(seen)).not.toContain('canary');
    await changed;
    await admin.command({ updateUser: 'nobody', pwd: 'x' });
  });
});
