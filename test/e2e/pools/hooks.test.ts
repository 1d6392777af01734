import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PolyModel, PolyMongoWrapper } from 'nestjs-polymongo';
import { wrapItems, type Item } from '../../support/items.js';
import { eventually } from '../../support/server-probe.js';
import { usePools } from '../../support/pools-fixture.js';
import { unhandledDuring } from '../../support/unhandled.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: PolyModel<Item>;
let heard: string[];

beforeEach(() => {
  polymongo = fixture.create({
    shutdownTimeoutMS: 200,
    dbSpecific: [{ dbName: 'own', options: { autoClose: true, ttl: 20 } }],
  });
  items = wrapItems(polymongo, { autoIndex: false });
  heard = [];
});

const hear = (what: string) => () => void heard.push(what);

describe('connect hooks', () => {
  it('run once a database is usable: specific ones first, in their order, shared and separate alike', async () => {
    polymongo.onDbConnect(hear('any 1'));
    polymongo.onTheseDBConnect(['shared', 'own'], hear('these 1'));
    polymongo.onTheseDBConnect('elsewhere', hear('elsewhere'));
    polymongo.onTheseDBConnect('shared', async (connection) => {
      heard.push(`these 2 ${await connection.collection('items').countDocuments()}`);
    });
    polymongo.onDbConnect(hear('any 2'));
    await items.db('shared').findOne();
    await items.db('shared').findOne();
    await eventually(() => expect(heard).toHaveLength(4));
    expect(heard).toEqual(['these 1', 'any 1', 'any 2', 'these 2 0']);
    heard.length = 0;
    await items.db('own').findOne();
    expect(heard).toEqual(['these 1', 'any 1', 'any 2']);
  });

  it('run again when a pool that was idle is opened again', async () => {
    polymongo.onTheseDBConnect('own', hear('connect'));
    polymongo.onTheseDBDisconnect('own', hear('disconnect'));
    await items.db('own').findOne();
    await eventually(() => expect(polymongo.pools.poolOf('own').state).toBe('closed'));
    await items.db('own').findOne();
    expect(heard).toEqual(['connect', 'disconnect', 'connect']);
  });

  it('do not run for a connect that fails', async () => {
    polymongo.onDbConnect(hear('connect'));
    polymongo.scale.setDB('far', {
      mongoURI: 'mongodb://127.0.0.1:1/',
      driverOptions: { serverSelectionTimeoutMS: 50 },
    });
    await expect(items.db('far').findOne()).rejects.toThrow();
    expect(heard).toEqual([]);
  });

  it('are no longer run once taken back', async () => {
    const unregister = [
      polymongo.onDbConnect(hear('a')),
      polymongo.onTheseDBConnect('shared', hear('b')),
      polymongo.onDbDisconnect(hear('c')),
      polymongo.onDbError(hear('d')),
    ];
    for (const takeBack of unregister) takeBack();
    await items.db('shared').findOne();
    await polymongo.actions.closeAll();
    expect(heard).toEqual([]);
  });
});

describe('disconnect hooks', () => {
  it('are awaited while the connection still works', async () => {
    polymongo.onDbDisconnect(async (connection) => {
      await connection.collection('items').insertOne({ n: 1 });
      heard.push(`${connection.name} ${await connection.collection('items').countDocuments()}`);
    });
    await Promise.all([items.db('last_a').findOne(), items.db('last_b').findOne(), items.db('own').findOne()]);
    await polymongo.actions.closeAll();
    expect(heard.sort()).toEqual(['last_a 1', 'last_b 1', 'own 1']);
  });

  it('run when a pool is closed to make room, and connect hooks when it comes back', async () => {
    polymongo = fixture.create({ maxTotalConnections: 2, maxPoolSize: 2, dbSpecific: [{ dbName: 'own' }] });
    items = wrapItems(polymongo, { autoIndex: false });
    polymongo.onDbConnect(({ name }) => heard.push(`connect ${name}`));
    polymongo.onDbDisconnect(({ name }) => heard.push(`disconnect ${name}`));
    await items.db('shared').findOne();
    await items.db('own').findOne();
    await items.db('shared').findOne();
    expect(heard).toEqual(['connect shared', 'disconnect shared', 'connect own', 'disconnect own', 'connect shared']);
  });

  it('that hang hold the close up no longer than the deadline, and onDbError hears of it', async () => {
    const failed = new Promise((resolve) => polymongo.onDbError((error, { db }) => resolve(`${db}: ${String(error)}`)));
    polymongo.onTheseDBDisconnect('slow', () => new Promise(() => {}));
    await items.db('slow').findOne();
    await polymongo.actions.closeAll();
    expect(await failed).toMatch(/slow: .*disconnect hooks of slow were not done after 200 ms/);
    expect(polymongo.getConnectionState()).toBe('disconnected');
  });
});

describe('a hook that fails', () => {
  it('stops neither the others nor the operation, whether it throws or rejects; onDbError hears of each', async () => {
    const failures: string[] = [];
    polymongo.onTheseDBError('bad', (error, { db, during }) =>
      failures.push(`${db} ${during}: ${(error as Error).message}`),
    );
    polymongo.onTheseDBError(['other'], hear('wrong database'));
    polymongo.onDbError(() => {
      throw new Error('also bad');
    });
    polymongo.onDbConnect(() => {
      throw new Error('thrown');
    });
    polymongo.onDbConnect(() => Promise.reject(new Error('rejected')));
    polymongo.onDbConnect(hear('reached'));
    expect(await items.db('bad').findOne()).toBeNull();
    await eventually(() => expect(failures).toHaveLength(2));
    expect(failures.sort()).toEqual(['bad on connect hook: rejected', 'bad on connect hook: thrown']);
    expect(heard).toEqual(['reached']);
  });

  it.each([
    ['the root', (onConnectionCreate: () => unknown) => void (polymongo = fixture.create({ onConnectionCreate }))],
    ['one database', (onConnectionCreate: () => unknown) => polymongo.scale.setDB('bad', { onConnectionCreate })],
  ])('that is an onConnectionCreate of %s and rejects ends neither its call nor the process', async (_, give) => {
    give(() => Promise.reject(new Error('no index for you')));
    const failures: string[] = [];
    polymongo.onDbError((error, { db, during }) => failures.push(`${db} ${during}: ${(error as Error).message}`));
    const unhandled = await unhandledDuring(async () => {
      await polymongo.pools.connect('bad');
      await eventually(() => expect(failures).toEqual(['bad onConnectionCreate: no index for you']));
    });
    expect(unhandled).toEqual([]);
  });

  it('that is an error hook does not keep the other error hooks from hearing', async () => {
    polymongo.onDbError(() => Promise.reject(new Error('first')));
    polymongo.onDbError(hear('second'));
    polymongo.onDbConnect(() => Promise.reject(new Error('cause')));
    await items.db('x').findOne();
    await eventually(() => expect(heard).toEqual(['second']));
  });
});
