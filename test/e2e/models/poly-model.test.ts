import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Animal {
  name: string;
  saves: number;
}

type AnimalModelType = mongoose.Model<Animal, object, { greet(): string }, { loudName: string }>;

const animalSchema = new mongoose.Schema(
  {
    name: { type: String, required: true },
    friend: { type: mongoose.Schema.Types.ObjectId, ref: 'Animal' },
    saves: { type: Number, default: 0 },
  },
  {
    statics: {
      byName(this: unknown, name: string) {
        return (this as AnimalModelType).findOne({ name });
      },
    },
    methods: {
      greet(): string {
        return `I am ${this.name}`;
      },
    },
    virtuals: {
      loudName: {
        get(): string {
          return String(this.name).toUpperCase();
        },
      },
    },
    query: {
      named(this: mongoose.QueryWithHelpers<unknown, unknown>, name: string) {
        return this.where({ name });
      },
    },
  },
);
animalSchema.pre('save', function () {
  this.saves = (this.saves ?? 0) + 1;
});

let server: TestServer;
let polymongo: PolyMongoWrapper;
const [main, other] = [uniqueName('models_main'), uniqueName('models_other')];
const instance = new mongoose.Mongoose();
const AnimalModel = instance.model('Animal', animalSchema);
AnimalModel.discriminator('Dog', new instance.Schema({ tricks: [String] }));

const wrap = () => polymongo.wrapModel(AnimalModel);

beforeAll(async () => {
  server = await startTestServer();
  polymongo = new PolyMongoWrapper({ mongoURI: server.uri, defaultDB: main });
});
afterAll(async () => {
  await wrap().db.dropDatabase();
  await wrap().db(other).db.dropDatabase();
  await polymongo.actions.closeAll();
  await server.stop();
});

it('makes query classes with toConstructor(), whose queries run, clone and read by cursor', async () => {
  const model = wrap().db(other);
  await model.create({ name: 'Constructed' });
  const Named = model.find({ name: 'Constructed' }).toConstructor();
  const query = () => new (Named as unknown as new () => ReturnType<typeof model.find>)();
  await expect(query().exec()).resolves.toHaveLength(1);
  await expect(query().clone().exec()).resolves.toHaveLength(1);
  await expect(query().cursor().next()).resolves.toMatchObject({ name: 'Constructed' });
  await model.deleteMany({ name: 'Constructed' });
});

