import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Logger,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Inject } from '@nestjs/common';
import {
  fromHeader,
  InjectTenantModel,
  PolyMongoError,
  PolyMongoWrapper,
  TenantError,
  TenantMissingError,
  TenantOverloadedError,
  type TenantModel,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** As applications write theirs: what is no HttpException is a 500. */
@Catch()
class OwnFilter implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) readonly host: HttpAdapterHost) {}
  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    this.host.httpAdapter.reply(host.getArgByIndex(1), { own: status }, status);
  }
}

@Controller()
class NotesController {
  constructor(@InjectTenantModel(Note.name) readonly notes: TenantModel<Note>) {}
  @Get('notes')
  list() {
    return this.notes.find().lean();
  }
  @Get('overloaded')
  overloaded() {
    throw new TenantOverloadedError(7);
  }
  @Get('own')
  @UseFilters(OwnFilter)
  own() {
    return this.notes.find().lean();
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('a client that is refused, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;
  /** Everything that Nest was given to log, from its warnings up. */
  const logged: unknown[] = [];
  const told: string[] = [];

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp(
      { imports: notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }), controllers: [NotesController] },
      adapter,
    );
    const note = (...line: unknown[]) => void logged.push(line);
    Logger.overrideLogger({ log() {}, debug() {}, warn: note, error: note, fatal: note } satisfies LoggerService);
    app.get(PolyMongoWrapper).pools.events.on('refused', ({ error }) => told.push(error.name));
  });
  afterAll(async () => {
    Logger.overrideLogger(['fatal']);
    await app?.close();
    await server?.stop();
  });
  const get = (path: string, tenant?: string) => {
    const call = request(app.getHttpServer()).get(path);
    return tenant === undefined ? call : call.set('x-tenant-id', tenant);
  };

  it("gets Nest's body of an HttpException, and is a line of the debug log only", async () => {
    const missing = await get('/notes');
    expect(missing.body).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: expect.stringContaining('No tenant'),
    });
    const malformed = await get('/notes', 'NO WAY');
    expect(malformed.body).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    expect([missing.status, malformed.status]).toEqual([400, 400]);
    expect(told).toEqual(['TenantMissingError', 'InvalidTenantIdError']);
    expect(logged).toEqual([]);
  });

  it("is told when to try again where its tenant has too many calls, through Nest's own filter", async () => {
    const { status, body, headers } = await get('/overloaded', 'a');
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    const message = expect.stringContaining('7 wait for the database already');
    expect(body).toEqual({ statusCode: 503, error: 'Service Unavailable', message });
    expect((await get('/notes', 'NO WAY')).headers).not.toHaveProperty('retry-after');
  });

  it("gets its status from an application's own filter", async () => {
    expect((await get('/own')).body).toEqual({ own: 400 });
  });

  it('is refused by an error that is a PolyMongoError as all are', () => {
    const cause = new Error('why');
    const error = new TenantError('text', 404, { cause });
    for (const type of [PolyMongoError, TenantError, HttpException, Error]) expect(error).toBeInstanceOf(type);
    expect(error).not.toBeInstanceOf(TenantMissingError);
    expect(new PolyMongoError('text')).not.toBeInstanceOf(TenantError);
    expect(error).toMatchObject({ name: 'TenantError', message: 'text', statusCode: 404, cause });
  });
});
