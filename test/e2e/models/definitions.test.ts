import { describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import {
  ConnectionPluginError,
  ModelAlreadyRegisteredError,
  ModelBindingError,
  ModelDeletionError,
  PolyMongoOptionsError,
  PolyMongoWrapper,
} from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { useModels } from '../../support/models-fixture.js';

const fixture = useModels('definitions');
const schemaOf = (definition: object = { n: Number }): mongoose.Schema => new mongoose.Schema(definition as never);
const connection = (polymongo = fixture.polymongo) =>
  polymongo.pools.connectionOf(fixture.other) as unknown as mongoose.Connection;

describe('a definition', () => {
  it('that is the same gives the same model', () => {
    const schema = schemaOf();
    const { models } = fixture.polymongo;
    expect(models.define({ name: 'Thing', schema })).toBe(models.define({ name: 'Thing', schema }));
    expect(models.define({ name: 'A', schema, collection: 'a' })).toBe(
      models.define({ name: 'A', schema, collection: 'a' }),
    );
  });

  it.each([
    [{ collection: 'a' }, { collection: 'b' }],
    [{ collection: 'a' }, {}],
    [{}, { collection: 'b' }],
  ])('of one schema with collections %j and %j is refused', (first, second) => {
    const schema = schemaOf();
    fixture.polymongo.models.define({ name: 'Thing', schema, ...first });
    expect(() => fixture.polymongo.models.define({ name: 'Thing', schema, ...second })).toThrow(
      ModelAlreadyRegisteredError,
    );
  });

  it('adds the discriminators that the first one had not, and refuses another schema for one', () => {
    const [schema, click, view] = [schemaOf(), schemaOf({ x: Number }), schemaOf({ y: Number })];
    const { models } = fixture.polymongo;
    models.define({ name: 'Event', schema, discriminators: [{ name: 'Click', schema: click }] });
    const event = models.define({ name: 'Event', schema, discriminators: [{ name: 'View', schema: view }] });
    expect(Object.keys(event.discriminators ?? {})).toEqual(['Click', 'View']);
    const again = () =>
      models.define({ name: 'Event', schema, discriminators: [{ name: 'Click', schema: schemaOf() }] });
    expect(again).toThrow(ModelAlreadyRegisteredError);
  });

  it('of a discriminator is replaced where mongoose replaces it', async () => {
    const base = fixture.polymongo.wrapModel(
      fixture.mongoose.model('Event', schemaOf({})),
    ) as never as mongoose.Model<unknown>;
    base.discriminator('Click', schemaOf({ x: Number }));
    await connection().model('Click').create({ x: 1 });
    base.discriminator('Click', schemaOf({ y: Number }), { overwriteModels: true } as never);
    const [made] = await connection()
      .model('Click')
      .create([{ x: 1, y: 2 }]);
    expect(made!.toObject()).toMatchObject({ y: 2 });
    expect(made!.toObject()).not.toHaveProperty('x');
  });
});

describe('hooks of createCollection', () => {
  it('are called once for a database’s collection, with its model, and not when the schema is compiled', async () => {
    const seen: unknown[] = [];
    const schema = new mongoose.Schema({ n: Number }, { autoCreate: true });
    schema.pre(
      'createCollection' as never,
      function (this: mongoose.Model<unknown>) {
        seen.push(this);
      } as never,
    );
    fixture.polymongo.models.define({ name: 'Thing', schema: schema as never });
    const model = connection().model('Thing');
    await model.create({ n: 1 } as never);
    expect(seen).toEqual([model]);
  });
});

describe('plugins', () => {
  const stamp = (schema: mongoose.Schema, options?: { by?: string }) => {
    schema.add({ by: { type: String, default: options?.by ?? 'nobody' } });
  };
  const withPlugins = () => fixture.create({ plugins: [[stamp as never, { by: 'polymongo' }]] });

  it('are applied to each schema before it is compiled', async () => {
    const polymongo = withPlugins();
    const model = polymongo.wrapModel(polymongo.models.define({ name: 'Thing', schema: schemaOf() })) as never as {
      db(name: string): mongoose.Model<{ by: string }>;
    };
    await model.db(fixture.other).create({});
    expect(await model.db(fixture.other).distinct('by')).toEqual(['polymongo']);
  });

  it('of a model that was compiled before are an error that names the option', () => {
    expect(() => withPlugins().wrapModel(fixture.mongoose.model('Thing', schemaOf()))).toThrow(PolyMongoOptionsError);
  });

  it('that are no plugins are refused', () => {
    expect(() => new PolyMongoWrapper({ mongoURI: 'mongodb://h', plugins: [stamp] as never })).toThrow(
      /plugins must be an array of \[plugin, options\?\]/,
    );
  });

  it('are refused by a connection, which has them no more', () => {
    expect(() => connection().plugin(stamp as never)).toThrow(ConnectionPluginError);
  });
});

describe('a connection', () => {
  it('makes models of its own', async () => {
    const Note = connection().model('Note', schemaOf({ text: String }));
    await Note.create({ text: 'hello' });
    expect(await connection().collection('notes').countDocuments()).toBe(1);
    connection().deleteModel('Note');
    expect(() => connection().model('Note')).toThrow(mongoose.Error.MissingSchemaError);
  });

  it('makes another model of a registered one for another collection, and keeps it not', async () => {
    fixture.polymongo.models.define({ name: 'Thing', schema: schemaOf() });
    const Old = connection().model('Thing', undefined, 'old_things');
    await Old.create({ n: 1 });
    expect(await connection().collection('old_things').countDocuments()).toBe(1);
    expect(connection().model('Thing').collection.name).toBe('things');
  });

  it('keeps the registered ones', () => {
    fixture.polymongo.models.define({ name: 'Thing', schema: schemaOf() });
    expect(() => connection().deleteModel('Thing')).toThrow(ModelDeletionError);
    expect(() => connection().deleteModel(/./)).toThrow(ModelDeletionError);
    const model = connection().model('Thing');
    expect(() => model.useConnection(mongoose.connection)).toThrow(ModelBindingError);
    expect(() => model.useConnection(null as never)).toThrow(/requires a Mongoose connection|provide a connection/);
    expect(mongoose.connection.models).not.toHaveProperty('Thing');
  });

  it('emits what mongoose’s does, from opening to closing', async () => {
    const polymongo = fixture.create({ dbSpecific: [{ dbName: fixture.other, options: {} }] });
    const events: string[] = [];
    for (const event of ['connecting', 'connected', 'open', 'disconnecting', 'disconnected', 'close'])
      connection(polymongo).once(event, () => events.push(event));
    await connection(polymongo).asPromise();
    expect(events).toEqual(['connecting', 'connected', 'open']);
    await polymongo.pools.disconnect(fixture.other, 'test');
    expect(events.slice(3)).toEqual(['disconnecting', 'disconnected', 'close']);
  });

  it('tells of its pool’s opening and closing where nothing works on it, and of nothing where the pool is cold', async () => {
    const polymongo = fixture.create();
    const events: string[] = [];
    const heard = (event: string) => () => events.push(event);
    const connect = jest.fn();
    polymongo.onTheseDBConnect([fixture.other], connect);
    for (const event of ['connecting', 'connected', 'open', 'disconnecting', 'disconnected', 'close'])
      connection(polymongo).on(event, heard(event));
    const cold = fixture.create();
    for (const event of ['disconnected', 'close']) connection(cold).on(event, heard(`${event} of a cold one`));

    await polymongo.pools.connectionOf(fixture.main).asPromise();
    expect(events).toEqual(['connecting', 'connected', 'open']);
    polymongo.pools.connectionOf(uniqueName('later')).on('close', heard('close of one that came later'));
    await polymongo.actions.closeAll();
    await cold.actions.closeAll();
    expect(events.slice(3).sort()).toEqual(['close', 'close of one that came later', 'disconnected', 'disconnecting']);
    expect(connect).not.toHaveBeenCalled();
  });
});
