import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { TenantContext, TenantInterceptor } from 'nestjs-polymongo';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { of, switchMap, throwError } from 'rxjs';
import { io } from 'socket.io-client';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { NEST } from '../../support/nest-version.js';
import { notesModules } from '../../support/notes.js';
import { SharedResource } from '../../support/shared-resource.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { headerOrMessage } from '../../support/message-tenants.js';

/** From Nest 12 on. */
const hasScopedGateways = NEST >= 12;

/** Answers in the context of whoever asked first. */
const shared = new SharedResource();

/** What ran as which tenant since the last test began. */
@Injectable()
class Trace {
  seen: string[] = [];
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  note(where: string): void {
    this.seen.push(`${where}: ${this.context.state}`);
  }
}

@Injectable()
class Refusing implements CanActivate {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  canActivate() {
    this.trace.note('guard');
    return false;
  }
}

@Catch()
class TracedFilter implements ExceptionFilter {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  catch(_: unknown, host: ArgumentsHost) {
    this.trace.note('filter');
    if (host.getType() === 'ws') host.switchToWs().getClient<{ emit(event: string): void }>().emit('failed');
    return of('failed');
  }
}

@Injectable({ scope: Scope.REQUEST })
class MadeForEach {
  constructor(@Inject(Trace) trace: Trace) {
    trace.note('request-scoped provider');
  }
}

@Controller()
@UseFilters(TracedFilter)
class Messages {
  constructor(@Inject(Trace) readonly trace: Trace) {}

  @MessagePattern('refused')
  @UseGuards(Refusing)
  refused(_: unknown) {}

  @MessagePattern('refused asked')
  @UseGuards(Refusing)
  @UseInterceptors(TenantInterceptor)
  refusedAsked(_: unknown) {}

  @MessagePattern('fails asked')
  @UseInterceptors(TenantInterceptor)
  fails(@Payload() _: unknown) {
    throw new Error('as it should');
  }

  /** Its Observable fails where the shared resource answers. */
  @MessagePattern('fails later')
  failsLater() {
    return shared.answer().pipe(switchMap(() => throwError(() => new Error('as it should'))));
  }

  @EventPattern('happened')
  @UseInterceptors(TenantInterceptor)
  one(@Payload() _: unknown) {
    this.trace.note('one');
  }

  @EventPattern('happened')
  another(@Payload() _: unknown) {
    this.trace.note('another');
  }
}

@Controller()
@UseFilters(TracedFilter)
class ScopedMessages {
  constructor(
    @Inject(MadeForEach) readonly made: MadeForEach,
    @Inject(Trace) readonly trace: Trace,
  ) {}
  @MessagePattern('scoped')
  scoped() {
    this.trace.note('handler');
    return 'handled';
  }
}

