import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  UseGuards,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  afterGuards,
  fromClaim,
  fromCookie,
  fromHeader,
  fromPath,
  InjectTenantModel,
  TenantContext,
  TenantPendingError,
  type TenantModel,
  type TenantOptions,
  type TenantRequest,
  type TenantResolverProvider,
} from 'nestjs-polymongo';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@Injectable()
class Seen {
  guard: unknown[] = [];
  interceptor: unknown[] = [];
}

const errorOf = (fn: () => unknown): unknown => {
  try {
    return fn();
  } catch (error) {
    return (error as Error).constructor;
  }
};

/** Stands for the verification of a token: `Authorization: <tenant>` becomes `request.user`. */
@Injectable()
class TokenGuard implements CanActivate {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(Seen) readonly seen: Seen,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const { context } = this;
    this.seen.guard = [context.state, errorOf(() => context.current()), errorOf(() => context.require())];
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    if (call.headers['authorization']) call.user = { org: call.headers['authorization'] };
    if (call.headers['x-guard-reads']) await this.notes.countDocuments();
    return true;
  }
}

/** Stands before every other interceptor, as one that caches by tenant may. */
@Injectable()
class FirstInterceptor implements NestInterceptor {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(Seen) readonly seen: Seen,
  ) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    this.seen.interceptor = [this.context.state, this.context.current()];
    return next.handle();
  }
}

@Controller()
class WhoController {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}

  @Get(['who', 'shops/:shop/who'])
  @UseGuards(TokenGuard)
  who() {
    return { tenant: this.context.current() ?? null };
  }
}

@Injectable()
class Directory {
  readonly tenants: Record<string, string> = { 'key-1': 'acme' };
}
@Module({ providers: [Directory], exports: [Directory] })
class DirectoryModule {}

@Injectable()
class KeyResolver implements TenantResolverProvider {
  constructor(@Inject(Directory) readonly directory: Directory) {}
  async resolve({ headers }: TenantRequest): Promise<string | undefined> {
    return this.directory.tenants[String(headers['x-api-key'])];
  }
}

