import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import { IndexMismatchError, PolyMongoWrapper, TenantTaskError, type AnyModel } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let server: TestServer;
let base: mongoose.Mongoose;
let polymongo: PolyMongoWrapper;
let name: string;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => {
  name = uniqueName('repair');
  const database = (tenantId: string) => `${name}_${tenantId}`;
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, tenant: { database }, handleSignals: false });
  base = new mongoose.Mongoose();
});
afterEach(async () => {
  for (const each of [name, `${name}_one`, `${name}_two`]) await polymongo.pools.connectionOf(each).dropDatabase();
  await polymongo.actions.closeAll();
});
afterAll(() => server.stop());

const wrap = (model: AnyModel): AnyModel => polymongo.wrapModel(model).db(name);
/** The driver's collection: as another program, or an earlier version, writes to it. */
const raw = (collection: string, database = name) =>
  polymongo.pools.database(database).run(async () => polymongo.pools.connectionOf(database).db!.collection(collection));
const names = async (collection: string, database = name) =>
  (await (await raw(collection, database)).indexes()).map((index) => index.name);
const mismatchOf = async (work: Promise<unknown>): Promise<IndexMismatchError> => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(IndexMismatchError);
  return error as IndexMismatchError;
};

/** A database as 0.1.0 left it: a discriminator's unique index without its filter, one without the schema's collation. */
async function wrongDatabase(database = name) {
  const Party = base.models['Party'] ?? base.model('Party', new Schema({ note: String }));
  const Person =
    base.models['Person'] ?? Party.discriminator('Person', new Schema({ email: { type: String, unique: true } }));
  const userSchema = new Schema({ a: { type: String, unique: true } }, { collation: { locale: 'en', strength: 2 } });
  const User = base.models['User'] ?? base.model('User', userSchema);
  const models = { Party: wrap(Party), Person: wrap(Person), User: wrap(User) };
  await (await raw('parties', database)).createIndex({ email: 1 }, { unique: true });
  await (await raw('users', database)).createIndex({ a: 1 }, { unique: true });
  return models;
}

describe('a database whose indexes are not as the schemas say', () => {
  it('is reported by ensureIndexes(), by database, collection and index, and not changed', async () => {
    await wrongDatabase();
    const error = await mismatchOf(polymongo.pools.ensureIndexes(name));
    expect([...error.differences].sort((a, b) => a.index.localeCompare(b.index))).toMatchObject([
      {
        database: name,
        collection: 'users',
        model: 'User',
        index: 'a_1',
        expected: { name: 'a_1', key: { a: 1 }, unique: true, collation: { locale: 'en', strength: 2 } },
        found: { name: 'a_1', key: { a: 1 }, unique: true },
        cause: { code: 86 },
      },
      {
        database: name,
        collection: 'parties',
        model: 'Person',
        index: 'email_1',
        expected: { partialFilterExpression: { __t: 'Person' } },
        found: { name: 'email_1' },
      },
    ]);
    expect(error.message).toContain(`pools.syncIndexes('${name}')`);
    expect(await names('parties')).toEqual(['_id_', 'email_1']);
  });

  it('fails a first write with that error, and takes it after the repair', async () => {
    const { Party } = await wrongDatabase();
    await mismatchOf(Party.create({ note: 'a' }));
    await polymongo.pools.syncIndexes(name);
    await Party.create([{ note: 'a' }, { note: 'b' }]);
  });

  it('is shown by a dry run, repaired by syncIndexes(), and then as it should be', async () => {
    const { Party, Person, User } = await wrongDatabase();
    await (await raw('users')).createIndex({ old: 1 });
    const byCollection = (a: { collection: string }, b: { collection: string }) =>
      a.collection.localeCompare(b.collection);
    const plan = (await polymongo.pools.syncIndexes(name, { dryRun: true })).sort(byCollection);
    expect(plan).toMatchObject([
      {
        database: name,
        collection: 'parties',
        toDrop: ['email_1'],
        toCreate: [{ name: 'email_1', key: { email: 1 }, unique: true, partialFilterExpression: { __t: 'Person' } }],
      },
      {
        database: name,
        collection: 'users',
        toDrop: ['a_1', 'old_1'],
        toCreate: [{ name: 'a_1', collation: { locale: 'en' } }],
      },
    ]);
    expect(await names('users')).toEqual(['_id_', 'a_1', 'old_1']);

    expect((await polymongo.pools.syncIndexes(name)).sort(byCollection)).toEqual(plan);
    expect(await names('users')).toEqual(['_id_', 'a_1']);
    expect(await polymongo.pools.syncIndexes(name, { dryRun: true })).toEqual([]);
    await polymongo.pools.ensureIndexes(name);
    await Party.create([{ note: 'a' }, { note: 'b' }]);
    await Person.create({ email: 'x' });
    await expect(Person.create({ email: 'x' })).rejects.toMatchObject({ code: 11000 });
    await User.create({ a: 'Ab' });
    await expect(User.create({ a: 'aB' })).rejects.toMatchObject({ code: 11000 });
  });

  it.each(['Party', 'Person', 'User'] as const)('is repaired by syncIndexes() of the model %s', async (which) => {
    const { [which]: model } = await wrongDatabase();
    const index = which === 'User' ? 'a_1' : 'email_1';
    expect(await model.syncIndexes()).toEqual([index]);
    const [plan] = await polymongo.pools.syncIndexes(name, { dryRun: true });
    expect(plan?.collection).toBe(which === 'User' ? 'parties' : 'users');
  });

  it('is repaired for all tenants by tenants.syncIndexes(), which shows the plans before', async () => {
    for (const tenant of ['one', 'two']) await wrongDatabase(`${name}_${tenant}`);
    const tenants = ['one', 'two'];
    const plans = await polymongo.tenants.syncIndexes({ tenants, dryRun: true });
    expect(plans).toMatchObject(tenants.map(() => ({ ok: true, value: [{}, {}] })));
    await polymongo.tenants.syncIndexes({ tenants });
    for (const tenant of tenants) await polymongo.pools.ensureIndexes(`${name}_${tenant}`);
    const after = await polymongo.tenants.syncIndexes({ tenants, dryRun: true });
    expect(after).toMatchObject(tenants.map(() => ({ ok: true, value: [] })));
  });
});