describe('a wrapped model', () => {
  it('is the model of the default database: construct, save, statics, methods, virtuals, query helpers, hooks', async () => {
    const animals = wrap();
    const rex = new animals({ name: 'Rex' });
    await rex.save();
    const found = await animals.byName('Rex').orFail();
    expect(found.greet()).toBe('I am Rex');
    expect(found.loudName).toBe('REX');
    expect(found.saves).toBe(1);
    expect(await animals.find().named('Rex')).toHaveLength(1);
    expect(found.db.name).toBe(main);
  });

  it('holds for instanceof: its own documents and those of other databases, not foreign ones', () => {
    const animals = wrap();
    expect(new animals({ name: 'a' })).toBeInstanceOf(animals);
    expect(new (animals.db(other))({ name: 'a' })).toBeInstanceOf(animals);
    expect(new (animals.db(other))({ name: 'a' }) instanceof animals.db(main)).toBe(false);
    expect({} instanceof animals).toBe(false);
  });

  it('gives the same plain model of a database on each call, and reads and writes there', async () => {
    const animals = wrap();
    const elsewhere = animals.db(other);
    expect(animals.db(other)).toBe(elsewhere);
    await elsewhere.create({ name: 'Ziggy' });
    expect(await elsewhere.countDocuments({ name: 'Ziggy' })).toBe(1);
    expect(await animals.countDocuments({ name: 'Ziggy' })).toBe(0);
    const ziggy = await elsewhere.byName('Ziggy').orFail();
    expect(ziggy.db.name).toBe(other);
    expect(ziggy.greet()).toBe('I am Ziggy');
  });

  it('keeps `db` the connection that mongoose and users read', async () => {
    const animals = wrap();
    expect(animals.db.name).toBe(main);
    await animals.db.asPromise();
    expect(animals.db.readyState).toBe(1);
    expect(animals.db(other).db.name).toBe(other);
    expect(animals.db(other).db.useDb(main).models['Animal']).toBe(animals.db(main));
  });

  it('writes discriminators, and what is read of them, to the database they came from', async () => {
    const elsewhere = wrap().db(other);
    const Dog = elsewhere.discriminators!['Dog']!;
    await Dog.create({ name: 'Snoopy', tricks: ['sit'] });
    await elsewhere.create({ __t: 'Dog', name: 'Pluto', tricks: ['roll'] } as never);
    const snoopy = await elsewhere.findOne({ name: 'Snoopy' }).orFail();
    expect(snoopy).toBeInstanceOf(Dog);
    snoopy.set('tricks', ['sit', 'fly']);
    await snoopy.save();
    expect(await elsewhere.countDocuments({ __t: 'Dog' })).toBe(2);
    expect(await wrap().countDocuments({ __t: 'Dog' })).toBe(0);
    expect((await Dog.findOne({ name: 'Snoopy' }).orFail()).get('tricks')).toEqual(['sit', 'fly']);
  });

  it('populates within the same database, though nobody touched the other model there', async () => {
    const database = wrap().db(uniqueName('models_populate'));
    const a = await database.create({ name: 'a' });
    await database.create({ name: 'b', friend: a._id });
    const b = await database.findOne({ name: 'b' }).populate<{ friend: { name: string } }>('friend').orFail();
    expect(b.friend.name).toBe('a');
    await database.db.dropDatabase();
  });

  it('makes a unique index before the first write to a database, so that duplicates never get in', async () => {
    const schema = new instance.Schema({ email: { type: String, unique: true } });
    const users = polymongo.wrapModel(instance.model('UniqueUser', schema)).db(uniqueName('models_unique'));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => users.create({ email: 'same@example.com' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await users.countDocuments()).toBe(1);
    await users.db.dropDatabase();
  });

  it('streams with cursors and async iteration', async () => {
    const database = wrap().db(uniqueName('models_cursor'));
    await database.insertMany(Array.from({ length: 250 }, (_, i) => ({ name: `n${i}` })));
    const names: string[] = [];
    for await (const animal of database.find().sort({ _id: 1 }).cursor({ batchSize: 20 })) names.push(animal.name);
    expect(names).toHaveLength(250);
    await database.db.dropDatabase();
  });

  it('is found again by spies', async () => {
    const animals = wrap();
    const { jest } = await import('@jest/globals');
    const spy = jest.spyOn(animals, 'countDocuments').mockReturnValue(7 as never);
    expect(animals.countDocuments()).toBe(7);
    expect(animals.countDocuments).toHaveBeenCalledTimes(1);
    spy.mockRestore();
    expect(await animals.countDocuments({ name: 'nobody' })).toBe(0);
  });
});

describe('.db(name)', () => {
  it('allocates no model however often it is called', () => {
    const animals = wrap();
    const first = animals.db('many_calls');
    const modelsBefore = animals.db('many_calls').db.modelNames().length;
    for (let i = 0; i < 10_000; i++) if (animals.db('many_calls') !== first) throw new Error('another model');
    expect(animals.db('many_calls').db.modelNames()).toHaveLength(modelsBefore);
  });

  it('leaves the heap as it was after a million calls', async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const animals = wrap();
    const call = (times: number) => {
      for (let i = 0; i < times; i++) animals.db(i % 2 ? 'heap_a' : 'heap_b');
    };
    call(10_000);
    gc();
    const before = process.memoryUsage().heapUsed;
    call(1_000_000);
    gc();
    const grownBytes = process.memoryUsage().heapUsed - before;
    expect(grownBytes).toBeLessThan(1_000_000); // one byte a call would be a leak
  });

  it.each(['', 'a b', 'a/b', 'a.b', 'a$b', 'a\0b', 'x'.repeat(64)])('refuses the name %j', (name) => {
    expect(() => wrap().db(name)).toThrow(/Invalid database name/);
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('takes %s as an ordinary name', (name) => {
    expect(wrap().db(name).db.name).toBe(name);
  });
});
