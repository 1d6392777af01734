import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  Query,
  Scope,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestModule,
  type PipeTransform,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost, REQUEST } from '@nestjs/core';
import { fromHeader, InjectTenantModel, TENANT_ID, TenantContext, type TenantModel } from 'nestjs-polymongo';
import { concatMap, defer, lastValueFrom, map, of, switchMap, tap } from 'rxjs';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { SharedResource } from '../../support/shared-resource.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const shared = new SharedResource();

/** Which tenant each stage of the current request ran as. */
@Injectable()
class Trace {
  readonly seen: Record<string, string> = {};
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}

  note(where: string): void {
    this.seen[where] = this.context.state;
  }

  clear(): void {
    for (const where of Object.keys(this.seen)) delete this.seen[where];
  }
}

@Injectable()
class ForeignGuard implements CanActivate {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  canActivate() {
    this.trace.note('guard');
    return shared.answer().pipe(map(() => true));
  }
}

/** Goes on, and answers, where the shared resource answers. */
@Injectable()
class ForeignInterceptor implements NestInterceptor {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    this.trace.note('outer interceptor');
    return shared.answer().pipe(
      switchMap(() => next.handle()),
      tap({
        next: () => this.trace.note('outer interceptor after'),
        error: () => this.trace.note('outer interceptor after'),
      }),
    );
  }
}

@Injectable()
class InnerInterceptor implements NestInterceptor {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    this.trace.note('inner interceptor');
    const handled = next.handle();
    return shared.answer().pipe(
      switchMap(() => handled),
      tap(() => this.trace.note('inner interceptor after')),
      concatMap((value) => shared.answer().pipe(map(() => value))),
    );
  }
}

@Injectable()
class ForeignPipe implements PipeTransform {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  async transform(value: unknown): Promise<unknown> {
    this.trace.note('pipe');
    await lastValueFrom(shared.answer());
    return value;
  }
}

@Catch()
class TracedFilter implements ExceptionFilter {
  constructor(
    @Inject(Trace) readonly trace: Trace,
    @Inject(HttpAdapterHost) readonly host: HttpAdapterHost,
  ) {}
  catch(_: unknown, host: ArgumentsHost): void {
    this.trace.note('filter');
    this.host.httpAdapter.reply(host.getArgByIndex(1), this.trace.seen, 418);
  }
}

/** Thrown before a controller's own filters can count, or by its guard. */
class Broken extends Error {}

@Catch(Broken)
class GlobalFilter extends TracedFilter {}

@Injectable()
class BreakingGuard implements CanActivate {
  canActivate() {
    return shared.answer().pipe(
      map(() => {
        throw new Broken();
      }),
    );
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  constructor(
    @Inject(TENANT_ID) readonly tenantId: string,
    @Inject(REQUEST) readonly request: unknown,
  ) {}
}

@Controller()
@UseGuards(ForeignGuard)
@UseInterceptors(ForeignInterceptor, InnerInterceptor)
@UsePipes(ForeignPipe)
@UseFilters(TracedFilter)
class StagesController {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(Trace) readonly trace: Trace,
  ) {}

  @Post('stages')
  stages(@Body() _: unknown) {
    this.trace.note('handler');
    return defer(async () => {
      this.trace.note('Observable of the handler');
      return this.trace.seen;
    });
  }

  @Get('fails')
  fails(@Query('q') _: string) {
    this.trace.note('handler');
    throw new Error('as it should');
  }

  @Sse('events')
  events() {
    this.trace.note('handler');
    return of(1).pipe(map(() => ({ data: { tenant: this.trace.context.state } })));
  }

  @Get('notes')
  async list() {
    return (await this.notes.find().lean()).map(({ tenant }) => tenant);
  }
}

@Controller()
class PlainController {
  constructor(@InjectTenantModel(Note.name) readonly notes: TenantModel<Note>) {}
  @Get('broken/guard')
  @UseGuards(BreakingGuard)
  broken() {}

  @Get('plain')
  async list() {
    return (await this.notes.find().lean()).map(({ tenant }) => tenant);
  }
}

@Controller()
class RequestScopedController {
  constructor(@Inject(RequestScoped) readonly scoped: RequestScoped) {}
  @Get('scoped')
  read() {
    return { tenant: this.scoped.tenantId };
  }
}