describe('an index that the server refuses', () => {
  type Refused = { index: string; schema: () => Schema; documents?: object[]; code: number };
  const REFUSED: Record<string, Refused> = {
    'because a map has no path of that name': {
      index: 'c.$*.e_1',
      schema: () => new Schema({ c: { type: Map, of: new Schema({ e: { type: String, index: true } }) }, n: Number }),
      code: 67,
    },
    'because of documents with parallel arrays': {
      index: 'a_1_b_1',
      schema: () => new Schema({ a: [Number], b: [Number], n: Number }).index({ a: 1, b: 1 }),
      documents: [{ a: [1, 2], b: [1, 2] }],
      code: 171,
    },
    'because it is there with other options': {
      index: 'n_1',
      schema: () => new Schema({ n: { type: Number, index: { expires: 60 } } }),
      code: 85,
    },
  };

  async function refusedBy({ schema, documents }: Refused) {
    const Thing = wrap(base.model('Thing', schema()));
    if (documents) await (await raw('things')).insertMany(documents);
    else await (await raw('things')).createIndex({ n: 1 }, { expireAfterSeconds: 7 });
    return Thing;
  }

  it.each(Object.keys(REFUSED))('%s keeps no write from its database, and is told', async (which) => {
    const refused = REFUSED[which]!;
    const Thing = await refusedBy(refused);
    const [told, heard]: [unknown[], unknown[]] = [[], []];
    polymongo.hooks.onDbError((error) => told.push(error));
    Thing.on('index', (error) => heard.push(error));
    await Promise.all([Thing.create({ n: 1 }), Thing.create({ n: 2 }), Thing.updateOne({ n: 9 }, { n: 3 })]);
    expect(await Thing.countDocuments({ n: { $in: [1, 2] } })).toBe(2);
    const error = { differences: [{ database: name, collection: 'things', model: 'Thing', index: refused.index }] };
    expect(told).toMatchObject([error]);
    expect(told[0]).toBeInstanceOf(IndexMismatchError);
    expect(heard).toMatchObject([{ code: refused.code }]);
  });

  it.each(Object.keys(REFUSED))('%s is the typed error of init() and ensureIndexes()', async (which) => {
    const refused = REFUSED[which]!;
    const Thing = await refusedBy(refused);
    for (const make of [() => Thing.init(), () => polymongo.pools.ensureIndexes(name)]) {
      const { differences, message } = await mismatchOf(make());
      expect(differences).toMatchObject([{ index: refused.index, cause: { code: refused.code } }]);
      for (const part of [name, 'Thing', refused.index]) expect(message).toContain(part);
    }
  });

  it('is made for the other text index', async () => {
    const schema = new Schema({ a: String, b: String }).index({ a: 'text' }).index({ b: 'text' });
    const Thing = wrap(base.model('Thing', schema));
    await Thing.create({ a: 'x' });
    expect(await names('things')).toEqual(['_id_', 'a_text']);
    await mismatchOf(Thing.init());
  });

  it('keeps writes from its database when it is a unique one', async () => {
    const map = { type: Map, of: new Schema({ e: { type: String, unique: true } }) };
    const Thing = wrap(base.model('Thing', new Schema({ c: map, n: { type: Number, index: true } })));
    const { differences, message } = await mismatchOf(Thing.create({ n: 1 }));
    expect(differences).toMatchObject([{ model: 'Thing', index: 'c.$*.e_1', cause: { code: 67 } }]);
    expect(message).toContain('autoIndex: false');
    expect(await names('things')).toEqual(['_id_', 'n_1']);
  });
});

