import { beforeEach, describe, expect, it } from '@jest/globals';
import { Schema, type Model } from 'mongoose';
import { ModelExtensionError } from 'nestjs-polymongo';
import { useModels } from '../../support/models-fixture.js';

const fixture = useModels('extended');

interface Thing {
  n: number;
}
type Things = Model<Thing>;

let wrapped: Things & { db: (name: string) => Things };
beforeEach(() => {
  wrapped = fixture.polymongo.wrapModel(
    fixture.mongoose.model<Thing>('Thing', new Schema({ n: Number }) as never),
  ) as never;
});

describe.each<[string, () => Things]>([
  ['a wrapped model', () => wrapped],
  ['the model of a database', () => wrapped.db(fixture.other)],
])('a class that extends %s', (_, base) => {
  const WAYS: Record<string, (Double: Things) => Promise<unknown>> = {
    new: async (Double) => new Double({ n: 1 }),
    'create()': (Double) => Double.create({ n: 1 }),
    'insertOne()': (Double) => Double.insertOne({ n: 1 } as never),
    'insertMany()': async (Double) => (await Double.insertMany([{ n: 1 }]))[0],
    'findOne()': async (Double) => {
      await base().create({ n: 1 });
      return Double.findOne();
    },
    'findOneAndUpdate()': (Double) => Double.findOneAndUpdate({}, { n: 1 }, { upsert: true, new: true }),
    'hydrate()': async (Double) => Double.hydrate({ n: 1 }),
  };

  it.each(Object.keys(WAYS))('has %s give its own documents', async (way) => {
    const Base = base();
    class Double extends Base {
      get twice(): number {
        return this.n * 2;
      }
    }
    const document = (await WAYS[way]!(Double as never)) as Double;
    expect(document.twice).toBe(2);
    expect(document.constructor).toBe(Double);
    expect(document instanceof Double && document instanceof Base).toBe(true);
    expect(new Base({ n: 1 }) instanceof Double).toBe(false);
  });

  it('takes no document of another database for its own', () => {
    class Double extends base() {}
    expect(new (wrapped.db(`${fixture.other}_2`))({ n: 7 }) instanceof Double).toBe(false);
  });
});

describe('a class that extends a model', () => {
  it('has its statics call each other on the model that it extends, on its database', async () => {
    class Double extends wrapped.db(fixture.other) {
      static ones() {
        return this.find({ n: 1 });
      }
      static sorted() {
        return this.ones().sort('n');
      }
    }
    await wrapped.create({ n: 1 });
    await Double.create({ n: 1 });
    const found = (await Double.sorted()) as Double[];
    expect(found.map((document) => [document.constructor, document.db.name])).toEqual([[Double, fixture.other]]);
  });

  it.each(['db', 'tenant'])('has no %s() that would lose its members: it is told what to extend', (way) => {
    class Double extends wrapped {}
    expect(() => (Double as never as Record<string, (name: string) => unknown>)[way]!('acme')).toThrow(
      ModelExtensionError,
    );
  });

  it('and is a tenant’s is told what to extend by everything that would lose its members', () => {
    const Tenants = fixture.polymongo.tenantModel(wrapped as never) as Things;
    class Double extends Tenants {
      static ones() {
        return this.find({ n: 1 });
      }
    }
    fixture.polymongo.tenantContext.run('acme', () => {
      const uses = [
        () => new Double(),
        () => Double.ones(),
        () => Double.create({}),
        () => new Tenants() instanceof Double,
      ];
      for (const use of uses) expect(use).toThrow(ModelExtensionError);
    });
  });

  it('of a tenant’s database has all its members', async () => {
    await fixture.polymongo.tenantContext.run(fixture.other, async () => {
      class Double extends (wrapped as never as { tenant(): Things }).tenant() {
        get twice(): number {
          return this.n * 2;
        }
      }
      expect(((await Double.create({ n: 1 })) as Double).twice).toBe(2);
    });
  });
});

describe('a model of a database', () => {
  it.each(['db', 'collection', '$__collection', 'discriminators'])('has its `%s` replaced and put back', (key) => {
    const models = wrapped.db(fixture.other) as unknown as Record<string, unknown>;
    const own = models[key];
    models[key] = { fake: 1 };
    expect(models[key]).toEqual({ fake: 1 });
    models[key] = own;
    expect(models[key]).toBe(own);
    expect((wrapped as unknown as Record<string, unknown>)[key]).not.toEqual({ fake: 1 });
  });
});
