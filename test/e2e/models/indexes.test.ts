import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import { PolyMongoWrapper, type AnyModel, type PolyMongoOptions } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let server: TestServer;
let base: mongoose.Mongoose;
let polymongo: PolyMongoWrapper;
let name: string;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => create());
afterEach(async () => {
  await polymongo.pools.connectionOf(name).dropDatabase();
  await polymongo.actions.closeAll();
});
afterAll(() => server.stop());

function create(options: Partial<PolyMongoOptions> = {}) {
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, ...options, handleSignals: false });
  base = new mongoose.Mongoose();
  name = uniqueName('indexes');
}

/** The model on the test's database. */
const wrap = (model: AnyModel): AnyModel => polymongo.wrapModel(model).db(name);

type Listed = Record<string, unknown> & { name: string };
const listed = async (model: AnyModel): Promise<Listed[]> =>
  ((await model.listIndexes()) as unknown as Listed[]).filter((index) => index.name !== '_id_');
const names = async (model: AnyModel) => (await listed(model)).map((index) => index.name);

/** A model with a unique path in one discriminator, and its discriminators. */
function people() {
  const Party = base.model('Party', new Schema({ note: String }));
  const Person = Party.discriminator('Person', new Schema({ email: { type: String, unique: true } }));
  return { Party: wrap(Party), Person: polymongo.wrapModel(Person).db(name) as AnyModel };
}

describe('the indexes of a wrapped model', () => {
  describe('are those that mongoose makes', () => {
    const collated = { collation: { locale: 'en', strength: 2 } };
    const withIndex = (schema: Schema, ...index: Parameters<Schema['index']>) => schema.index(...index);
    const MODELS: Record<string, (m: mongoose.Mongoose) => AnyModel> = {
      'of paths and of the schema': (m) =>
        m.model(
          'A',
          withIndex(new Schema({ a: { type: String, unique: true, sparse: true }, b: Date }), { b: 1, a: -1 }),
        ),
      'with an expiry, a partial filter, a name': (m) => {
        const schema = new Schema({ at: { type: Date, expires: '1h' }, n: Number });
        return m.model('B', schema.index({ n: 1 }, { name: 'big', partialFilterExpression: { n: { $gt: 9 } } }));
      },
      'of nested schemas and arrays': (m) => {
        const nested = new Schema({ x: { type: String, index: true } });
        return m.model('C', new Schema({ one: nested, many: [nested], tags: [{ type: String, index: true }] }));
      },
      'of a nested schema with autoIndex: false': (m) => {
        const nested = new Schema({ x: { type: String, unique: true } }, { autoIndex: false });
        return m.model('D', new Schema({ nested, y: { type: String, index: true } }));
      },
      'with excludeIndexes': (m) => {
        const nested = new Schema({ x: { type: String, unique: true } });
        return m.model('E', new Schema({ nested: { type: nested, excludeIndexes: true } }));
      },
      'with a collation': (m) => m.model('F', new Schema({ a: { type: String, unique: true } }, collated)),
      'text, with a collation': (m) => m.model('G', withIndex(new Schema({ a: String }, collated), { a: 'text' })),
      'of discriminators': (m) => {
        const Base = m.model('H', withIndex(new Schema({ a: String }), { a: 1 }, { unique: true }));
        Base.discriminator('H1', new Schema({ p: { type: String, unique: true } }));
        Base.discriminator('H2', withIndex(new Schema({ q: String }), { q: 1 }), 'two');
        return Base;
      },
      'of discriminators with another key and a collation': (m) => {
        const Base = m.model(
          'I',
          new Schema({ a: { type: String, index: true } }, { ...collated, discriminatorKey: 'kind' }),
        );
        Base.discriminator('I1', new Schema({ p: { type: String, unique: true } }));
        return Base;
      },
    };

    it.each(Object.keys(MODELS))('%s', async (which) => {
      const plain = base.createConnection(server.uri, { dbName: uniqueName('plain') });
      const model = MODELS[which]!(plain as unknown as mongoose.Mongoose);
      for (const each of [model, ...Object.values(model.discriminators ?? {})]) await each.init().catch(() => {}); // it asks for a base's index again
      const expected = await listed(model);
      await plain.dropDatabase();
      await plain.close();

      const wrapped = wrap(MODELS[which]!(base));
      await wrapped.create({});
      expect(await listed(wrapped)).toEqual(expected);
    });
  });

  it('leave documents of other kinds alone when a discriminator has a unique one', async () => {
    const { Party, Person } = people();
    await Party.create([{ note: 'a' }, { note: 'b' }]);
    await Person.create({ email: 'a@x' });
    await expect(Person.create({ email: 'a@x' })).rejects.toMatchObject({ code: 11000 });
    await expect(Party.create({ __t: 'Person', email: 'a@x' })).rejects.toMatchObject({ code: 11000 });
  });

  it('of the base and of all kinds are there before the first write of one kind', async () => {
    const Base = base.model('Base', new Schema({ a: { type: String, unique: true } }));
    const One = Base.discriminator('One', new Schema({ p: { type: String, unique: true } }));
    Base.discriminator('Two', new Schema({ q: { type: String, unique: true } }));
    wrap(Base);
    await (polymongo.wrapModel(One).db(name) as AnyModel).create({ a: 'x' });
    expect((await names(wrap(Base))).sort()).toEqual(['a_1', 'p_1', 'q_1']);
  });

  it('are the base’s own where a discriminator declares them once more', async () => {
    const dated = (schema: Schema) => schema.index({ at: 1 }).index({ a: 1 }, { unique: true });
    const Base = base.model('Base', dated(new Schema({ a: String, at: Date })));
    Base.discriminator('One', dated(new Schema({ b: String })));
    const wrapped = wrap(Base);
    await wrapped.create({ a: 'x' });
    expect(await listed(wrapped)).toEqual([
      { v: 2, name: 'at_1', key: { at: 1 }, ...version8 },
      { v: 2, name: 'a_1', key: { a: 1 }, unique: true, ...version8 },
    ]);
    expect(await polymongo.pools.syncIndexes(name, { dryRun: true })).toEqual([]);
  });

  it('are each kind’s own where two kinds have one of the same path', async () => {
    const Base = base.model('Base', new Schema({ note: String }));
    const unique = () => new Schema({ code: { type: String, unique: true } });
    const kinds = ['One', 'Two'].map((kind) => Base.discriminator(kind, unique()));
    wrap(Base);
    for (const kind of kinds) {
      const model = polymongo.wrapModel(kind).db(name) as AnyModel;
      await model.create({ code: 'a' });
      await expect(model.create({ code: 'a' })).rejects.toMatchObject({ code: 11000 });
      expect(await model.diffIndexes()).toEqual({ toDrop: [], toCreate: [] });
    }
    expect(await names(wrap(Base))).toEqual(['code_1', 'code_1_Two']);
    expect(await polymongo.pools.syncIndexes(name, { dryRun: true })).toEqual([]);
  });

  it('count letters as equal where the schema’s collation does', async () => {
    const schema = new Schema({ a: { type: String, unique: true } }, { collation: { locale: 'en', strength: 2 } });
    const model = wrap(base.model('User', schema));
    await model.create({ a: 'Ab' });
    await expect(model.create({ a: 'aB' })).rejects.toMatchObject({ code: 11000 });
    expect(await model.diffIndexes()).toEqual({ toDrop: [], toCreate: [] });
  });
});

