import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { useModels } from '../../support/models-fixture.js';

const fixture = useModels('appearance');
type Users = mongoose.Model<{ name: string }>;
type Wrapped = Users & { db: (name: string) => Users };

const users = (schema = new fixture.mongoose.Schema({ name: { type: String, required: true } })) =>
  fixture.polymongo.wrapModel(
    fixture.mongoose.models['User'] ?? fixture.mongoose.model('User', schema as mongoose.Schema),
  ) as never as Wrapped;

describe('a wrapped model looks like mongoose’s:', () => {
  it('its queries are called Query, are those of mongoose, and have its constructor', () => {
    for (const model of [users(), users().db(fixture.other)]) {
      expect(model.find().constructor.name).toBe('Query');
      expect(model.find().constructor).toBe(mongoose.Query);
      expect(model.find()).toBeInstanceOf(mongoose.Query);
    }
  });

  it('in a query hook, `this` is told apart by its constructor', async () => {
    const seen: string[] = [];
    const schema = new fixture.mongoose.Schema({ name: String });
    schema.pre(/^find/, function () {
      seen.push(this.constructor.name);
    });
    await users(schema as never).findOne();
    expect(seen).toEqual(['Query']);
  });

  it('its documents are of a model', async () => {
    const model = users();
    expect(new model().constructor.name).toBe('model');
    expect(new (model.db(fixture.other))().constructor).toBe(model.db(fixture.other));
    expect(new model().constructor).toBe(model.db(fixture.main));
  });

  it('it is a function of a model’s name and length', () => {
    const plain = fixture.mongoose.model('Plain', new fixture.mongoose.Schema({})) as never as { length: number };
    expect([users().name, (users() as never as typeof plain).length]).toEqual(['model', plain.length]);
  });

  it('a class keeps its name', () => {
    class User extends fixture.mongoose.Model {}
    const model = fixture.polymongo.wrapModel(fixture.mongoose.model(User as never, new fixture.mongoose.Schema({})));
    expect((model as unknown as Users).name).toBe('User');
    expect(new (model as unknown as Users)().constructor.name).toBe('User');
  });

  it('messages name it: validation, and {MODEL}', async () => {
    await expect(users().create({})).rejects.toThrow(/^User validation failed: name: Path `name` is required/);
    await expect(users().db(fixture.other).create({})).rejects.toThrow(/^User validation failed/);
    await expect(users().findById('0'.repeat(24)).orFail()).rejects.toThrow(/on model "User"/);
  });

  it('it constructs without `new`', () => {
    const model = users() as never as (doc: object) => mongoose.Document & { name: string };
    const other = users().db(fixture.other) as never as typeof model;
    expect([model({ name: 'Ada' }).name, other({ name: 'Ada' }).name]).toEqual(['Ada', 'Ada']);
    expect(other({})).toBeInstanceOf(other as never);
    expect(other({}).db.name).toBe(fixture.other);
  });

  it('a class can extend it', () => {
    class Admin extends (users().db(fixture.other) as never as new (doc: object) => { name: string }) {
      shout() {
        return this.name.toUpperCase();
      }
    }
    expect(new Admin({ name: 'Ada' }).shout()).toBe('ADA');
  });

  it('it is refused by mongoose’s own words where mongoose refuses', async () => {
    const model = users() as never as Record<'create' | 'discriminator', new () => unknown>;
    expect(() => new model.discriminator()).toThrow(/Model\.discriminator.*new Model/);
    await expect(async () => new model.create()).rejects.toThrow(/Model\.create.*new Model/);
    const query = new (users() as never as { Query: new () => mongoose.Query<unknown, unknown> }).Query();
    await expect(query.exec()).rejects.toThrow(/Query must have `op` before executing/);
  });
});