class LateResolver implements TenantResolverProvider {
  static readonly runsAfterGuards = true;
  resolve(_: TenantRequest, context?: ExecutionContext): string {
    return context!.getHandler().name;
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('resolvers on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterEach(() => app.close());
  afterAll(() => server.stop());

  const start = async (resolve: TenantOptions['resolve'], trust?: TenantOptions['trust']) => {
    app = await startHttpApp(
      {
        imports: [...notesModules(server.uri, { resolve: resolve!, ...(trust && { trust }) }), DirectoryModule],
        controllers: [WhoController],
        providers: [Seen, KeyResolver, { provide: APP_INTERCEPTOR, useClass: FirstInterceptor }],
      },
      adapter,
    );
  };
  const who = async (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = await request(app.getHttpServer()).get(path).set(headers);
    return status === 200 ? body.tenant : status;
  };

  it('agree or are refused with 403, whichever answers first', async () => {
    await start([fromHeader('x-tenant'), fromPath('/shops/:tenant'), fromCookie('tenant')]);
    expect(await who('/who')).toBeNull();
    expect(await who('/who', { cookie: 'tenant=acme' })).toBe('acme');
    expect(await who('/shops/acme/who', { 'x-tenant': 'acme', cookie: 'tenant=acme' })).toBe('acme');
    expect(await who('/shops/acme/who', { 'x-tenant': 'globex' })).toBe(403);
    expect(await who('/who', { 'x-tenant': 'acme', cookie: 'tenant=globex' })).toBe(403);
    expect(await who('/who', { 'x-tenant': 'acme', cookie: 'tenant=NOT%20VALID' })).toBe(400);
  });

  it('of a claim are asked after the guards, and there is no tenant before', async () => {
    await start(fromClaim('org'));
    expect(await who('/who', { authorization: 'acme' })).toBe('acme');
    expect(await who('/who')).toBeNull();
    expect(await who('/who', { authorization: 'acme', 'x-guard-reads': '1' })).toBe(400);
    expect(await who('/who', { authorization: 'NOT VALID' })).toBe(400);
  });

  it('refuse a header that names another tenant than the token', async () => {
    await start([fromHeader('x-tenant'), fromClaim('org')]);
    expect(await who('/who', { authorization: 'acme', 'x-tenant': 'acme' })).toBe('acme');
    expect(await who('/who', { authorization: 'acme', 'x-tenant': 'globex' })).toBe(403);
  });

  it('what a client only says decides nothing beside a claim: not without it, and not before it', async () => {
    await start([fromHeader('x-tenant'), fromPath('/shops/:tenant'), fromCookie('tenant'), fromClaim('org')]);
    const says = [
      ['/who', { 'x-tenant': 'acme' }],
      ['/who', { cookie: 'tenant=acme' }],
      ['/shops/acme/who', {}],
    ] as const;
    for (const [path, headers] of says) {
      expect(await who(path, headers)).toBeNull();
      expect(await who(path, { ...headers, authorization: 'acme' })).toBe('acme');
      expect(await who(path, { ...headers, authorization: 'globex' })).toBe(403);
      expect(await who(path, { ...headers, authorization: 'acme', 'x-guard-reads': '1' })).toBe(400);
    }
    expect(await who('/who', { 'x-tenant': 'acme', cookie: 'tenant=globex' })).toBe(403);
  });

  it('what is trusted decides beside a claim, which it may not contradict', async () => {
    const gateway = fromHeader('x-gateway');
    await start([gateway, fromHeader('x-tenant'), fromClaim('org')], gateway);
    expect(await who('/who', { 'x-gateway': 'acme', 'x-guard-reads': '1' })).toBe('acme');
    expect(await who('/who', { 'x-gateway': 'acme', authorization: 'acme' })).toBe('acme');
    expect(await who('/who', { 'x-gateway': 'acme', authorization: 'globex' })).toBe(403);
    expect(await who('/who', { 'x-gateway': 'acme', 'x-tenant': 'globex' })).toBe(403);
    expect(await who('/who', { 'x-tenant': 'acme' })).toBeNull();
  });

  it('compare a path with a claim however it is written', async () => {
    await start([fromPath('/shops/:tenant'), fromClaim('org')]);
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const paths = ['/shops/acme/who', '/SHOPS/acme/who', '/%73hops/acme/who', '//shops/acme/who'];
    for (const path of [...paths, ...paths.map((each) => `http://127.0.0.1:${port}${each}`)]) {
      const status = await statusOf(port, path, { authorization: 'globex' });
      expect([path, [403, 404].includes(status)]).toEqual([path, true]);
    }
    const routed = adapter === 'Fastify' ? '/%73hops/acme/who' : '/SHOPS/acme/who';
    expect(await statusOf(port, routed, { authorization: 'globex' })).toBe(403);
  });

  it('that run after the guards have answered before any interceptor, and until then nothing does', async () => {
    await start(fromClaim('org'));
    const seen = app.get(Seen);
    expect(await who('/who', { authorization: 'acme' })).toBe('acme');
    expect(seen).toEqual({ guard: ['pending', TenantPendingError, TenantPendingError], interceptor: ['acme', 'acme'] });
    expect(await who('/who')).toBeNull();
    expect(seen.interceptor).toEqual(['none', undefined]);
  });

  it('can be classes that inject, and asynchronous', async () => {
    await start(KeyResolver);
    expect(await who('/who', { 'x-api-key': 'key-1' })).toBe('acme');
    expect(await who('/who', { 'x-api-key': 'key-2' })).toBeNull();
  });

  it('get the execution context after the guards', async () => {
    await start(LateResolver);
    expect(await who('/who')).toBe('who');
    await app.close();
    await start(afterGuards((_, context) => context!.getClass().name.toLowerCase()));
    expect(await who('/who')).toBe('whocontroller');
  });

  it('that fail answer 500, and the handler does not run', async () => {
    await start(() => {
      throw new Error('directory down');
    });
    expect(await who('/who')).toBe(500);
  });
});

/** The status of a request whose target is sent as it is. */
async function statusOf(port: number, path: string, headers: Record<string, string>): Promise<number> {
  const sent = get({ host: '127.0.0.1', port, path, headers });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}
