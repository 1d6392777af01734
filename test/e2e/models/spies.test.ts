import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import { uniqueName } from '../../support/database-names.js';
import { useModels } from '../../support/models-fixture.js';

const fixture = useModels('spies');
const [acme, globex] = [uniqueName('spies_acme'), uniqueName('spies_globex')];

interface User {
  name: string;
}
type Users = mongoose.Model<User> & { named(name: string): unknown; later(): Promise<unknown> };
type Replaced = Record<string, (...args: unknown[]) => unknown>;

let users: Users & { db: (name: string) => Users; tenant(): Users };
let tenants: Users;
const inTenant = <T>(fn: () => T, tenantId = acme): T => fixture.polymongo.tenantContext.run(tenantId, fn);

beforeEach(async () => {
  const statics = {
    named(this: Users, name: string) {
      return this.find({ name });
    },
    async later(this: Users) {
      await released;
      return this.find();
    },
  };
  const schema = new fixture.mongoose.Schema({ name: String }, { statics });
  users = fixture.polymongo.wrapModel(fixture.mongoose.model('User', schema) as never) as never;
  tenants = fixture.polymongo.tenantModel(users as never);
  for (const tenantId of [acme, globex]) await inTenant(() => users.tenant().deleteMany(), tenantId);
});

let release: () => void;
let released: Promise<void>;
beforeEach(() => {
  released = new Promise((resolve) => (release = resolve));
});

const MODELS: Record<string, () => Users> = {
  'a wrapped model': () => users,
  'a database’s model': () => users.db(fixture.other),
  'the model of a tenant’s database': () => users.tenant(),
  'a tenant’s model': () => tenants,
};

/** A stub as sinon's and Vitest's: it takes the place of the property that is found along the chain, and puts back what was there. */
function stub(object: object, key: string, value: (...args: unknown[]) => unknown) {
  const own = Object.getOwnPropertyDescriptor(object, key);
  let found: PropertyDescriptor | undefined;
  for (let at = object as object | null; at && !found; at = Object.getPrototypeOf(at) as object | null)
    found = Object.getOwnPropertyDescriptor(at, key);
  if (typeof found?.value !== 'function') throw new TypeError(`${key} is no method`);
  Object.defineProperty(object, key, { ...found, value, configurable: true });
  const mockRestore = () => {
    if (own) Object.defineProperty(object, key, own);
    else Reflect.deleteProperty(object, key);
  };
  return { original: found.value as Replaced[string], mockRestore };
}

type Spy = (model: object, key: string, fake: (...args: unknown[]) => unknown) => { mockRestore(): void };
const SPIES: Record<string, Spy> = {
  'Jest’s spy': (model, key, fake) => jest.spyOn(model as Replaced, key).mockImplementation(fake),
  'sinon’s stub': stub,
  'an assignment': (model, key, fake) => {
    const native = (model as Replaced)[key]!;
    (model as Replaced)[key] = fake;
    return { mockRestore: () => ((model as Replaced)[key] = native) };
  },
};

const pairs = Object.keys(SPIES).flatMap((spy) => Object.keys(MODELS).map((model) => [spy, model] as const));

describe.each(pairs)('%s on %s', (how, which) => {
  const spyOn = SPIES[how]!;

  it.each(['unused', 'used'])('that was %s is seen by all that calls through it, and restores', async (before) => {
    await inTenant(async () => {
      const model = MODELS[which]!();
      if (before === 'used') await model.find();
      const spies = ['find', 'findOne', 'bulkWrite'].map((key) => spyOn(model, key, () => Promise.resolve('spied')));
      await expect(model.find()).resolves.toBe('spied');
      await expect(model.named('Ada')).resolves.toBe('spied');
      await expect(model.findById('0'.repeat(24))).resolves.toBe('spied');
      await model.bulkSave([]);
      for (const spy of spies) spy.mockRestore();
      expect(await Promise.all([model.find(), model.named('Ada')])).toEqual([[], []]);
      await model.bulkSave([new model({ name: 'Ada' })]);
      expect(await model.named('Ada')).toHaveLength(1);
    });
  });

  it('is seen on no other model', async () => {
    await inTenant(async () => {
      const spy = spyOn(MODELS[which]!(), 'find', () => 'spied');
      const isReached = (model: string) =>
        model === which || (which === 'the model of a tenant’s database' && model === 'a tenant’s model');
      for (const [name, model] of Object.entries(MODELS))
        expect([name, (model().find() as unknown) === 'spied']).toEqual([name, isReached(name)]);
      spy.mockRestore();
    });
  });

  it('replaces a static of the user’s own, and a method of the documents', () => {
    inTenant(() => {
      const model = MODELS[which]!();
      const spies = [spyOn(model, 'named', () => 'spied'), spyOn(model.prototype as object, 'save', () => 'spied')];
      expect([model.named('Ada'), new model().save()]).toEqual(['spied', 'spied']);
      for (const spy of spies) spy.mockRestore();
      expect(model.named('Ada')).toBeInstanceOf(mongoose.Query);
      expect(new model().save()).toBeInstanceOf(Promise);
    });
  });
});