/** Every value that Jest's automock reads of a module's export: own names along the chain, getters left out. */
function automocked(value: unknown, seen = new Set<unknown>()): Set<unknown> {
  const isWalked =
    typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value));
  if (!isWalked || seen.has(value)) return seen;
  seen.add(value);
  const names = new Set<string>();
  for (let at = value as object | null; at && !NATIVE.has(at); at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (!READ_ONLY.has(name) && !Object.getOwnPropertyDescriptor(at, name)?.get) names.add(name);
    }
  }
  for (const name of names) automocked((value as Record<string, unknown>)[name], seen);
  return seen;
}
const NATIVE = new Set<object>([Object.prototype, Function.prototype, RegExp.prototype]);
const READ_ONLY = new Set(['arguments', 'caller', 'callee', 'name', 'length']);

describe('a model can be looked at', () => {
  const LOOKS: Record<string, (value: unknown) => unknown> = {
    'util.inspect': (value) => inspect(value, { depth: 4 }),
    'String()': (value) => String(value),
    'JSON.stringify': (value) => JSON.stringify(value),
    'Object.keys': (value) => Object.keys(value as object),
    'a descriptor of each key': (value) =>
      Reflect.ownKeys(value as object).map((key) => Reflect.getOwnPropertyDescriptor(value as object, key)),
    in: (value) => 'find' in (value as object) && 'nothing' in (value as object),
    'Jest’s automock': (value) => automocked(value),
  };
  const MODELS: Record<string, () => unknown> = {
    'a wrapped model': () => users(),
    'a model of a database': () => users().db(fixture.other),
    'the wrapped model’s db': () => users().db,
    'a tenant’s model outside of any tenant': () => fixture.polymongo.tenantModel(users() as never),
    'a document': () => new (users())({ name: 'Ada' }),
    'a query': () => users().find(),
    'an aggregate': () => users().aggregate([]),
    'a connection': () => users().db(fixture.other).db,
  };
  /** Plain mongoose's are circular too. */
  const CIRCULAR = ['a query', 'a connection'];
  const pairs = Object.keys(LOOKS)
    .flatMap((look) => Object.keys(MODELS).map((model) => [look, model] as const))
    .filter(([look, model]) => look !== 'JSON.stringify' || !CIRCULAR.includes(model));

  it.each(pairs)('by %s: %s', (look, model) => {
    expect(() => LOOKS[look]!(MODELS[model]!())).not.toThrow();
  });

  it('inside a tenant', () => {
    const model = fixture.polymongo.tenantModel(users() as never);
    fixture.polymongo.tenantContext.run('acme', () => {
      for (const look of Object.values(LOOKS)) expect(() => look(model)).not.toThrow();
    });
  });

  it('by Jest’s automock, which finds its statics and methods, and no way into PolyMongo', () => {
    const schema = new fixture.mongoose.Schema({ name: String }, { statics: { mine() {} }, methods: { hi() {} } });
    const wrapped = users(schema as never) as never as Record<string, unknown> & Wrapped;
    const { pools, models } = fixture.polymongo;
    for (const model of [wrapped, wrapped.db(fixture.other), fixture.polymongo.tenantModel(wrapped as never)]) {
      const found = automocked(model);
      expect(found.has((model as typeof wrapped)['mine'])).toBe(true);
      expect(found.has((model.prototype as Record<string, unknown>)['hi'])).toBe(true);
      expect([pools, pools.primary, pools.database(fixture.other), models].filter((part) => found.has(part))).toEqual(
        [],
      );
    }
  });

  it('and is a function to Object.prototype.toString()', () => {
    const model = fixture.polymongo.tenantModel(users() as never);
    for (const each of [users(), users().db, users().db(fixture.other), model])
      expect(Object.prototype.toString.call(each)).toBe('[object Function]');
  });

  it('and prints as mongoose’s does', () => {
    expect(inspect(users())).toBe('Model { User }');
    expect(inspect(users().db(fixture.other))).toBe('Model { User }');
    expect(inspect(fixture.polymongo.tenantModel(users() as never))).toBe('Model { User }');
  });
});
