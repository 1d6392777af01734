import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { BlueprintModelError, PolyMongoWrapper } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { unhandledDuring } from '../../support/unhandled.js';

type Thing = mongoose.Model<{ n: number }> & { count(): Promise<number>; numbers(): Promise<number[]> };

const [main, acme, elsewhere] = [uniqueName('compiled'), uniqueName('compiled_acme'), uniqueName('compiled_elsewhere')];
let server: TestServer;
let instance: mongoose.Mongoose;
let polymongo: PolyMongoWrapper;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  instance = new mongoose.Mongoose();
  await instance.connect(server.uri, { dbName: elsewhere });
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, defaultDB: main });
});
afterEach(async () => {
  for (const name of [main, acme, elsewhere]) await polymongo.pools.connectionOf(name).dropDatabase();
  await polymongo.actions.closeAll();
  await instance.disconnect();
});
afterAll(() => server.stop());

const written = async (database: string) =>
  (await polymongo.pools.connectionOf(database).collection('things').find().toArray()).map(({ n }) => n as number);

/** A schema with everything that mongoose wraps in middleware when it compiles it. */
function hookedSchema(seen: unknown[]): mongoose.Schema {
  const schema = new instance.Schema(
    { n: Number },
    {
      statics: {
        async count(this: unknown) {
          return (this as Thing).countDocuments();
        },
        async numbers(this: unknown) {
          return (this as Thing).distinct('n');
        },
      },
    },
  );
  const note = function (this: unknown) {
    seen.push((this as mongoose.Model<unknown>).db.name);
  };
  schema.pre('insertMany', note);
  schema.post('insertMany', note);
  schema.pre('count' as never, note);
  schema.post('numbers' as never, note);
  return schema;
}

const ways: [string, (schema: mongoose.Schema) => unknown][] = [
  ['wrapModel()', (schema) => polymongo.wrapModel(instance.model('Thing', schema) as never)],
  [
    'define()',
    (schema) => {
      polymongo.pools.useMongoose(instance);
      return polymongo.wrapModel(polymongo.models.define({ name: 'Thing', schema }));
    },
  ],
];

describe.each(ways)('a schema with middleware on insertMany and on statics, by %s', (_, wrap) => {
  const things = (schema: mongoose.Schema) => wrap(schema) as Thing & { db(name: string): Thing };

  it('inserts into the database it was called on, and its middleware sees that model', async () => {
    const seen: unknown[] = [];
    const model = things(hookedSchema(seen));
    await model.db(acme).insertMany([{ n: 1 }]);
    await model.insertMany([{ n: 2 }]);
    expect(await written(acme)).toEqual([1]);
    expect(await written(main)).toEqual([2]);
    expect(await written(elsewhere)).toEqual([]);
    expect(seen).toEqual([acme, acme, main, main]);
  });

  it('reads by statics from the database they were called on', async () => {
    const seen: unknown[] = [];
    const model = things(hookedSchema(seen));
    await model.db(acme).create({ n: 1 });
    await model.create({ n: 2 }, { n: 3 });
    expect([await model.db(acme).count(), await model.count()]).toEqual([1, 2]);
    expect([await model.db(acme).numbers(), (await model.numbers()).sort()]).toEqual([[1], [2, 3]]);
    expect(seen).toEqual([acme, main, acme, main]);
  });
});

describe.each(ways)('the members of a class that its schema loaded, by %s', (_, wrap) => {
  it('are on the database that they were called on: statics, methods and accessors', async () => {
    class ThingClass extends mongoose.Model<{ n: number }> {
      declare n: number;
      static largest() {
        return this.findOne().sort({ n: -1 });
      }
      async siblings(): Promise<number> {
        return (this.constructor as typeof ThingClass).countDocuments({ _id: { $ne: this._id } });
      }
      get place(): string {
        return this.db.name;
      }
    }
    const schema = new instance.Schema({ n: Number });
    schema.loadClass(ThingClass);
    const seen: string[] = [];
    schema.pre('largest' as never, function (this: unknown) {
      seen.push((this as mongoose.Model<unknown>).db.name);
    });
    const model = wrap(schema as never) as typeof ThingClass & { db(name: string): typeof ThingClass };
    await model.db(acme).create({ n: 1 }, { n: 3 }, { n: 2 });
    await model.create({ n: 9 });
    for (const [on, database, n, siblings] of [
      [model.db(acme), acme, 3, 2],
      [model, main, 9, 0],
    ] as const) {
      const largest = (await on.largest()) as ThingClass;
      expect([largest.n, largest.place, await largest.siblings()]).toEqual([n, database, siblings]);
    }
    expect(seen).toEqual([acme, main]);
    expect(await written(elsewhere)).toEqual([]);
  });
});

