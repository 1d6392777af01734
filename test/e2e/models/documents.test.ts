import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { PoolConnectError } from 'nestjs-polymongo';
import { useModels } from '../../support/models-fixture.js';
import { waitFor } from '../../support/wait-for.js';

const fixture = useModels('documents');
type Things = mongoose.Model<Record<string, unknown> & { $save(): Promise<unknown> }>;
const things = (definition: object, options: object = {}) =>
  (
    fixture.polymongo.wrapModel(
      fixture.mongoose.model('Thing', new fixture.mongoose.Schema(definition as never, options) as mongoose.Schema),
    ) as never as { db(name: string): Things }
  ).db(fixture.other);

const RESERVED = ['collection', 'db', 'model', 'save', '$save', 'discriminators', 'deleteOne'];

describe('a field with the name of something of mongoose’s', () => {
  it.each(['collection', 'db', 'discriminators'])('%s, that no schema knows, is written and read', async (name) => {
    const model = things({}, { strict: false });
    await model.create({ [name]: 'mine' });
    const found = await model.findOne().orFail();
    expect(found.get(name)).toBe('mine');
    expect((await model.find().lean())[0]).toMatchObject({ [name]: 'mine' });
    found.set('more', 1);
    await found.$save();
    expect(await model.countDocuments({ [name]: 'mine', more: 1 })).toBe(1);
  });

  it.each(RESERVED.filter((name) => name !== '$save'))(
    '%s, that the schema names, is written, read and changed',
    async (name) => {
      const model = things({ [name]: String }, { suppressReservedKeysWarning: true });
      const document = new model({ [name]: 'mine' });
      await document.$save();
      const found = await model.findOne().orFail();
      expect((found as never as Record<string, unknown>)[name]).toBe('mine');
      found.set(name, 'changed');
      await found.$save();
      expect(await model.countDocuments({ [name]: 'changed' })).toBe(1);
    },
  );

  it('a method called save stays the user’s own', async () => {
    const schema = new fixture.mongoose.Schema({ n: Number }, { suppressReservedKeysWarning: true } as never);
    schema.method('save', () => 'mine', { suppressWarning: true } as never);
    const model = fixture.polymongo.wrapModel(fixture.mongoose.model('Thing', schema)) as never as Things;
    const document = new model({ n: 1 });
    expect(document.save()).toBe('mine');
    await document.$save();
    expect(await model.countDocuments()).toBe(1);
  });
});

describe('save()', () => {
  it('does at once what mongoose’s does at once, on a database that nobody has used', async () => {
    const document = new (things({ n: Number }))({ n: 1 });
    const saving = document.save();
    expect((document.$__ as never as { saveOptions?: object }).saveOptions).toBeDefined();
    await expect(document.save()).rejects.toThrow(mongoose.Error.ParallelSaveError);
    await saving;
    expect((document.$__ as never as { saveOptions?: object }).saveOptions).toBeFalsy();
  });

  it('finds a validation that is under way, on a database that nobody has used', async () => {
    const document = new (things({ n: Number }))({ n: 1 });
    const validation = document.validate();
    await expect(document.save()).rejects.toThrow(mongoose.Error.ParallelValidateError);
    await validation;
  });

  it('has a version error at hand that says where it was called', async () => {
    const model = things({ list: [String] });
    await model.create({ list: ['a', 'b'] });
    const [one, two] = [await model.findOne().orFail(), await model.findOne().orFail()];
    one.set('list', []);
    await one.save();
    two.set('list.0', 'c');
    await expect(two.save()).rejects.toThrow(mongoose.Error.VersionError);
  });

  it('is $save()', () => {
    const document = new (things({}))();
    expect(document.$save).toBe(document.save);
  });

  it('fails again and succeeds later: a failed one leaves no trace', async () => {
    const model = things({ n: { type: Number, required: true } });
    const document = new model({});
    await expect(document.save()).rejects.toThrow(/validation failed/);
    document.set('n', 1);
    await document.save();
    expect(await model.countDocuments()).toBe(1);
  });

  it('gives its middleware the session of the transaction around', async () => {
    const sessions: unknown[] = [];
    const schema = new fixture.mongoose.Schema({ n: Number });
    schema.pre('save', function () {
      sessions.push(this.$session()?.inTransaction());
    });
    const model = fixture.polymongo.wrapModel(fixture.mongoose.model('Thing', schema)) as never as Things;
    await model.create({ n: 0 });
    await fixture.polymongo.transaction(async () => {
      await new model({ n: 1 }).save();
      await new model({ n: 2 }).save({ session: null });
    });
    expect(sessions).toEqual([undefined, true, undefined]);
  });
});