describe('a model’s collection and indexes', () => {
  const unique = () => new Schema({ a: { type: String, unique: true } });
  const collections = async () =>
    (await polymongo.pools.connectionOf(name).listCollections()).map((collection) => collection.name).sort();

  it('are made by init(), even without any index', async () => {
    await wrap(base.model('Plain', new Schema({ n: Number }))).init();
    expect(await collections()).toEqual(['plains']);
  });

  it.each<[string, (model: AnyModel) => Promise<unknown>]>([
    ['collection.insertOne()', (model) => model.collection.insertOne({ a: 'x' })],
    ['collection.insertMany()', (model) => model.collection.insertMany([{ a: 'x' }])],
    ['collection.bulkWrite()', (model) => model.collection.bulkWrite([{ insertOne: { document: { a: 'x' } } }])],
    ['collection.updateOne()', (model) => model.collection.updateOne({ a: 'x' }, { $set: { b: 1 } }, { upsert: true })],
    ['collection.replaceOne()', (model) => model.collection.replaceOne({ a: 'x' }, { a: 'x' }, { upsert: true })],
    [
      'collection.initializeUnorderedBulkOp()',
      async (model) => {
        await model.db.asPromise();
        const bulk = model.collection.initializeUnorderedBulkOp();
        bulk.insert({ a: 'x' });
        return bulk.execute();
      },
    ],
    ['connection.collection()', (model) => model.db.collection('users').insertOne({ a: 'x' })],
    ['another model of the collection', (model) => polymongo.wrapModel(base.model('Guest', new Schema({ a: String }), 'users')).db(model.db.name).create({ a: 'x' })], // prettier-ignore
  ])('are there before the first write by %s', async (_, write) => {
    const User = wrap(base.model('User', unique(), 'users'));
    await write(User);
    await expect(User.collection.insertOne({ a: 'x' })).rejects.toMatchObject({ code: 11000 });
  });

  it('are there before the first write by connection.bulkWrite()', async () => {
    const User = wrap(base.model('User', unique(), 'users'));
    const written = User.db.bulkWrite([{ model: 'User', name: 'insertOne', document: { a: 'x' } }] as never);
    await written.catch(() => {}); // the embedded server, as MongoDB 7, has no such command
    expect(await names(User)).toEqual(['a_1']);
  });

  it('are made for a model that is registered when its collection is in use', async () => {
    await wrap(base.model('User', unique(), 'users')).create({ a: 'x' });
    const guest = new Schema({ b: { type: String, unique: true, sparse: true } });
    const Guest = wrap(base.model('Guest', guest, 'users'));
    await Guest.create({ b: 'x' });
    await expect(Guest.create({ b: 'x' })).rejects.toMatchObject({ code: 11000 });
  });

  it('are made before a transaction of wrapped models goes on, by raw calls too', async () => {
    const User = wrap(base.model('User', unique()));
    const other = polymongo.pools.connectionOf(uniqueName('other'));
    try {
      await polymongo.transaction(() => other.collection('users').insertOne({ a: 'x' }), { db: name });
      await expect(other.collection('users').insertOne({ a: 'x' })).rejects.toMatchObject({ code: 11000 });
    } finally {
      await other.dropDatabase();
    }
    expect(await names(User)).toEqual(['a_1']);
  });

  it('are not made inside a transaction of mongoose’s own, which finds its session by AsyncLocalStorage', async () => {
    base.set('transactionAsyncLocalStorage', true);
    const User = wrap(base.model('User', unique()));
    await User.createCollection();
    await User.db.transaction(async () => {
      await User.create({ a: 'x' });
    });
    expect(await names(User)).toEqual([]);
    await User.create({ a: 'y' });
    expect(await names(User)).toEqual(['a_1']);
  });

  interface Switches {
    by: string;
    schema?: mongoose.SchemaOptions;
    module?: Partial<PolyMongoOptions>;
    globally?: { autoIndex: boolean; autoCreate: boolean };
  }
  const off = { autoIndex: false, autoCreate: false };

  it.each<Switches>([
    { by: 'the schema', schema: off },
    { by: 'the module', module: off },
    { by: 'mongoose.set()', globally: off },
    { by: 'the schema against all others', schema: off, module: { autoIndex: true, autoCreate: true } },
  ])('are not made by a first write or init() with autoIndex and autoCreate: false of $by', async (switches) => {
    await polymongo.actions.closeAll();
    create(switches.module);
    base.set(switches.globally ?? {});
    const User = wrap(base.model('User', new Schema({ a: { type: String, unique: true } }, switches.schema as never)));
    await User.init();
    expect(await collections()).toEqual([]);
    await User.create({ a: 'x' });
    expect(await names(User)).toEqual([]);
    await User.createIndexes();
    expect(await names(User)).toEqual(['a_1']);
  });

  it('are made by the module’s options whatever mongoose.set() says', async () => {
    await polymongo.actions.closeAll();
    create({ autoIndex: true, autoCreate: true });
    base.set('autoIndex', false).set('autoCreate', false);
    const User = wrap(base.model('User', unique()));
    await User.init();
    expect(await names(User)).toEqual(['a_1']);
  });

  it('of nested schemas with autoIndex: false are left to createIndexes()', async () => {
    const nested = new Schema({ x: { type: String, unique: true } }, { autoIndex: false });
    const User = wrap(base.model('User', new Schema({ nested })));
    await User.init();
    expect(await names(User)).toEqual([]);
    await User.createIndexes();
    expect(await names(User)).toEqual(['nested.x_1']);
  });

  it('have the options of the schema, and its hooks run', async () => {
    const seen: unknown[] = [];
    const schema = new Schema({ n: Number }, { capped: { size: 4096, max: 1 } });
    schema.pre('createCollection' as never, function (this: unknown) {
      seen.push(this);
    });
    const Log = wrap(base.model('Log', schema));
    await Log.create({ n: 1 });
    await Log.create({ n: 2 });
    expect(await Log.countDocuments()).toBe(1);
    expect(seen).toEqual([Log]);
  });

  it('tell the listeners of the model of that database, and those of its schema', async () => {
    const schema = unique();
    const inits: AnyModel[] = [];
    const source = base.model('User', schema);
    schema.on('init', (model: AnyModel) => inits.push(model));
    const User = wrap(source);
    const told: unknown[] = [];
    User.on('index', (error) => told.push(['here', error]));
    const elsewhere = polymongo.wrapModel(source).db(uniqueName('other'));
    elsewhere.on('index', () => told.push('elsewhere'));
    await User.create({ a: 'x' });
    expect(told).toEqual([['here', undefined]]);
    expect(inits.map((model) => [model.modelName, model.db.name])).toEqual([['User', name]]);
  });

  it('tell nobody elsewhere, when a plugin listens on each model that it is given', async () => {
    const schema = unique();
    const told: string[] = [];
    schema.on('init', (model: AnyModel) => model.on('index', () => told.push(model.db?.name)));
    const source = base.model('User', schema);
    const databases = [name, uniqueName('other')];
    for (const each of databases) await polymongo.wrapModel(source).db(each).create({ a: 'x' });
    await polymongo.pools.connectionOf(databases[1]!).dropDatabase();
    expect(told).toEqual(databases);
  });

  it('tell the wrapper’s listeners of the default database', async () => {
    await polymongo.actions.closeAll();
    create({ defaultDB: uniqueName('home') });
    name = polymongo.options.defaultDB;
    const User = polymongo.wrapModel(base.model('User', unique()));
    let told = 0;
    User.on('index', () => told++);
    await User.db(name).create({ a: 'x' });
    expect(told).toBe(1);
  });

  describe('that a server does not let be made', () => {
    const PREPARING = ['create', 'createIndexes'];
    let admin: mongoose.Connection;
    const fail = (mode: object | string, data: object = {}) =>
      admin.db!.command({ configureFailPoint: 'failCommand', mode, data: { failCommands: PREPARING, ...data } });
    beforeAll(async () => {
      admin = await mongoose.createConnection(server.uri, { dbName: 'admin' }).asPromise();
    });
    afterEach(() => fail('off'));
    afterAll(() => admin.close());

    it('keep no write that needs none of them from a user who may not make collections', async () => {
      const told: unknown[] = [];
      polymongo.onDbError((error) => told.push(error));
      const Log = wrap(base.model('Log', new Schema({ n: { type: Number, index: true } })));
      await fail('alwaysOn', { errorCode: 13 });
      for (const n of [1, 2]) await Log.create({ n });
      expect(await Log.countDocuments()).toBe(2);
      expect(told).toMatchObject([{ code: 13 }]); // once, not with each write
    });

    it('keep a write back that a unique index is for, and say why', async () => {
      const User = wrap(base.model('User', unique()));
      await fail('alwaysOn', { errorCode: 13 });
      await expect(User.create({ a: 'x' })).rejects.toMatchObject({ code: 13 });
      await fail('off');
      await User.create({ a: 'x' });
      expect(await names(User)).toEqual(['a_1']);
    });

    it.each(PREPARING)('by a connection that breaks during %s are made on the next one', async (command) => {
      const User = wrap(base.model('User', unique()));
      await fail({ times: 1 }, { failCommands: [command], closeConnection: true });
      await User.create({ a: 'x' });
      expect(await names(User)).toEqual(['a_1']);
    });
  });

  it('tell of an index that cannot be made', async () => {
    const User = wrap(base.model('User', unique()));
    await polymongo.pools
      .connectionOf(name)
      .db!.collection('users')
      .insertMany([{ a: 'x' }, { a: 'x' }]);
    const errors: unknown[] = [];
    User.on('index', (error) => errors.push(error));
    await expect(User.init()).rejects.toMatchObject({ code: 11000 });
    expect(errors).toMatchObject([{ code: 11000 }]);
  });

  it.each(['createIndexes', 'ensureIndexes', 'syncIndexes'] as const)(
    'that cannot be made are the error of %s(), of a model that was compiled here, too',
    async (make) => {
      polymongo.models.define({ name: 'User', schema: unique().set('autoIndex', false) });
      const User = polymongo.pools.connectionOf(name).model('User');
      await User.create([{ a: 'x' }, { a: 'x' }]);
      await expect(User[make]()).rejects.toMatchObject({ code: 11000 });
    },
  );

  it('have been made by `$init`, which the drop of their database takes away', async () => {
    polymongo.models.define({ name: 'User', schema: unique() });
    const User = polymongo.pools.connectionOf(name).model('User') as unknown as AnyModel & { $init?: unknown };
    expect(User.$init).toBeUndefined();
    await User.init();
    expect(User.$init).toBeInstanceOf(Promise);
    await User.db.dropDatabase();
    expect(User.$init).toBeUndefined();
    await User.init();
    expect(await names(User)).toEqual(['a_1']);
  });

  it('do not keep a write from its database when a search index cannot be made there', async () => {
    const schema = new Schema({ a: String }, { autoSearchIndex: true });
    schema.searchIndex({ name: 'all', definition: { mappings: { dynamic: true } } });
    const User = wrap(base.model('User', schema));
    const errors: unknown[] = [];
    polymongo.hooks.onDbError((error) => errors.push(error));
    await expect(User.init()).rejects.toThrow(mongoose.mongo.MongoServerError);
    await User.create({ a: 'x' });
    expect(await User.countDocuments()).toBe(1);
    expect(errors).toHaveLength(1);
  });
});

/** mongoose 8 asks for indexes in the background. */
const version8 = mongoose.version.startsWith('8') ? { background: true } : {};