@Module({})
class MiddlewareModule implements NestModule {
  constructor(@Inject(Trace) private readonly trace: Trace) {}
  configure(consumer: MiddlewareConsumer): void {
    const foreign = (where: string) => (_: unknown, __: unknown, next: () => void) => {
      this.trace.note(where);
      shared.ask(() => next());
    };
    consumer.apply(foreign('middleware'), foreign('second middleware')).forRoutes('*path');
    const breaking = (_: unknown, __: unknown, next: (error: Error) => void) => shared.ask(() => next(new Broken()));
    consumer.apply(breaking).forRoutes('broken/middleware');
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])("callbacks in somebody else's context, on %s", (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;
  let trace: Trace;
  /** Fastify has no tenant yet in Nest's middleware. */
  const inMiddleware = (tenant: string) => (adapter === 'Fastify' ? 'pending' : tenant);

  beforeAll(async () => {
    server = await startTestServer();
    @Module({ providers: [Trace], exports: [Trace] })
    class TraceModule {}
    Module({ imports: [TraceModule] })(MiddlewareModule);
    app = await startHttpApp(
      {
        imports: [...notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }), TraceModule, MiddlewareModule],
        controllers: [StagesController, PlainController, RequestScopedController],
        providers: [
          RequestScoped,
          ForeignGuard,
          ForeignInterceptor,
          InnerInterceptor,
          ForeignPipe,
          TracedFilter,
          BreakingGuard,
          { provide: APP_FILTER, useClass: GlobalFilter },
        ],
      },
      adapter,
      (created) => {
        if (adapter !== 'Fastify') return;
        const fastify = created.getHttpAdapter().getInstance() as {
          addHook(name: string, hook: (request: unknown, reply: unknown, done: () => void) => void): void;
        };
        for (const hook of ['onRequest', 'preHandler']) fastify.addHook(hook, (_, __, done) => shared.ask(done));
      },
    );
    trace = app.get(Trace, { strict: false });
    const notes = app.get(PlainController).notes;
    for (const tenant of ['acme', 'globex']) await trace.context.run(tenant, () => notes.create({ tenant }));
  });
  beforeEach(async () => {
    shared.close();
    await get('/plain', 'acme'); // acme's request opens what the others' are answered by
    trace.clear();
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });
  const send = (method: 'get' | 'post', path: string, tenant?: string) => {
    const call = request(app.getHttpServer())[method](path);
    return tenant === undefined ? call : call.set('x-tenant-id', tenant);
  };
  const get = (path: string, tenant?: string) => send('get', path, tenant);

  it.each(['globex', undefined])('every stage of a request runs as its own tenant: %s', async (tenant) => {
    const own = tenant ?? 'none';
    expect((await send('post', '/stages', tenant)).status).toBe(201);
    expect(trace.seen).toEqual({
      middleware: inMiddleware(own),
      'second middleware': inMiddleware(own),
      guard: own,
      'outer interceptor': own,
      'inner interceptor': own,
      pipe: own,
      handler: own,
      'Observable of the handler': own,
      'inner interceptor after': own,
      'outer interceptor after': own,
    });
  });

  it('so do its filters', async () => {
    const { status, body } = await get('/fails?q=1', 'globex');
    expect(status).toBe(418);
    expect(body).toMatchObject({ handler: 'globex', 'outer interceptor after': 'globex', filter: 'globex' });
  });

  it.each(['globex', undefined])('and those of the application: %s', async (tenant) => {
    const own = tenant ?? 'none';
    expect((await send('get', '/broken/guard', tenant)).body).toMatchObject({ filter: own });
    trace.clear();
    expect((await send('get', '/broken/middleware', tenant)).body).toMatchObject({ filter: inMiddleware(own) });
  });

  it('so does an event stream', async () => {
    expect((await get('/events', 'globex')).text).toContain('{"tenant":"globex"}');
  });

  it('so do request-scoped providers', async () => {
    expect((await get('/scoped', 'globex')).body).toEqual({ tenant: 'globex' });
    expect((await get('/scoped')).status).toBe(400);
  });

  it('no document of the tenant that opened the resource is found by another, nor without one', async () => {
    for (const path of ['/notes', '/plain']) {
      expect((await get(path, 'globex')).body).toEqual(['globex']);
      expect((await get(path, 'acme')).body).toEqual(['acme']);
    }
    expect((await get('/plain')).status).toBe(400);
  });
});
