import { beforeEach, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import type { PolyModel, PolyMongoOptions, PolyMongoWrapper } from 'nestjs-polymongo';
import { wrapItems, type Item } from '../../support/items.js';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { usePools } from '../../support/pools-fixture.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;
let sent: string[];
let [most, running] = [0, 0];

beforeEach(() => create());

function create(options: Partial<PolyMongoOptions> = {}) {
  polymongo = fixture.create({
    maxPoolSize: 50,
    driverOptions: { monitorCommands: true, maxConnecting: 50 },
    ...options,
  });
  items = wrapItems(polymongo);
  sent = [];
  most = running = 0;
  const { client } = polymongo.pools.primary;
  client.on('commandStarted', ({ commandName, databaseName }) => {
    sent.push(`${databaseName} ${commandName}`);
    if (commandName === 'createIndexes') most = Math.max(most, ++running);
  });
  client.on('commandSucceeded', ({ commandName }) => (running -= commandName === 'createIndexes' ? 1 : 0));
}

const builds = () => sent.filter((command) => /create/.test(command));
const indexNames = async (name: string) => (await items.db(name).collection.indexes()).map((index) => index.name);

describe('the indexes of a model on a database', () => {
  it('are never made by a read or a delete', async () => {
    const database = items.db('read');
    await Promise.all([
      database.find(),
      database.findOne(),
      database.countDocuments(),
      database.distinct('n'),
      database.aggregate([{ $match: {} }]),
      database.deleteMany(),
    ]);
    for await (const _ of database.find().cursor()) throw new Error('no document');
    expect(builds()).toEqual([]);
  });

  it.each<[string, (database: mongoose.Model<Item>) => Promise<unknown>]>([
    ['create', (database) => database.create({ n: 1 })],
    ['save', (database) => new database({ n: 1 }).save()],
    ['insertMany', (database) => database.insertMany([{ n: 1 }])],
    ['bulkWrite', (database) => database.bulkWrite([{ insertOne: { document: { n: 1 } } }])],
    ['updateOne with upsert', (database) => database.updateOne({ n: 1 }, { n: 2 }, { upsert: true })],
    ['findOneAndUpdate with upsert', (database) => database.findOneAndUpdate({ n: 1 }, { n: 2 }, { upsert: true })],
  ])('are there before the first write: %s', async (how, write) => {
    const name = `first_${how.replace(/ .*/, '').toLowerCase()}`;
    await write(items.db(name) as never);
    const first = sent.filter((command) => command.startsWith(`${name} `)).slice(0, 2);
    expect(first).toEqual([`${name} create`, `${name} createIndexes`]);
    expect(await indexNames(name)).toEqual(['_id_', 'key_1']);
  });

  it('are made once for a hundred first writes at once, and never again', async () => {
    await Promise.all(Array.from({ length: 100 }, (_, n) => items.db('once').create({ n })));
    await items.db('once').create({ n: 100 });
    expect(builds()).toEqual(['once create', 'once createIndexes']);
  });

  it('are made on no more than a few databases at the same time', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => items.db(`wide_${i}`).create({ n: 1 })));
    expect(builds()).toHaveLength(80);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('are made anew after the database was let go because it was dropped', async () => {
    await items.db('dropped').create({ n: 1, key: 'a' });
    await items.db('dropped').db.dropDatabase();
    await polymongo.pools.release('dropped', 'dropped');
    await items.db('dropped').create({ n: 1, key: 'a' });
    await expect(items.db('dropped').create({ n: 2, key: 'a' })).rejects.toMatchObject({ code: 11000 });
  });

  it('are made anew after dropDatabase() or drop() through the model', async () => {
    for (const drop of [() => items.db('fresh').db.dropDatabase(), () => items.db('fresh').collection.drop()]) {
      await items.db('fresh').create({ n: 1 });
      await drop();
      await items.db('fresh').create({ n: 2, key: 'a' });
      expect(await indexNames('fresh')).toEqual(['_id_', 'key_1']);
    }
  });

  it('that cannot be made fail the write that needed them, and are tried again with the next', async () => {
    await polymongo.pools.database('broken').run(() =>
      polymongo.pools.primary.client
        .db('broken')
        .collection('items')
        .insertMany([{ key: 'a' }, { key: 'a' }]),
    );
    await expect(items.db('broken').create({ n: 1 })).rejects.toMatchObject({ code: 11000 });
    await items.db('broken').deleteMany();
    await items.db('broken').create({ n: 1 });
    expect(await indexNames('broken')).toEqual(['_id_', 'key_1']);
  });

  it('are left to ensureIndexes() with autoIndex and autoCreate: false', async () => {
    await polymongo.actions.closeAll();
    create({ autoIndex: false, autoCreate: false });
    await items.db('manual').create({ n: 1 });
    expect(builds()).toEqual([]);
    await polymongo.pools.ensureIndexes('manual');
    expect(await indexNames('manual')).toEqual(['_id_', 'key_1']);
  });
});

describe('a cluster that does not answer', () => {
  it('holds up no first write, transaction or provisioning of databases that are elsewhere', async () => {
    const stalled = await EmbeddedMongo.start();
    const sick = ['sick_1', 'sick_2', 'sick_3', 'sick_4', 'sick_5'];
    create({ dbSpecific: sick.map((dbName) => ({ dbName, mongoURI: stalled.uri })) });
    await Promise.all(sick.map((name) => polymongo.pools.connect(name)));
    stalled.stall(600_000);
    let ended = 0;
    const waiting = sick.map((name) => items.db(name).create({ n: 1 }));
    for (const each of waiting) each.catch(() => ended++);

    await items.db('well').create({ n: 1 });
    await polymongo.transaction(() => items.db('well_too').create({ n: 1 }));
    expect(await polymongo.tenants.provision('well-again')).toMatchObject({ isNew: true });
    expect(ended).toBe(0);

    await polymongo.actions.forceCloseAll();
    await Promise.allSettled(waiting);
    stalled.stall(0);
    await stalled.stop();
  });
});
