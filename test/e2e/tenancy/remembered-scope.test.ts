import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { Schema } from 'mongoose';
import { PolyMongoWrapper, type TenantModel } from 'nestjs-polymongo';
import { once } from 'node:events';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Memo {
  tenant: string;
}

/** What has middleware. */
const OPERATIONS = [
  ...['find', 'findOne', 'countDocuments', 'estimatedDocumentCount', 'distinct', 'aggregate'],
  ...['findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete'],
  ...['updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'],
];

/** What executes nothing; a flag that is none is thrown later by the driver, to nobody. */
const OTHERS = ['constructor', 'pre', 'post', 'addCursorFlag'];

/** The names of an object's methods, as far as they are mongoose's. */
function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (let at = object; !Object.hasOwn(at, 'on') && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === 'function') names.add(name);
    }
  }
  return [...names].filter((name) => !OTHERS.includes(name) && !name.startsWith('_'));
}

describe('a query, aggregate or cursor of a tenant model', () => {
  const prefix = uniqueName('remembered');
  let server: TestServer;
  let polymongo: PolyMongoWrapper;
  let memos: TenantModel<Memo>;
  /** As which tenant the hooks of the model ran. */
  const seen = new Set<string | undefined>();
  const note = () => void seen.add(polymongo.tenantContext.current());

  beforeAll(async () => {
    server = await startTestServer();
    polymongo = new PolyMongoWrapper({
      mongoURI: server.uri,
      defaultDB: `${prefix}_default`,
      tenant: { database: (id) => `${prefix}_${id}` },
      handleSignals: false,
    });
    const schema = new Schema<Memo>({ tenant: String });
    schema.plugin((plugged) => OPERATIONS.forEach((operation) => plugged.pre(operation as never, note)));
    for (const operation of [...OPERATIONS, 'init']) schema.post(operation as never, note);
    memos = polymongo.tenantModel(mongoose.model<Memo>(uniqueName('Memo'), schema) as never);
    for (const tenant of ['acme', 'globex']) {
      await polymongo.tenants.run(tenant, () => memos.insertMany([{ tenant }, { tenant }]));
    }
  });
  afterEach(() => seen.clear());
  afterAll(async () => {
    await polymongo?.actions.closeAll();
    await server?.stop();
  });

  const inAcme = <T>(make: () => T): T => polymongo.tenantContext.run('acme', make);
  const tenantsOf = async (documents: PromiseLike<readonly Memo[]>) => (await documents).map(({ tenant }) => tenant);

  const queryClass = () => memos.find().toConstructor() as unknown as new () => ReturnType<typeof memos.find>;

  type Read = (outside: <T>(fn: () => T) => T) => Promise<unknown>;
  const ACME = ['acme', 'acme'];
  const reads: Record<string, [Read, unknown]> = {
    'exec()': [(outside) => tenantsOf(outside(() => inAcme(() => memos.find()).exec())), ACME],
    'then()': [(outside) => tenantsOf(outside(async () => inAcme(() => memos.find()))), ACME],
    'then() of lean()': [(outside) => tenantsOf(outside(async () => inAcme(() => memos.find()).lean())), ACME],
    'clone()': [
      (outside) =>
        tenantsOf(
          outside(() =>
            inAcme(() => memos.find())
              .clone()
              .exec(),
          ),
        ),
      ACME,
    ],
    'clone() made elsewhere': [
      async (outside) => {
        const query = inAcme(() => memos.find());
        const clone = outside(() => query.clone());
        return tenantsOf(outside(() => clone.exec()));
      },
      ACME,
    ],
    'catch()': [
      (outside) => tenantsOf(outside(() => inAcme(() => memos.find()).catch(() => []) as Promise<Memo[]>)),
      ACME,
    ],
    'finally()': [(outside) => tenantsOf(outside(() => inAcme(() => memos.find()).finally(() => {}))), ACME],
    'exec() of a query class': [
      (outside) => {
        const Memos = inAcme(() => queryClass());
        return tenantsOf(outside(() => new Memos().exec()));
      },
      ACME,
    ],
    'clone() of a query class': [
      (outside) => {
        const Memos = inAcme(() => queryClass());
        const clone = outside(() => new Memos().clone());
        return tenantsOf(outside(() => clone.exec()));
      },
      ACME,
    ],
    'a write': [
      async (outside) => (await outside(() => inAcme(() => memos.findOneAndUpdate({}, {})).exec()))!.tenant,
      'acme',
    ],
    'iteration of a query': [
      (outside) =>
        outside(async () => {
          const found: string[] = [];
          for await (const { tenant } of inAcme(() => memos.find())) found.push(tenant);
          return found;
        }),
      ACME,
    ],
    'next() of a cursor': [
      async (outside) => {
        const cursor = inAcme(() => memos.find().cursor());
        const { tenant } = (await outside(() => cursor.next()))!;
        await cursor.close();
        return tenant;
      },
      'acme',
    ],
    'eachAsync() of a cursor': [
      async (outside) => {
        const found: string[] = [];
        await outside(() =>
          inAcme(() => memos.find())
            .cursor()
            .eachAsync(({ tenant }) => void found.push(tenant)),
        );
        return found;
      },
      ACME,
    ],
    'the stream of a cursor': [
      async (outside) => {
        const found: string[] = [];
        const cursor = inAcme(() => memos.find()).cursor();
        await outside(() => {
          cursor.on('data', ({ tenant }: Memo) => found.push(tenant));
          return once(cursor, 'end');
        });
        return found;
      },
      ACME,
    ],
    'exec() of an aggregate': [
      (outside) => tenantsOf(outside(() => inAcme(() => memos.aggregate<Memo>([{ $match: {} }])).exec())),
      ACME,
    ],
    'explain() of an aggregate': [
      async (outside) =>
        JSON.stringify(await outside(() => inAcme(() => memos.aggregate([{ $match: {} }])).explain())).match(
          new RegExp(`${prefix}_(acme|globex|default)`),
        )?.[1],
      'acme',
    ],
    'then() of an aggregate': [
      (outside) => tenantsOf(outside(async () => inAcme(() => memos.aggregate<Memo>([{ $match: {} }])))),
      ACME,
    ],
    'iteration of an aggregate': [
      (outside) =>
        outside(async () => {
          const found: string[] = [];
          for await (const { tenant } of inAcme(() => memos.aggregate<Memo>([{ $match: {} }])))
            found.push(tenant as string);
          return found;
        }),
      ACME,
    ],
    'the cursor of an aggregate': [
      async (outside) => {
        const cursor = outside(() => inAcme(() => memos.aggregate<Memo>([{ $match: {} }])).cursor());
        const found: string[] = [];
        await outside(() => cursor.eachAsync(({ tenant }: Memo) => void found.push(tenant)));
        return found;
      },
      ACME,
    ],
  };
  const OUTSIDE: Record<string, <T>(fn: () => T) => T> = {
    'outside of any tenant': (fn) => fn(),
    'as another tenant': (fn) => polymongo.tenantContext.run('globex', fn),
  };

  describe.each(Object.entries(OUTSIDE))('read %s', (_, outside) => {
    it.each(Object.entries(reads))('runs where it was made, its hooks too: %s', async (_name, [read, expected]) => {
      expect(await read(outside)).toEqual(expected);
      expect([...seen]).toEqual(['acme']);
    });
  });

  it('leaves its reader where he is', async () => {
    const { tenantContext } = polymongo;
    await tenantContext.run('globex', async () => {
      await inAcme(() => memos.find());
      for await (const { tenant } of inAcme(() => memos.find()))
        expect([tenant, tenantContext.current()]).toEqual(['acme', 'globex']);
      expect(tenantContext.current()).toBe('globex');
    });
  });

  it('is waited for inside the tenant by tenants.run, also when nested', async () => {
    expect(await tenantsOf(polymongo.tenants.run('acme', () => memos.find()))).toEqual(ACME);
    await polymongo.tenants.run('globex', async () => {
      expect(await tenantsOf(polymongo.tenants.run('acme', () => memos.find().lean()))).toEqual(ACME);
    });
    expect([...seen]).toEqual(['acme']);
  });

  describe('a thenable of one’s own', () => {
    type Settle = (value?: unknown) => void;
    const state = () => polymongo.tenantContext.state;
    const thenables: Record<string, (then: (resolve: Settle, reject: Settle) => void) => unknown> = {
      'an object': (then) => ({ then }),
      'a function': (then) => Object.assign(() => {}, { then }),
      'one that a thenable resolves with': (then) => ({ then: (resolve: Settle) => resolve({ then }) }),
    };
    const runs: Record<string, (make: () => unknown) => Promise<unknown>> = {
      'tenants.run': (make) => polymongo.tenants.run('acme', make),
      'tenants.run, nested': (make) => polymongo.tenants.run('globex', () => polymongo.tenants.run('acme', make)),
      'tenants.forEach': async (make) => {
        const [result] = await polymongo.tenants.forEach(make as () => Promise<unknown>, {
          tenants: ['acme'],
          onError: 'collect',
        });
        if (!result!.ok) throw result!.error;
        return result!.value;
      },
    };
    const cases = Object.keys(runs).flatMap((run) => Object.keys(thenables).map((kind) => [run, kind] as const));

    it.each(cases)('%s waits for as await does, inside the tenant: %s', async (run, kind) => {
      const [waitFor, make] = [runs[run]!, thenables[kind]!];
      const late = make((resolve) => void setImmediate(() => resolve(state())));
      await expect(waitFor(() => late)).resolves.toBe('acme');
      const failing = make((_, reject) => void reject(new Error('the reason')));
      await expect(waitFor(() => failing)).rejects.toThrow('the reason');
      const throwing = make(() => {
        throw new Error('thrown');
      });
      await expect(waitFor(() => throwing)).rejects.toThrow('thrown');
      const twice = make((resolve, reject) => (resolve('first'), reject(new Error('second'))));
      await expect(waitFor(() => twice)).resolves.toBe('first');
    });
  });

  describe.each<[string, () => object]>([
    ['Query', () => memos.find()],
    ['Query of a class', () => new (queryClass())()],
    ['Aggregate', () => memos.aggregate([{ $match: {} }])],
    ['cursor', () => memos.find().cursor()],
    ['cursor of an aggregate', () => memos.aggregate([{ $match: {} }]).cursor()],
  ])('%s', (_, make) => {
    it('runs nowhere else by any method that mongoose has', async () => {
      const ran: string[] = [];
      for (const name of inAcme(() => methodsOf(make()))) {
        seen.clear();
        const object = inAcme(make) as Record<string, (...args: unknown[]) => unknown> & { close?(): Promise<void> };
        const begun = new Promise((done) => setTimeout(done, 300)); // some wait for what others do
        await polymongo.tenantContext.run('globex', async () => {
          try {
            await Promise.race([object[name]!(), begun]);
          } catch {
            // it needs arguments
          }
        });
        expect([name, ...seen]).toEqual(seen.size === 0 ? [name] : [name, 'acme']);
        if (seen.size > 0) ran.push(name);
        await object.close?.().catch(() => {});
      }
      expect(ran.length).toBeGreaterThan(0);
    });
  });
});
