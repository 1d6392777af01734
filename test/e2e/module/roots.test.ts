import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable } from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import { getConnectionToken, getModelToken } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  DuplicateRootError,
  eachTenant,
  getPolyConnectionToken,
  getPolyModelToken,
  getPolyMongoToken,
  getTenantModelToken,
  PolyMongoModule,
  PolyMongoOptionsError,
  PolyMongoTenants,
  PolyMongoTransactions,
  PolyMongoWrapper,
  SessionMismatchError,
  TENANT_ID,
  TenantContextIdStrategy,
  TenantJobs,
  TenantMissingError,
  WithJobTenant,
} from 'nestjs-polymongo';
import { lastValueFrom, map, Subject, toArray } from 'rxjs';
import { uniqueName } from '../../support/database-names.js';
import { Note, NoteSchema } from '../../support/notes.js';
import { AUDIT, rootOptions, rootsModules, TwoRoots } from '../../support/roots-app.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@Injectable()
class Jobs {
  constructor(@Inject(TwoRoots) readonly two: TwoRoots) {}

  @WithJobTenant('main')
  @WithJobTenant('audit', AUDIT)
  process(_: { data: unknown }) {
    return this.two.whose();
  }
}

let server: TestServer;
let app: TestingModule;
let two: TwoRoots;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  app = await Test.createTestingModule({ imports: rootsModules(server.uri), providers: [TwoRoots, Jobs] }).compile();
  await app.init();
  two = app.get(TwoRoots);
});
afterEach(() => app.close());
afterAll(() => server.stop());

const textsIn = async (notes: TwoRoots['mainNotes'], text: string) => notes.countDocuments({ text });

describe('a root with a name', () => {
  it('has parts, models and connections of its own, by tokens with its name', () => {
    const wrapper = app.get(PolyMongoWrapper);
    const audit = app.get<PolyMongoWrapper>(getPolyMongoToken(PolyMongoWrapper, AUDIT));
    expect(audit).not.toBe(wrapper);
    expect(two.mainTenants).toBe(wrapper.tenants);
    expect(two.auditTenants).toBe(audit.tenants);
    expect(app.get(getPolyModelToken(Note.name))).toBe(two.mainNotes);
    expect(app.get(getPolyModelToken(Note.name, AUDIT))).toBe(two.auditNotes);
    expect(app.get(getTenantModelToken(Note.name, 'default', AUDIT))).toBe(two.audits);
    expect(app.get(getPolyConnectionToken(undefined, AUDIT))).toBe(two.auditConnection);
    expect(two.auditConnection.name).toBe(audit.options.defaultDB);
    expect(two.mainConnection.name).toBe(wrapper.options.defaultDB);
  });

  it('leaves the classes themselves to the root without one', () => {
    expect(getPolyMongoToken(PolyMongoTenants)).toBe(PolyMongoTenants);
    expect(getPolyMongoToken(TENANT_ID)).toBe(TENANT_ID);
    expect(() => getPolyMongoToken(TwoRoots as never, AUDIT)).toThrow(PolyMongoOptionsError);
  });

  it.each(['', 'a b', 'a:b', 'default', 7])('is not called %j', (name) => {
    const given = { mongoURI: server.uri, name } as never;
    expect(() => PolyMongoModule.forRoot(given)).toThrow(PolyMongoOptionsError);
    expect(() => getPolyModelToken('Note', name as never)).toThrow(PolyMongoOptionsError);
  });

  it('is there once: two of one name are refused, and two without', async () => {
    const root = (name?: string) =>
      PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: uniqueName('root'), ...(name && { name }) });
    const start = (...imports: ReturnType<typeof root>[]) => Test.createTestingModule({ imports }).compile();
    const twice = start(root(), root(AUDIT), root(AUDIT));
    await expect(twice).rejects.toThrow(DuplicateRootError);
    await expect(twice).rejects.toMatchObject({ roots: 2, root: AUDIT });
    await expect(start(root(), root(), root(AUDIT))).rejects.toThrow(/without a name.*forRoot\(\{ name: 'audit'/);
    await (await start(root('one'), root('two'))).close();
  });

  it('has @nestjs/mongoose’s tokens of a connection by its name', async () => {
    const prefix = uniqueName('roots');
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ ...rootOptions(server.uri, AUDIT, prefix), name: AUDIT, mongooseTokens: true }),
        PolyMongoModule.forFeature([{ name: Note.name, schema: NoteSchema.clone(), mongooseToken: 'default' }], AUDIT),
      ],
    }).compile();
    expect(module.get(getConnectionToken(AUDIT)).name).toBe(`${prefix}_${AUDIT}`);
    expect(module.get(getModelToken(Note.name, AUDIT)).db.name).toBe(`${prefix}_${AUDIT}`);
    await module.close();
  });
});

