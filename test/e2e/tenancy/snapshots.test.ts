import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import {
  fromClaim,
  InjectTenantModel,
  PolyMongoTransactions,
  TenantContext,
  TransactionEndedError,
  type TenantModel,
  type TenantRequest,
} from 'nestjs-polymongo';
import { Observable } from 'rxjs';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { deferred } from '../../support/deferred.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

type Snapshot = <R>(fn: () => R) => R;
/** What code of the application keeps beyond a request, by its name. */
const kept = new Map<string, Snapshot>();

/** Keeps where it is, before the tenant is known; finds out who is asking. */
const authenticate: CanActivate = {
  canActivate(execution: ExecutionContext) {
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    const org = call.headers['authorization']!;
    kept.set(`guard of ${org}`, AsyncLocalStorage.snapshot() as Snapshot);
    call.user = { org };
    return true;
  },
};

/** Has the rest of the request go on inside of what was kept by another one. */
@Injectable()
class Foreign implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { headers } = execution.switchToHttp().getRequest<TenantRequest>();
    const snapshot = kept.get(String(headers['x-inside']));
    if (!snapshot) return next.handle();
    return new Observable((subscriber) => snapshot(() => next.handle().subscribe(subscriber)));
  }
}

@Controller()
@UseGuards(authenticate)
@UseInterceptors(Foreign)
class SnapshotController {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
  ) {}

  @Get('keep')
  async keep() {
    const tenant = this.context.require();
    kept.set(`handler of ${tenant}`, AsyncLocalStorage.snapshot() as Snapshot);
    await this.notes.create({ tenant });
    return { tenant };
  }
  @Get('who')
  who() {
    return { tenant: this.context.require() };
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('AsyncLocalStorage.snapshot() on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;
  let context: TenantContext;
  let notes: TenantModel<Note>;

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp(
      {
        imports: notesModules(server.uri, { resolve: fromClaim('org') }),
        controllers: [SnapshotController],
        providers: [Foreign],
      },
      adapter,
    );
    context = app.get(TenantContext);
    ({ notes } = app.get(SnapshotController));
    kept.clear();
    for (const tenant of ['acme', 'globex']) await get('keep', tenant);
    context.run('initech', () => kept.set('run of initech', AsyncLocalStorage.snapshot() as Snapshot));
    kept.set('none', AsyncLocalStorage.snapshot() as Snapshot);
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  const get = async (path: string, tenant: string, inside?: string) => {
    const headers = { authorization: tenant, ...(inside && { 'x-inside': inside }) };
    return (await request(app.getHttpServer()).get(`/${path}`).set(headers)).body;
  };
  const inside = <T>(name: string, fn: () => T): T => kept.get(name)!(fn);

  it('is a scope of the application’s own: what is called in it runs as who it was taken in', async () => {
    const read = () => notes.find().lean();
    for (const [name, tenants] of [
      ['handler of acme', ['acme']],
      ['guard of acme', ['acme']], // of the same request, whose tenant is known by now
      ['handler of globex', ['globex']],
      ['run of initech', []],
    ] as const) {
      const found = await context.run('globex', () => inside(name, async () => read()));
      expect([name, found.map(({ tenant }) => tenant)]).toEqual([name, tenants]);
    }
    await expect(context.run('globex', () => inside('none', async () => read()))).rejects.toThrow('No tenant');
  });

  it('ends where it was called: what comes after it is the current tenant’s', async () => {
    await context.run('globex', async () => {
      expect(inside('handler of acme', () => context.current())).toBe('acme');
      expect(context.current()).toBe('globex');
      const query = inside('handler of acme', () => notes.find().lean());
      expect((await query).map(({ tenant }) => tenant)).toEqual(['acme']); // it remembers where it was made
      expect((await notes.find().lean()).map(({ tenant }) => tenant)).toEqual(['globex']);
    });
  });

  it.each(['handler of acme', 'guard of acme', 'run of initech', 'none'])(
    'makes no request another one’s whose stages go on inside of it: %s',
    async (name) => {
      expect(await get('who', 'globex', name)).toEqual({ tenant: 'globex' });
    },
  );

  it('of a transaction belongs to that while it lasts, and to nothing after it', async () => {
    const transactions = app.get(PolyMongoTransactions);
    const add = () => notes.create({ tenant: 'acme', text: 'in a snapshot' });
    const [taken, written] = [deferred(), deferred()];
    let snapshot!: Snapshot;
    const transaction = async () => {
      await add();
      snapshot = AsyncLocalStorage.snapshot() as Snapshot;
      taken.resolve();
      await written.promise;
      throw new Error('rolled back');
    };
    const rolledBack = context.run('acme', () => transactions.run(transaction, { db: notes.db.name }));
    await taken.promise;
    await context.run('globex', () => snapshot(async () => add()));
    written.resolve();
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(await context.run('acme', () => notes.countDocuments({ text: 'in a snapshot' }))).toBe(0);
    await expect(context.run('globex', () => snapshot(async () => add()))).rejects.toThrow(TransactionEndedError);
    expect(await context.run('globex', () => notes.countDocuments({ text: 'in a snapshot' }))).toBe(0);
  });
});