describe.each(ways)('a compiled model that somebody kept, by %s', (_, wrap) => {
  const OPERATIONS: Record<string, (model: Thing) => Promise<unknown>> = {
    find: (model) => model.find().exec(),
    findOne: (model) => model.findOne().exec(),
    updateMany: (model) => model.updateMany({}, { n: 0 }).exec(),
    create: (model) => model.create({ n: 9 }),
    save: (model) => new model({ n: 9 }).save(),
    insertMany: (model) => model.insertMany([{ n: 9 }]),
    bulkWrite: (model) => model.bulkWrite([{ insertOne: { document: { n: 9 } } }]),
    aggregate: (model) => model.aggregate([{ $match: {} }]).exec(),
    'aggregate().cursor()': (model) => model.aggregate([]).cursor().next(),
    'find().cursor()': (model) => model.find().cursor().next(),
    createCollection: (model) => model.createCollection(),
    'a hooked static': (model) => model.count(),
    'the collection': (model) => model.collection.insertOne({ n: 9 }),
    init: (model) => model.init(),
    watch: async (model) => model.watch(),
    useConnection: async (model) => model.useConnection(instance.connection),
    'a bulk builder': async (model) => model.collection.initializeOrderedBulkOp(),
    'the watch() of its connection': async (model) => model.db.watch(),
    'the useDb() of its connection': async (model) => model.db.useDb('z'),
    'the openUri() of its connection': async (model) => model.db.openUri(server.uri),
    'the startSession() of its connection': (model) => model.db.startSession(),
    'the bulkWrite() of its connection': (model) => model.db.bulkWrite([]),
    'the bulkWrite() of another connection': (model) =>
      instance.connection.bulkWrite([{ model: model as never, name: 'insertOne', document: { n: 9 } }]),
    'the aggregate() of its connection': async (model) => model.db.aggregate([]).exec(),
    'the dropDatabase() of its connection': (model) => model.db.dropDatabase(),
  };

  it.each(Object.keys(OPERATIONS))('refuses %s', async (name) => {
    let kept: Thing | undefined;
    const schema = hookedSchema([]);
    schema.on('init', (model: Thing) => (kept = model));
    wrap(schema);
    const unhandled = await unhandledDuring(() =>
      expect(OPERATIONS[name]!(kept!)).rejects.toBeInstanceOf(BlueprintModelError),
    );
    expect(unhandled).toEqual([]);
    expect(await written(elsewhere)).toEqual([]);
  });
});

describe('what was made of a model before wrapModel() took it over', () => {
  const EARLIER: Record<string, (model: Thing) => () => unknown> = {
    'a query': (model) => {
      const query = model.find();
      return () => query.exec();
    },
    'a query of a static': (model) => {
      const query = model.distinct('n');
      return () => query;
    },
    'an update': (model) => {
      const query = model.updateMany({}, { n: 0 }, { upsert: true });
      return () => query;
    },
    'a clone of a query': (model) => {
      const query = model.findOne();
      return () => query.clone();
    },
    'a query’s cursor': (model) => {
      const cursor = model.find().cursor();
      return () => cursor.next();
    },
    'an aggregate': (model) => {
      const aggregate = model.aggregate([{ $match: {} }]);
      return () => aggregate;
    },
    'a document': (model) => {
      const document = new model({ n: 9 });
      return () => document.save();
    },
  };

  it.each(Object.keys(EARLIER))('goes on in no database: %s', async (what) => {
    const model = instance.model('Thing', new instance.Schema({ n: Number })) as never as Thing;
    const goOn = EARLIER[what]!(model);
    polymongo.wrapModel(model as never);
    await expect((async () => goOn())()).rejects.toBeInstanceOf(BlueprintModelError);
    expect(await written(elsewhere)).toEqual([]);
  });
});

describe('the model that a plugin keeps of the schema’s init event, when databases have been used', () => {
  type Kept = mongoose.Model<{ n: number }> & { all(): Promise<unknown>; add(n: number): Promise<unknown> };
  let duringEvent: unknown[];
  const keeping = (schema: mongoose.Schema): void => {
    let kept: Kept;
    schema.on('init', (model: Kept) => {
      kept = model;
      duringEvent.push([model.db.name, model.collection.conn.name, new model({ n: 1 }).get('n')]);
    });
    schema.static('all', () => kept.find().lean());
    schema.static('add', (n: number) => kept.create({ n }));
    schema.static('others', () => kept.db.collection('things').find().toArray());
    schema.static('collected', () => kept.collection.find().toArray());
  };

  beforeEach(() => {
    duringEvent = [];
  });

  it.each(['all', 'add', 'others', 'collected'])('reads and writes nothing, in no database: %s', async (operation) => {
    const schema = new instance.Schema({ n: { type: Number, index: true } });
    schema.plugin(keeping);
    const things = polymongo.wrapModel(instance.model('Thing', schema)) as never as Kept & { db(name: string): Kept };
    for (const name of [main, acme]) await things.db(name).create({ n: 1 });
    for (const name of [main, acme]) {
      const model = things.db(name) as never as Record<string, (n: number) => Promise<unknown>>;
      await expect((async () => model[operation]!(2))()).rejects.toBeInstanceOf(BlueprintModelError);
      expect(await written(name)).toEqual([1]);
    }
    expect(duringEvent.slice(-2)).toEqual([main, acme].map((name) => [name, name, 1]));
  });
});
