import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import {
  afterGuards,
  fromClaim,
  fromCookie,
  fromHeader,
  fromPath,
  InjectTenantModel,
  TenantContext,
  type TenantModel,
  type TenantOptions,
  type TenantRequest,
  type TenantResolverProvider,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** Stands for the verification of a token: `Authorization: <tenant>` becomes `request.user`. */
@Injectable()
class TokenGuard implements CanActivate {
  constructor(@InjectTenantModel(Note.name) readonly notes: TenantModel<Note>) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    if (call.headers['authorization']) call.user = { org: call.headers['authorization'] };
    if (call.headers['x-guard-reads']) await this.notes.countDocuments();
    return true;
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

  const start = async (resolve: TenantOptions['resolve']) => {
    app = await startHttpApp(
      {
        imports: [...notesModules(server.uri, { resolve: resolve! }), DirectoryModule],
        controllers: [WhoController],
        providers: [KeyResolver],
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