describe('syncIndexes()', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['of a database', () => polymongo.pools.syncIndexes(name)],
    ['of a model', () => wrap(base.models['User']!).syncIndexes()],
  ])('%s leaves the indexes as they were when documents contradict one', async (_, sync) => {
    await wrongDatabase();
    await (await raw('users')).insertMany([{ a: 'Ab' }, { a: 'aB' }]);
    const before = await (await raw('users')).indexes();
    await expect(sync()).rejects.toMatchObject({ code: 11000 });
    expect(await (await raw('users')).indexes()).toEqual(before);
  });

  it('of all tenants names the one whose documents contradict an index', async () => {
    await wrongDatabase(`${name}_one`);
    await (await raw('users', `${name}_one`)).insertMany([{ a: 'Ab' }, { a: 'aB' }]);
    const failing = polymongo.tenants.syncIndexes({ tenants: ['one'] });
    await expect(failing).rejects.toThrow(TenantTaskError);
    await expect(failing).rejects.toMatchObject({
      tenantId: 'one',
      cause: { differences: [{ index: 'a_1', cause: { code: 11000 } }] },
    });
  });

  it('keeps what another model of the same collection declares', async () => {
    wrap(base.model('User', new Schema({ a: { type: String, unique: true } }), 'shared'));
    wrap(base.model('Guest', new Schema({ b: { type: String, unique: true } }), 'shared'));
    await polymongo.pools.ensureIndexes(name);
    expect(await polymongo.pools.syncIndexes(name)).toEqual([]);
    expect(await names('shared')).toEqual(['_id_', 'a_1', 'b_1']);
  });

  it('of a base model or of a discriminator keeps what the others of the family declare', async () => {
    const Base = base.model('Base', new Schema({ a: { type: String, unique: true } }));
    const One = Base.discriminator('One', new Schema({ p: { type: String, unique: true } }));
    const Two = Base.discriminator('Two', new Schema({ q: { type: String, unique: true, sparse: true } }));
    const models = [Base, One, Two].map(wrap);
    await models[0]!.create({ a: 'x' });
    const all = await names('bases');
    expect(all.sort()).toEqual(['_id_', 'a_1', 'p_1', 'q_1']);
    for (const model of models) expect(await model.syncIndexes()).toEqual([]);
    await models[0]!.db.syncIndexes();
    expect((await names('bases')).sort()).toEqual(all);
  });

  it('takes an index under another name for what it is', async () => {
    const User = wrap(base.model('User', new Schema({ a: { type: String, unique: true } })));
    await (await raw('users')).createIndex({ a: 1 }, { unique: true, name: 'mine' });
    await User.create({ a: 'x' });
    await polymongo.pools.ensureIndexes(name);
    expect(await polymongo.pools.syncIndexes(name)).toEqual([]);
    expect(await names('users')).toEqual(['_id_', 'mine']);
  });
});

describe('ensureIndexes()', () => {
  it('makes what can be made and tells of what cannot', async () => {
    wrap(base.model('User', new Schema({ a: { type: String, unique: true }, b: { type: String, index: true } })));
    wrap(base.model('Guest', new Schema({ c: { type: String, index: true } })));
    await (await raw('users')).insertMany([{ a: 'x' }, { a: 'x' }]);
    const error = await mismatchOf(polymongo.pools.ensureIndexes(name));
    expect(error.differences).toMatchObject([{ collection: 'users', index: 'a_1', cause: { code: 11000 } }]);
    expect(error.code).toBe(11000);
    expect([await names('users'), await names('guests')]).toEqual([
      ['_id_', 'b_1'],
      ['_id_', 'c_1'],
    ]);
  });
});