describe('the tenants of two roots', () => {
  it('are entered one beside the other, each by its own name', async () => {
    expect(await two.asBoth({ main: 'acme', audit: 'globex' })).toMatchObject({ main: 'acme', audit: 'globex' });
    expect([two.main.state, two.audit.state]).toEqual(['none', 'none']);
  });

  it('are not each other’s: who is a tenant of one is nobody in the other', async () => {
    await two.mainTenants.run('acme', async () => {
      expect(two.main.require()).toBe('acme');
      expect(() => two.audit.require()).toThrow(TenantMissingError);
      expect(() => two.audits.find()).toThrow(TenantMissingError);
    });
  });

  it('come to a job from its data, whoever’s context its worker is in', async () => {
    const job = { id: '1', data: { main: 'acme', audit: 'globex' } };
    const inContext = () => two.mainTenants.run('umbrella', () => app.get(Jobs).process(job));
    const whose = await two.auditTenants.run('initech', inContext);
    expect(whose).toMatchObject({ main: 'acme', audit: 'globex' });

    const alone = app.get<TenantJobs>(getPolyMongoToken(TenantJobs, AUDIT));
    const run = () => alone.run({ data: { audit: 'globex' } }, 'audit', () => two.whose().catch((error) => error));
    expect(await two.mainTenants.run('umbrella', run)).toBeInstanceOf(TenantMissingError);
  });

  it('of one root are not kept with the pipeline of a tenant of the other', async () => {
    const seen = new Subject<string>();
    const states = lastValueFrom(
      seen.pipe(
        eachTenant(two.main, (own$) => own$.pipe(map((as) => `${as} as ${two.main.state} ${two.audit.state}`))),
        toArray(),
      ),
    );
    two.audit.run('globex', () => two.main.run('acme', () => seen.next('first')));
    two.audit.run('umbrella', () => two.main.run('acme', () => seen.next('second')));
    seen.complete();
    expect(await states).toEqual(['first as acme none', 'second as acme none']);
  });

  it('have durable providers for each combination of them', () => {
    const strategy = new TenantContextIdStrategy(two.main);
    const treeOf = (main: string, audit?: string) => {
      const attach = () => {
        const id = ContextIdFactory.create();
        const resolver = strategy.attach(id);
        const resolve = typeof resolver === 'function' ? resolver : resolver.resolve;
        const tree = resolve({ isTreeDurable: true } as never);
        return tree === id ? undefined : tree;
      };
      return two.main.run(main, () => (audit === undefined ? attach() : two.audit.run(audit, attach)));
    };
    expect(treeOf('acme', 'globex')).toBe(treeOf('acme', 'globex'));
    expect(treeOf('acme', 'globex')).not.toBe(treeOf('acme', 'umbrella'));
    expect(treeOf('acme', 'globex')).toBeDefined();
    expect(treeOf('acme')).toBeUndefined();
  });
});

describe('the transactions of two roots', () => {
  it('are each root’s own: what the other one writes inside stays when one aborts', async () => {
    await expect(two.writeInVain('vain')).rejects.toThrow('as it should');
    expect([await textsIn(two.mainNotes, 'vain'), await textsIn(two.auditNotes, 'vain')]).toEqual([0, 1]);
  });

  it('nest: the inner one commits, the outer one goes on in it and aborts', async () => {
    await expect(two.auditInVain('nested')).rejects.toThrow('as it should');
    expect([await textsIn(two.mainNotes, 'nested'), await textsIn(two.auditNotes, 'nested')]).toEqual([1, 0]);
  });

  it('lend no session to the other root', async () => {
    const audit = app.get<PolyMongoTransactions>(getPolyMongoToken(PolyMongoTransactions, AUDIT));
    await expect(
      app.get(PolyMongoTransactions).run(async (session) => {
        expect(audit.session).toBeUndefined();
        await two.auditNotes.create([{ tenant: 'none' }], { session });
      }),
    ).rejects.toThrow(SessionMismatchError);
  });

  it('do not hold a tenant of the other root', async () => {
    await app.get(PolyMongoTransactions).run(async () => {
      await two.mainTenants.run('acme', () => two.notes.create({ tenant: 'acme' }));
      await two.auditTenants.run('globex', () => two.audits.create({ tenant: 'globex' }));
      await two.auditTenants.run('umbrella', () => two.audits.create({ tenant: 'umbrella' }));
    });
    expect(await two.mainTenants.run('acme', () => two.notes.countDocuments())).toBe(1);
  });
});

describe('the end of an application of two roots', () => {
  it('closes both', async () => {
    const wrappers = [PolyMongoWrapper, getPolyMongoToken(PolyMongoWrapper, AUDIT)].map((token) =>
      app.get<PolyMongoWrapper>(token),
    );
    await two.mainNotes.countDocuments();
    await two.auditNotes.countDocuments();
    expect(wrappers.map((wrapper) => wrapper.getConnectionState())).toEqual(['connected', 'connected']);
    await app.close();
    expect(wrappers.map((wrapper) => wrapper.getConnectionState())).toEqual(['disconnected', 'disconnected']);
  });
});
