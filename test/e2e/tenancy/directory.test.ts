import { afterEach, beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import {
  PolyMongoWrapper,
  TenantMissingError,
  TenantNotReadyError,
  TenantSwitchError,
  TenantUnknownError,
  TenantLookupError,
  type PolyModelOf,
  type PolyMongoOptions,
  type TenantOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { NoteSchema } from '../../support/notes.js';
import { uniqueName } from '../../support/database-names.js';

describe('which tenants there are, and where', () => {
  let clusters: EmbeddedMongo[];
  let polymongo: PolyMongoWrapper;
  let notes: PolyModelOf<mongoose.Model<{ tenant: string }>>;
  const prefix = uniqueName('d');

  beforeAll(async () => {
    clusters = [await EmbeddedMongo.start(), await EmbeddedMongo.start()];
  });
  afterAll(() => Promise.all(clusters.map((cluster) => cluster.stop())));
  afterEach(() => polymongo.actions.forceCloseAll());

  const start = (tenant: TenantOptions, more: Partial<PolyMongoOptions> = {}): void => {
    const mongoURI = clusters[0]!.uri;
    polymongo = new PolyMongoWrapper({
      mongoURI,
      driverOptions: { serverSelectionTimeoutMS: 500 },
      tenant: { database: (id) => `${prefix}_${id}`, ...tenant },
      ...more,
    });
    notes = polymongo.wrapModel(polymongo.models.define({ name: 'Note', schema: NoteSchema })) as never;
  };
  const add = (tenant: string) => polymongo.tenantContext.run(tenant, () => notes.tenant().create({ tenant }));
  const namesOn = async (cluster: EmbeddedMongo): Promise<string[]> => {
    const client = await new mongoose.mongo.MongoClient(cluster.uri).connect();
    const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
    await client.close();
    return databases.map(({ name }) => name);
  };

  it('refuses a tenant that does not exist before anything is made for it', async () => {
    const asked: string[] = [];
    start({ exists: (id) => asked.push(id) > 0 && id === 'known' });
    await expect(add('nobody')).rejects.toThrow(TenantUnknownError);
    await expect(add('nobody')).rejects.toMatchObject({ status: 404, statusCode: 404 });
    await Promise.all([add('known'), add('known')]);
    expect(asked).toEqual(['nobody', 'known']);
    const names = await namesOn(clusters[0]!);
    expect(names).toContain(`${prefix}_known`);
    expect(names).not.toContain(`${prefix}_nobody`);
  });

  it('asks again when an answer no longer counts, and locks out a tenant that is gone', async () => {
    let isThere = true;
    start({ exists: () => isThere, existsTTLMS: 0 });
    await add('leaver');
    const kept = polymongo.tenantContext.run('leaver', () => notes.tenant());
    isThere = false;
    await expect(kept.countDocuments()).rejects.toThrow(TenantUnknownError);
    await expect(kept.find().cursor().next()).rejects.toThrow(TenantUnknownError);
  });

  it.each([
    ['no', 'the string "no"'],
    [1, 'the number 1'],
    [{ ok: false }, 'an object'],
    [[], 'an array'],
    [null, 'null'],
    [undefined, 'undefined'],
    ['', 'an empty string'],
  ])('lets nobody in by an answer that is neither true nor false, and says which it was: %j', async (answer, said) => {
    for (const exists of [() => answer, async () => answer]) {
      start({ exists: exists as never });
      const refused = add('asked');
      await expect(refused).rejects.toThrow(TenantLookupError);
      await expect(refused).rejects.toMatchObject({
        lookup: 'exists',
        message: expect.stringContaining(said) as unknown,
      });
      await expect(polymongo.tenants.run('asked', () => 'in')).rejects.toThrow(TenantLookupError);
      await polymongo.actions.forceCloseAll();
    }
    expect(await namesOn(clusters[0]!)).not.toContain(`${prefix}_asked`);
  });

  it.each(['exists', 'connection'] as const)(
    'waits no longer than waitQueueTimeoutMS for an answer of %s, and asks again then',
    async (lookup) => {
      const answers = [() => new Promise<never>(() => {}), () => (lookup === 'exists' ? true : undefined)];
      start({ [lookup]: () => answers.shift()!() }, { waitQueueTimeoutMS: 200 });
      await expect(polymongo.tenants.run('late', () => 'in')).rejects.toMatchObject({
        name: 'TenantLookupError',
        lookup,
      });
      expect(await polymongo.tenants.run('late', () => 'in')).toBe('in');
    },
  );

  it('reaches a tenant on the cluster that is its own', async () => {
    const asked: string[] = [];
    start({
      connection: async (id) => {
        asked.push(id);
        return id === 'far' ? { mongoURI: clusters[1]!.uri, options: { maxConnections: 2 } } : undefined;
      },
    });
    await Promise.all([add('far'), add('far'), add('near')]);
    expect(asked).toEqual(['far', 'near']);
    expect(await namesOn(clusters[1]!)).toEqual(expect.arrayContaining([`${prefix}_far`]));
    expect(await namesOn(clusters[0]!)).not.toContain(`${prefix}_far`);
    expect(polymongo.pools.separate.get(`${prefix}_far`)?.config.maxConnections).toBe(2);
    expect(polymongo.pools.separate.has(`${prefix}_near`)).toBe(false);
  });

  it('never uses the primary cluster before it knows: what cannot wait is refused', async () => {
    start({ connection: () => ({ mongoURI: clusters[1]!.uri }) });
    const raw = () => polymongo.tenantContext.run('cursors', () => notes.tenant().collection.find({}).toArray());
    await expect(async () => raw()).rejects.toThrow(TenantNotReadyError);
    await polymongo.tenants.run('cursors', () => notes.tenant().create({ tenant: 'cursors' }));
    expect(await raw()).toHaveLength(1);
  });

  it('asks for the cluster again after the answer failed or could not be connected to', async () => {
    const answers = [
      () => Promise.reject(new Error('vault sealed')),
      () => ({ mongoURI: 'mongodb://127.0.0.1:1/?directConnection=true' }),
      () => ({ mongoURI: clusters[1]!.uri }),
    ];
    start({ connection: () => answers.shift()!() });
    await expect(add('moving')).rejects.toThrow('vault sealed');
    await expect(add('moving')).rejects.toThrow('could not connect');
    expect(await add('moving')).toMatchObject({ tenant: 'moving' });
    expect(answers).toHaveLength(0);
  });

  it('asks as no tenant, so that a lookup cannot wait for itself', async () => {
    start({
      exists: async () => {
        notes.tenant();
        return true;
      },
    });
    await expect(add('loop')).rejects.toThrow(TenantMissingError);
  });

  it('asks outside of a transaction: an answer of one that is aborted would stay', async () => {
    const sessions: unknown[] = [];
    start({ exists: () => sessions.push(polymongo.transactions.session) > 0 });
    await notes.create({ tenant: 'none' });
    await expect(
      polymongo.transaction(async () => {
        expect(polymongo.transactions.session).toBeDefined();
        await polymongo.tenants.run('inside', () => {});
        throw new Error('abort');
      }),
    ).rejects.toThrow('abort');
    expect(sessions).toEqual([undefined]);
  });

  it('cannot be left for another tenant inside a transaction', async () => {
    start({});
    const { tenantContext: context } = polymongo;
    const work = context.run('first', () =>
      polymongo.transaction(async () => {
        expect(context.run('first', () => context.current())).toBe('first');
        context.run('second', () => {});
      }),
    );
    await expect(work).rejects.toThrow(TenantSwitchError);
    await expect(work).rejects.toMatchObject({ status: 403 });
  });

  it('cannot be changed inside a transaction that began without a tenant, or has left its own', async () => {
    start({});
    const { tenantContext: context } = polymongo;
    const inTurn = polymongo.transaction(() => {
      context.run('first', () => {});
      context.run('first', () => {});
      context.run('second', () => {});
    });
    await expect(inTurn).rejects.toThrow(TenantSwitchError);
    const afterwards = context.run('first', () =>
      polymongo.transaction(() => context.within(undefined, () => context.run('second', () => {}))),
    );
    await expect(afterwards).rejects.toThrow(TenantSwitchError);
    await polymongo.transaction(() => context.run('second', () => {}));
  });

  it('falls back to the default database only by explicit choice', async () => {
    start({});
    expect(() => notes.tenant()).toThrow(TenantMissingError);
    await polymongo.actions.closeAll();
    start({ useDefaultDB: true });
    expect(notes.tenant().db.name).toBe('default');
    expect(polymongo.tenantContext.run('acme', () => notes.tenant().db.name)).toBe(`${prefix}_acme`);
  });
});