@WebSocketGateway()
@UseFilters(TracedFilter)
class Gateway {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  #disconnected: () => void = () => {};
  get disconnection() {
    return new Promise<void>((done) => (this.#disconnected = done));
  }

  handleConnection() {
    this.trace.note('connected');
  }
  handleDisconnect() {
    this.trace.note('disconnected');
    this.#disconnected();
  }
  @SubscribeMessage('refused')
  @UseGuards(Refusing)
  refused(_: unknown) {}

  @SubscribeMessage('fails asked')
  @UseInterceptors(TenantInterceptor)
  failsAsked() {
    throw new Error('as it should');
  }

  @SubscribeMessage('fails later')
  failsLater() {
    return shared.answer().pipe(switchMap(() => throwError(() => new Error('as it should'))));
  }
}

@WebSocketGateway({ namespace: 'scoped' })
class ScopedGateway {
  constructor(
    @Inject(MadeForEach) readonly made: MadeForEach,
    @Inject(Trace) readonly trace: Trace,
  ) {}
  handleConnection() {
    this.trace.note('connected');
  }
  @SubscribeMessage('scoped')
  scoped() {
    this.trace.note('handler');
    return 'handled';
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])("a transport in somebody else's scope, on %s", (adapter) => {
  let server: TestServer;
  let app: INestApplication;
  let url: string;
  let trace: Trace;
  let context: TenantContext;
  const loopback = new Loopback();

  beforeAll(async () => {
    server = await startTestServer();
    const module = await Test.createTestingModule({
      imports: notesModules(server.uri, { resolve: headerOrMessage }),
      controllers: [Messages, ScopedMessages],
      providers: [Trace, MadeForEach, Gateway, ...(hasScopedGateways ? [ScopedGateway] : [])],
    }).compile();
    app = module.createNestApplication(ADAPTERS[adapter](), { logger: ['fatal'] });
    context = app.get(TenantContext);
    trace = app.get(Trace);
    await context.run('acme', async () => {
      app.connectMicroservice({ strategy: loopback });
      await app.startAllMicroservices();
      await app.listen(0, '127.0.0.1');
    });
    const { port } = (app.getHttpServer() as HttpServer).address() as AddressInfo;
    url = `http://127.0.0.1:${port}`;
  });
  beforeEach(async () => {
    shared.close();
    await context.run('acme', () => new Promise<void>((done) => shared.ask(done)));
    trace.seen = [];
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  const ask = (pattern: string) => context.run('acme', () => loopback.ask(pattern, { tenant: 'globex' }));

  it('has the filters of a microservice message run as the message, decided or not', async () => {
    for (const pattern of ['refused', 'refused asked', 'fails asked']) {
      trace.seen = [];
      expect(await ask(pattern)).toBe('failed');
      expect([pattern, ...trace.seen]).toEqual(
        {
          refused: ['refused', 'guard: none', 'filter: none'],
          'refused asked': ['refused asked', 'guard: pending', 'filter: pending'],
          'fails asked': ['fails asked', 'filter: globex'],
        }[pattern],
      );
    }
  });

  it('has a filter run as its message when an Observable fails elsewhere', async () => {
    expect(await ask('fails later')).toBe('failed');
    expect(trace.seen).toEqual(['filter: none']);
  });

  it('has each handler of an event begin anew', async () => {
    await context.run('acme', () => loopback.tell('happened', { tenant: 'globex' }));
    expect(trace.seen.toSorted()).toEqual(['another: none', 'one: globex']);
  });

  it('makes the REQUEST-scoped providers of a microservice message in no scope', async () => {
    expect(await ask('scoped')).toBe('handled');
    expect(trace.seen).toEqual(['request-scoped provider: none', 'handler: none']);
  });

  it('keeps a message where it is through the hooks before its guards', async () => {
    const service = app.getMicroservices()[0] as unknown as {
      registerPreRequestHook?(hook: (execution: unknown, next: () => unknown) => unknown): void;
    };
    service.registerPreRequestHook?.((_, next) => {
      trace.note('hook');
      return shared.answer().pipe(switchMap(() => next() as never));
    });
    expect(await ask('fails asked')).toBe('failed');
    expect(trace.seen.filter((seen) => seen !== 'hook: none')).toEqual(['filter: globex']);
  });

  it('has the filters of a WebSocket message run as the message', async () => {
    const socket = io(url, { extraHeaders: { 'x-tenant-id': 'globex' }, forceNew: true });
    for (const event of ['refused', 'fails asked', 'fails later']) {
      const failed = new Promise((done) => socket.once('failed', () => done(undefined)));
      socket.emit(event, {});
      await failed;
    }
    const disconnected = app.get(Gateway).disconnection;
    socket.disconnect();
    await disconnected;
    expect(trace.seen.filter((seen) => !seen.includes('connected'))).toEqual([
      'guard: none',
      'filter: none',
      'filter: globex',
      'filter: none',
    ]);
  });

  it('tells a gateway of connections in no scope', async () => {
    const disconnected = app.get(Gateway).disconnection;
    const socket = io(url, { extraHeaders: { 'x-tenant-id': 'globex' }, forceNew: true });
    await new Promise<void>((done) => socket.once('connect', done));
    socket.disconnect();
    await disconnected;
    expect(trace.seen).toEqual(['connected: none', 'disconnected: none']);
  });

  (hasScopedGateways ? it : it.skip)('makes the REQUEST-scoped providers of a gateway in no scope', async () => {
    const socket = io(`${url}/scoped`, { forceNew: true });
    expect(await socket.emitWithAck('scoped', {})).toBe('handled');
    socket.disconnect();
    expect(trace.seen.at(-1)).toBe('handler: none');
    expect(trace.seen.filter((seen) => !seen.endsWith(': none'))).toEqual([]);
  });
});
