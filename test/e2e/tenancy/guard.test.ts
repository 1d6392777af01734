import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, BaseExceptionFilter } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import {
  afterGuards,
  fromClaim,
  fromHeader,
  getTenantModelToken,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  TenantGuard,
  TenantGuardOrderError,
  TenantInterceptor,
  type TenantModel,
  type TenantOptions,
  type TenantRequest,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { bearer, JwtStrategy } from '../../support/jwt.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@Injectable()
class JwtAuthGuard extends AuthGuard('jwt') {}

/** Lets in who has a role in the tenant's own database. */
@Injectable()
class RolesGuard implements CanActivate {
  constructor(@InjectTenantModel(Note.name) readonly roles: TenantModel<Note>) {}
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const { user } = execution.switchToHttp().getRequest<{ user: { sub: string } }>();
    return (await this.roles.exists({ text: user.sub })) !== null;
  }
}

/** Asks nothing of the tenant, and leaves what it found elsewhere than in `request.user`. */
@Injectable()
class KeyGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const call = execution.switchToHttp().getRequest<TenantRequest & { key?: unknown }>();
    call.key = call.headers['x-key'];
    return true;
  }
}

/** Replaces who a middleware had found in the session. */
@Injectable()
class SwitchingGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    call.user = { org: call.headers['x-key'] };
    return true;
  }
}

/** Gives those without a name one, and no tenant. */
@Injectable()
class GuestGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    execution.switchToHttp().getRequest<TenantRequest>().user ??= { isGuest: true };
    return true;
  }
}

/** Has a session say who is asking, before all guards. */
@Injectable()
class SessionGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    if (call.headers['x-session']) call.user = { org: call.headers['x-session'] };
    return true;
  }
}

/** Asks for the tenant, whoever it is of. */
@Injectable()
class PlanGuard implements CanActivate {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  canActivate(): boolean {
    return this.context.require() !== '';
  }
}

@Injectable()
class Seen {
  error: unknown;
}

@Catch()
class Recording extends BaseExceptionFilter {
  @Inject(Seen) readonly seen!: Seen;
  override catch(error: unknown, host: ArgumentsHost): void {
    this.seen.error = error;
    super.catch(error, host);
  }
}

class Base {
  @Inject(TenantContext) readonly context!: TenantContext;
  who() {
    return { tenant: this.context.current() ?? null };
  }
}

@Controller('route')
class OnRoute extends Base {
  @Get()
  @UseGuards(AuthGuard('jwt'), TenantGuard, RolesGuard)
  override who() {
    return super.who();
  }
}

@Controller('controller')
@UseGuards(JwtAuthGuard, TenantGuard)
class OnController extends Base {
  @Get()
  @UseGuards(RolesGuard)
  @UseInterceptors(TenantInterceptor)
  override who() {
    return super.who();
  }
}

@Controller('everywhere')
class Everywhere extends Base {
  @Get()
  override who() {
    return super.who();
  }
}