describe('create()', () => {
  it('takes its data as it is when it is called, on a database that nobody has used', async () => {
    const data = { n: 1 };
    const creation = things({ n: Number }).create(data);
    data.n = 2;
    expect(await creation).toMatchObject({ n: 1 });
  });

  it('fails with the reason that the database cannot be reached, after one attempt', async () => {
    const polymongo = fixture.create({
      mongoURI: 'mongodb://127.0.0.1:1/',
      driverOptions: { serverSelectionTimeoutMS: 50 },
    });
    let attempts = 0;
    polymongo.pools.events.on('poolState', ({ to }) => (attempts += to === 'connecting' ? 1 : 0));
    const schema = new mongoose.Schema({ n: Number });
    schema.pre('save', async () => void (await waitFor(() => polymongo.pools.primary.state === 'closed'))); // the attempt is over
    polymongo.models.define({ name: 'Thing', schema });
    const creation = polymongo.pools.connectionOf('x').model('Thing').create({ n: 1 });
    await expect(creation).rejects.toThrow(PoolConnectError);
    expect(attempts).toBe(1);
  });
});

describe('a patch of mongoose’s prototype', () => {
  type Calls = Record<'save' | '$save' | 'deleteOne', (...args: unknown[]) => unknown>;

  it.each(['save', '$save', 'deleteOne'] as const)('of %s is called where plain mongoose calls it', async (patched) => {
    const { mongoURI } = fixture.polymongo.pools.primary.config;
    const connection = await mongoose.createConnection(mongoURI, { dbName: fixture.main }).asPromise();
    const plain = connection.model('Thing', new mongoose.Schema({ n: Number })) as never as Things;
    const prototype = mongoose.Model.prototype as unknown as Calls;
    const native = prototype[patched];
    let calls = 0;
    prototype[patched] = function (...args) {
      calls++;
      return native.apply(this, args);
    };
    const ways: Record<string, (model: Things) => unknown> = {
      save: (model) => new model({ n: 1 }).save(),
      $save: (model) => new model({ n: 1 }).$save(),
      create: (model) => model.create({ n: 1 }),
      insertOne: (model) => model.insertOne({ n: 1 }),
      deleteOne: (model) => new model({ n: 1 }).deleteOne(),
    };
    const callsOf = async (model: Things) => {
      const counted: Record<string, number> = {};
      for (const [way, call] of Object.entries(ways)) {
        calls = 0;
        await call(model);
        counted[way] = calls;
      }
      return counted;
    };
    try {
      expect(await callsOf(things({ n: Number }))).toEqual(await callsOf(plain));
    } finally {
      prototype[patched] = native;
      await connection.close();
    }
  });

  it('of a compiled model, as plugins make it, is called for the documents of every database', async () => {
    const schema = new fixture.mongoose.Schema({ n: Number });
    const compiled = fixture.mongoose.model('Thing', schema);
    const model = fixture.polymongo.wrapModel(compiled) as never as Things & { db(name: string): Things };
    compiled.prototype.save = (() => 'patched') as never;
    expect([new model().save(), new (model.db(fixture.other))().save()]).toEqual(['patched', 'patched']);
  });
});

describe('an error of the server', () => {
  it('says where the call was made, for each call of which plain mongoose says it', async () => {
    const definition = { n: { type: Number, unique: true } };
    const { mongoURI } = fixture.polymongo.pools.primary.config;
    const connection = await mongoose.createConnection(mongoURI, { dbName: fixture.main }).asPromise();
    const plain = connection.model('Thing', new mongoose.Schema(definition)) as never as Things;
    const failing: ((model: Things) => Promise<unknown>)[] = [
      (model) => model.insertMany([{ n: 1 }, { n: 1 }]),
      (model) => model.create({ n: 1 }),
      (model) => model.updateOne({ n: 1 }, { $set: { n: 1, 'n.m': 2 } }),
      (model) => model.findOne({ $nothing: 1 }).exec(),
      (model) => model.aggregate([{ $nothing: {} } as never]).exec(),
    ];
    const callersOf = async (model: Things) => {
      await model.init();
      const named: boolean[] = [];
      for (const fail of failing) {
        const theCaller = async () => {
          await fail(model);
        };
        const error = (await theCaller().catch((reason: unknown) => reason)) as Error;
        expect(error).toBeInstanceOf(Error);
        named.push(error.stack!.includes('theCaller'));
      }
      return named;
    };
    const inPlain = await callersOf(plain).finally(() => connection.close());
    expect(inPlain).toContain(true);
    expect(await callersOf(things(definition))).toEqual(inPlain);
  });
});

describe('validate()', () => {
  it('twice at once is a ParallelValidateError', async () => {
    const document = new (things({ n: Number }))({ n: 1 });
    const first = document.validate();
    await expect(document.validate()).rejects.toThrow(mongoose.Error.ParallelValidateError);
    await first;
  });
});
