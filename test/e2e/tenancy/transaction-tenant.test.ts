import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema, type mongo } from 'mongoose';
import { PolyMongoWrapper, TenantSwitchError, type PolyModel, type TenantModel } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Memo {
  text: string;
}

describe('a transaction', () => {
  const prefix = uniqueName('txn');
  let server: TestServer;
  let polymongo: PolyMongoWrapper;
  let poly: PolyModel<Memo>;
  let memos: TenantModel<Memo>;
  const nameOf = (tenant: string) => `${prefix}_t_${tenant}`;

  beforeAll(async () => {
    server = await startTestServer();
    polymongo = new PolyMongoWrapper({
      mongoURI: server.uri,
      defaultDB: `${prefix}_default`,
      tenant: { database: nameOf },
      handleSignals: false,
    });
    const model = mongoose.model<Memo>(uniqueName('Memo'), new Schema<Memo>({ text: String }));
    poly = polymongo.wrapModel(model) as never;
    memos = polymongo.tenantModel(model as never);
  });
  beforeEach(async () => {
    for (const tenant of ['acme', 'globex']) {
      await as(tenant, () => memos.deleteMany());
      await as(tenant, () => memos.create({ text: 'first' }));
    }
  });
  afterAll(async () => {
    await polymongo?.actions.closeAll();
    await server?.stop();
  });

  const as = <T>(tenant: string, fn: () => T) => polymongo.tenants.run(tenant, fn);
  const made = <T>(fn: () => T): T => polymongo.tenantContext.run('globex', fn);
  const raw = (name: string) => polymongo.pools.connectionOf(name).collection(poly.collection.name);

  type Call = (session: mongo.ClientSession) => unknown;
  /** What is made as globex before a transaction of acme, and is called in it. */
  const calls: Record<string, () => Call | Promise<Call>> = {
    'a query made before': () => {
      const query = made(() => memos.updateMany({}, { text: 'written' }));
      return () => query.exec();
    },
    'a query made before, awaited': () => {
      const query = made(() => memos.find());
      return async () => query;
    },
    'an aggregate made before': () => {
      const aggregate = made(() => memos.aggregate([{ $match: {} }]));
      return () => aggregate.exec();
    },
    'a generator': () => {
      const generator = made(() =>
        (async function* () {
          yield await memos.create({ text: 'written' });
        })(),
      );
      return () => generator.next();
    },
    'a document': async () => {
      const document = (await as('globex', () => memos.findOne()))!;
      return () => document.set({ text: 'written' }).save();
    },
    'deletion of a document': async () => {
      const document = (await as('globex', () => memos.findOne()))!;
      return () => document.deleteOne();
    },
    'a model that was kept': () => {
      const kept = made(() => memos.db.model<Memo>(poly.modelName));
      return () => kept.create({ text: 'written' });
    },
    '.db(name)': () => () => poly.db(nameOf('globex')).create({ text: 'written' }),
    '.db(name) of a tenant that was never met': () => () => poly.db(nameOf('initech')).create({ text: 'written' }),
    'its session, given to .db(name)': () => (session) =>
      poly.db(nameOf('globex')).create([{ text: 'written' }], { session }),
    'a collection': () => () => raw(nameOf('globex')).insertOne({ text: 'written' }),
    'bulkWrite of the connection': () => () => poly.db(nameOf('globex')).bulkWrite([{ deleteMany: { filter: {} } }]),
    'run, on a pool of connections': () => () => as('globex', () => memos.create({ text: 'written' })),
  };

  it.each(Object.entries(calls))('of a tenant refuses what is another tenant’s: %s', async (_, prepare) => {
    const call = await prepare();
    const work = as('acme', () =>
      polymongo.transaction(async (session) => {
        await memos.create({ text: 'written' });
        await call(session);
      }),
    );
    await expect(work).rejects.toThrow(TenantSwitchError);
    for (const tenant of ['acme', 'globex']) {
      expect([tenant, await as(tenant, () => memos.distinct('text'))]).toEqual([tenant, ['first']]);
    }
  });

  it('that began without a tenant is the first one’s whose query it runs', async () => {
    const queries = ['acme', 'globex'].map((tenant) =>
      polymongo.tenantContext.run(tenant, () => memos.updateMany({}, { text: 'written' })),
    );
    const work = polymongo.transaction(async () => {
      for (const query of queries) await query;
    });
    await expect(work).rejects.toThrow(TenantSwitchError);
    expect(await as('acme', () => memos.distinct('text'))).toEqual(['first']);
  });

  it('of a tenant reaches its own database, and such as are no tenant’s, by their names', async () => {
    await poly.db(`${prefix}_audit`).deleteMany();
    await as('acme', () =>
      polymongo.transaction(async (session) => {
        await poly.db(nameOf('acme')).create({ text: 'own' });
        await poly.create({ text: 'default' });
        await poly.db(`${prefix}_audit`).create([{ text: 'audit' }], { session });
        await poly.db(nameOf('globex')).updateMany({}, { text: 'outside' }, { session: null } as object);
      }),
    );
    expect(await as('acme', () => memos.distinct('text'))).toEqual(['first', 'own']);
    expect(await poly.db(`${prefix}_audit`).distinct('text')).toEqual(['audit']);
    expect(await as('globex', () => memos.distinct('text'))).toEqual(['outside']);
  });

  it('without a tenant reaches several by the names of their databases', async () => {
    await polymongo.transaction(async () => {
      for (const tenant of ['acme', 'globex']) await poly.db(nameOf(tenant)).create({ text: 'both' });
    });
    expect(await as('globex', () => memos.distinct('text'))).toEqual(['both', 'first']);
  });
});