describe.each(['Jest’s spy', 'sinon’s stub'])('%s that calls through', (how) => {
  const through = (model: object, calls: unknown[][]) => {
    if (how.startsWith('Jest')) {
      const spy = jest.spyOn(model as Replaced, 'find');
      spy.mock.calls.push = (...given) => Array.prototype.push.apply(calls, given);
      return spy;
    }
    const made = stub(model, 'find', function (this: unknown, ...args) {
      calls.push(args);
      return made.original.apply(this, args);
    });
    return made;
  };

  it.each(Object.keys(MODELS))('reaches the database of the call, on %s', async (which) => {
    const calls: unknown[][] = [];
    await inTenant(async () => {
      const model = MODELS[which]!();
      await model.create({ name: 'Ada' });
      const spy = through(model, calls);
      expect(await model.find()).toHaveLength(1);
      expect(await model.named('Ada')).toHaveLength(1);
      spy.mockRestore();
      expect(calls).toEqual([[], [{ name: 'Ada' }]]);
      expect(Object.hasOwn(model, 'find')).toBe(false);
    });
  });

  it('stays on the database of the tenant that a static was called for', async () => {
    await inTenant(() => tenants.create({ name: 'Ada' }));
    const spy = through(tenants, []);
    const model = await inTenant(async () => (tenants.find() as unknown as { model: Users }).model);
    expect(await inTenant(() => model.find(), globex)).toHaveLength(1);
    spy.mockRestore();
    expect(await inTenant(() => model.find(), globex)).toHaveLength(1);
  });
});

describe('a spy on a tenant’s model', () => {
  it.each(['outside of any tenant', 'inside a tenant'])('holds for all tenants, and restores, %s', async (where) => {
    const run = <T>(fn: () => T): T => (where.startsWith('inside') ? inTenant(fn) : fn());
    const spies = run(() => [
      jest.spyOn(tenants, 'find').mockReturnValue('spied' as never),
      jest.spyOn(tenants.prototype as mongoose.Document, 'save').mockReturnValue('spied' as never),
    ]);
    for (const tenantId of [acme, globex]) {
      expect(inTenant(() => [tenants.find(), tenants.named('Ada')] as unknown[], tenantId)).toEqual(['spied', 'spied']);
      expect(inTenant(() => new tenants().save() as unknown, tenantId)).toBe('spied');
    }
    run(() => spies.forEach((spy) => spy.mockRestore()));
    for (const tenantId of [acme, globex]) expect(await inTenant(() => tenants.named('Ada'), tenantId)).toEqual([]);
  });

  it('is not seen any more by a static that is under way when it is restored', async () => {
    const spy = jest.spyOn(tenants, 'find').mockReturnValue('spied' as never);
    const result = inTenant(() => tenants.later());
    spy.mockRestore();
    release();
    expect(await result).toEqual([]);
  });

  it('leaves what a static keeps on its model', () => {
    const spy = jest.spyOn(tenants, 'find').mockReturnThis();
    inTenant(() => {
      const model = tenants.named('Ada') as Users & { kept?: number };
      model.kept = 1;
      expect(new model({ name: 'Ada' }).constructor).toBe(users.tenant());
      expect(new model({ name: 'Ada' })).toBeInstanceOf(model);
    });
    spy.mockRestore();
    expect(inTenant(() => (users.tenant() as Users & { kept?: number }).kept)).toBe(1);
  });

  it('may be put on any property, as by sinon’s value() and Jest’s replaceProperty()', () => {
    const fake = { name: 'fake' } as never;
    const replacements = [
      jest.replaceProperty(tenants, 'modelName', 'Fake'),
      jest.replaceProperty(tenants, 'base', fake),
    ];
    expect([tenants.modelName, tenants.base]).toEqual(['Fake', fake]);
    for (const replacement of replacements) replacement.restore();
    expect([tenants.modelName, tenants.base]).toEqual(['User', users.base]);
    for (const key of ['db', 'collection', '$init']) {
      Object.defineProperty(tenants, key, { value: fake, configurable: true, enumerable: true });
      expect(Reflect.get(tenants, key)).toBe(fake);
      Reflect.deleteProperty(tenants, key);
      expect(inTenant(() => Reflect.get(tenants, key) as unknown)).toBe(
        inTenant(() => Reflect.get(users.tenant(), key)),
      );
    }
  });
});

describe('a spy on a wrapped model’s db', () => {
  it('is called, and restores', () => {
    const { db } = users;
    const spy = jest.spyOn(users, 'db').mockReturnValue('spied' as never);
    expect(users.db('x')).toBe('spied');
    spy.mockRestore();
    expect(users.db).toBe(db);
  });
});
