import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  Post,
  Query,
  Res,
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
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { fromHeader, InjectTenantModel, TenantContext, type TenantModel } from 'nestjs-polymongo';
import { interval, map, take, tap } from 'rxjs';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { turns } from '../../support/turns.js';

/** Where the current request has seen which tenant. */
@Injectable()
class Trace {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  readonly seen: Record<string, string | undefined> = {};
  note(where: string): void {
    this.seen[where] = this.context.current();
  }
}

@Injectable()
class TracedGuard implements CanActivate {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  canActivate(): boolean {
    this.trace.note('guard');
    return true;
  }
}

@Injectable()
class TracedInterceptor implements NestInterceptor {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    this.trace.note('interceptor before');
    return next.handle().pipe(tap({ error: () => this.trace.note('interceptor after') }));
  }
}

@Injectable()
class TracedPipe implements PipeTransform {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  transform(value: unknown): unknown {
    this.trace.note('pipe');
    return value;
  }
}

class Boom extends Error {}

@Catch(Boom)
class TracedFilter implements ExceptionFilter {
  constructor(
    @Inject(Trace) readonly trace: Trace,
    @Inject(HttpAdapterHost) readonly host: HttpAdapterHost,
  ) {}
  catch(_: Boom, host: ArgumentsHost): void {
    this.trace.note('filter');
    this.host.httpAdapter.reply(host.getArgByIndex(1), this.trace.seen, 418);
  }
}

@Controller()
class NotesController {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(Trace) readonly trace: Trace,
  ) {}

  @Get('who')
  who() {
    return { tenant: this.context.current() ?? null };
  }

  @Post('notes')
  async add(@Body() body: { text: string }) {
    return this.notes.create({ tenant: this.context.require(), text: body.text });
  }

  @Get('notes')
  async list() {
    const [notes, count] = await Promise.all([this.notes.find().lean(), this.notes.countDocuments()]);
    return { notes: notes.map(({ tenant }) => tenant), count };
  }

  @Get('traced')
  @UseGuards(TracedGuard)
  @UseInterceptors(TracedInterceptor)
  @UsePipes(TracedPipe)
  @UseFilters(TracedFilter)
  traced(@Query('q') _: string): never {
    this.trace.note('handler');
    throw new Boom();
  }

  @Sse('ticks')
  ticks() {
    return interval(2).pipe(
      take(3),
      map(() => ({ data: { tenant: this.context.current() } })),
    );
  }

  @Get('cursor')
  async cursor(@Res() response: unknown) {
    const tenants: string[] = [];
    for await (const note of this.notes.find().cursor()) tenants.push(note.tenant);
    await turns();
    (response as { send(body: unknown): void }).send({ tenants, after: this.context.current() });
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('the tenant of an HTTP request on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp(
      {
        imports: notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }),
        controllers: [NotesController],
        providers: [Trace, TracedGuard, TracedInterceptor, TracedPipe, TracedFilter],
      },
      adapter,
    );
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });
  const get = (path: string, tenant?: string) => {
    const call = request(app.getHttpServer()).get(path);
    return tenant === undefined ? call : call.set('x-tenant-id', tenant);
  };

  it('decides whose database models read and write, also after a body was read', async () => {
    for (const tenant of ['acme', 'globex', 'acme']) {
      const { body, status } = await request(app.getHttpServer())
        .post('/notes')
        .set('x-tenant-id', tenant)
        .send({ text: 'x'.repeat(70_000) });
      expect([status, body.tenant]).toEqual([201, tenant]);
    }
    expect((await get('/notes', 'acme')).body).toEqual({ notes: ['acme', 'acme'], count: 2 });
    expect((await get('/notes', 'globex')).body).toEqual({ notes: ['globex'], count: 1 });
    expect((await get('/cursor', 'acme')).body).toEqual({ tenants: ['acme', 'acme'], after: 'acme' });
  });

  it('is seen by guards, interceptors, pipes, handlers and filters', async () => {
    const { body, status } = await get('/traced?q=1', 'acme');
    expect(status).toBe(418);
    expect(body).toEqual({
      guard: 'acme',
      'interceptor before': 'acme',
      pipe: 'acme',
      handler: 'acme',
      'interceptor after': 'acme',
      filter: 'acme',
    });
  });

  it('lasts through server-sent events', async () => {
    const { text } = await get('/ticks', 'acme');
    expect(text.match(/"tenant":"(\w+)"/g)).toEqual(Array(3).fill('"tenant":"acme"'));
  });

  it('is none for a request that names none; what needs one answers 400', async () => {
    expect((await get('/who')).body).toEqual({ tenant: null });
    const { status, body } = await get('/notes');
    expect(status).toBe(400);
    expect(body).toMatchObject({ statusCode: 400, message: expect.stringContaining('No tenant') });
  });

  it('is refused with 400 when its id is malformed, and the id is not repeated', async () => {
    const { status, body } = await get('/who', '../<script>');
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain('script');
    expect(body.message).toContain('Invalid tenant id');
  });

  it('does not mix between requests at the same time', async () => {
    const tenants = Array.from({ length: 40 }, (_, i) => `t${i % 8}`);
    const answers = await Promise.all(tenants.map((tenant) => get('/who', tenant)));
    expect(answers.map(({ body }) => body.tenant)).toEqual(tenants);
  });
});