/** A controller whose only route has these guards. */
function guardedBy(...guards: (Type<CanActivate> | CanActivate)[]): Type {
  @Controller('guarded')
  class Guarded extends Base {
    @Get()
    @UseGuards(...guards)
    override who() {
      return super.who();
    }
  }
  return Guarded;
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('TenantGuard on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterEach(() => app.close());
  afterAll(() => server.stop());

  const start = async (metadata: ModuleMetadata, resolve: TenantOptions['resolve'] = fromClaim('org')) => {
    app = await startHttpApp(
      {
        ...metadata,
        imports: notesModules(server.uri, { resolve: resolve!, exists: (id) => id !== 'unknown' }),
        providers: [
          ...(metadata.providers ?? []),
          JwtStrategy,
          JwtAuthGuard,
          Seen,
          { provide: APP_FILTER, useClass: Recording },
        ],
      },
      adapter,
    );
    const notes = app.get<TenantModel<Note>>(getTenantModelToken(Note.name), { strict: false });
    for (const [tenant, user] of [
      ['acme', 'ann'],
      ['globex', 'bob'],
    ] as const) {
      await app.get(PolyMongoTenants).run(tenant, () => notes.create({ text: user, tenant }));
    }
  };
  const ask = async (path: string, claims?: Record<string, unknown>, headers: Record<string, string> = {}) => {
    const call = request(app.getHttpServer()).get(`/${path}`).set(headers);
    const { status, body } = await (claims ? call.set('authorization', bearer(claims)) : call);
    return status === 200 ? body.tenant : status;
  };

  it.each([
    ['a route', 'route', { controllers: [OnRoute] }],
    ['a controller, before a guard of the route', 'controller', { controllers: [OnController] }],
    [
      'the application',
      'everywhere',
      {
        controllers: [Everywhere],
        providers: [JwtAuthGuard, TenantGuard, RolesGuard].map((useClass) => ({ provide: APP_GUARD, useClass })),
      },
    ],
  ] as const)('of %s lets the guards after it read the tenant', async (_, path, metadata) => {
    await start(metadata as never);
    expect(await ask(path, { org: 'acme', sub: 'ann' })).toBe('acme');
    expect(await ask(path, { org: 'globex', sub: 'bob' })).toBe('globex');
    expect(await ask(path, { org: 'globex', sub: 'ann' })).toBe(403);
    expect(await ask(path, { sub: 'ann' })).toBe(400);
    expect(await ask(path, { org: 'unknown', sub: 'ann' })).toBe(404);
    expect(await ask(path)).toBe(401);
  });

  it('compares what the client says before the guards after it run', async () => {
    await start({ controllers: [OnRoute] }, [fromHeader('x-tenant'), fromClaim('org')]);
    expect(await ask('route', { org: 'acme', sub: 'ann' }, { 'x-tenant': 'acme' })).toBe('acme');
    expect(await ask('route', { org: 'acme', sub: 'ann' }, { 'x-tenant': 'globex' })).toBe(403);
    expect(app.get(Seen).error).toMatchObject({ name: 'TenantConflictError' });
  });

  it('and interceptors ask once for a request, whatever they find', async () => {
    let asked = 0;
    const resolve = afterGuards(async ({ user }: TenantRequest) => {
      asked++;
      return (user as { org?: string }).org;
    });
    await start({ controllers: [guardedBy(JwtAuthGuard, TenantGuard), OnController] }, resolve);
    expect(await ask('guarded', { org: 'acme' })).toBe('acme');
    expect(await ask('controller', { org: 'acme', sub: 'ann' })).toBe('acme');
    expect(await ask('guarded', {})).toBeNull();
    expect(asked).toBe(3);
  });

  it('before the guard that authenticates is an error that names the right order, each time', async () => {
    await start({ controllers: [guardedBy(TenantGuard, AuthGuard('jwt') as Type<CanActivate>, RolesGuard)] });
    for (const claims of [{ org: 'acme', sub: 'ann' }, {}]) {
      expect(await ask('guarded', claims)).toBe(500);
      const { error } = app.get(Seen);
      expect(error).toBeInstanceOf(TenantGuardOrderError);
      expect((error as Error).message).toContain('@UseGuards(AuthGuard(…), TenantGuard, RolesGuard)');
    }
  });

  it('before a guard that finds the tenant elsewhere than in request.user is one, too', async () => {
    const resolve = afterGuards((call: TenantRequest & { key?: string }) => call.key);
    await start({ controllers: [guardedBy(TenantGuard, KeyGuard)] }, resolve);
    expect(await ask('guarded')).toBeNull();
    expect(await ask('guarded', undefined, { 'x-key': 'acme' })).toBe(500);
    expect(app.get(Seen).error).toMatchObject({ guard: 'KeyGuard', order: ['KeyGuard', 'TenantGuard'] });
  });

  it('before a guard that finds somebody of another tenant is one, too; of the same tenant, or of none, it is none', async () => {
    await start({ controllers: [guardedBy(SessionGuard, TenantGuard, SwitchingGuard)] });
    expect(await ask('guarded', undefined, { 'x-session': 'acme', 'x-key': 'globex' })).toBe(500);
    expect(app.get(Seen).error).toMatchObject({
      guard: 'SwitchingGuard',
      order: ['SessionGuard', 'SwitchingGuard', 'TenantGuard'],
    });
    expect(await ask('guarded', undefined, { 'x-session': 'acme', 'x-key': 'acme' })).toBe('acme');
    expect(await ask('guarded', undefined, { 'x-session': 'acme' })).toBe('acme');
  });

  it('before a guard that finds nobody in particular is no error, and one of a request is none of the next', async () => {
    await start({ controllers: [guardedBy(SessionGuard, TenantGuard, GuestGuard)] });
    expect(await ask('guarded')).toBeNull();
    expect(await ask('guarded', undefined, { 'x-session': 'acme' })).toBe('acme');
    await app.close();
    await start({ controllers: [guardedBy(SessionGuard, TenantGuard, SwitchingGuard)] });
    expect(await ask('guarded', undefined, { 'x-session': 'acme', 'x-key': 'globex' })).toBe(500);
    expect(await ask('guarded', undefined, { 'x-session': 'acme', 'x-key': 'acme' })).toBe('acme');
  });

  it('after the guard that asks for the tenant is an error that names the right order also of the others', async () => {
    await start({ controllers: [guardedBy(PlanGuard, TenantGuard, AuthGuard('jwt') as Type<CanActivate>)] });
    expect(await ask('guarded', { org: 'acme', sub: 'ann' })).toBe(500);
    expect(app.get(Seen).error).toMatchObject({ order: ['AuthGuard(…)', 'TenantGuard', 'PlanGuard'] });
  });

  it('after the guard that asks for the tenant is an error that names the right order', async () => {
    await start({ controllers: [guardedBy(JwtAuthGuard, RolesGuard, TenantGuard)] });
    expect(await ask('guarded', { org: 'acme', sub: 'ann' })).toBe(500);
    expect(app.get(Seen).error).toMatchObject({
      guard: 'RolesGuard',
      order: ['JwtAuthGuard', 'TenantGuard', 'RolesGuard'],
      cause: { name: 'TenantPendingError' },
    });
  });

  it('that is missing is named by the error of the guard that needs it', async () => {
    await start({ controllers: [guardedBy(JwtAuthGuard, RolesGuard)] });
    expect(await ask('guarded', { org: 'acme', sub: 'ann' })).toBe(400);
    expect((app.get(Seen).error as Error).message).toContain("@UseGuards(AuthGuard('jwt'), TenantGuard, RolesGuard)");
  });
});
