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
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { MessagePattern, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { fromHeader, TenantContext, TenantInterceptor, type TenantOptions } from 'nestjs-polymongo';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defer, isObservable, lastValueFrom, of, type Observable } from 'rxjs';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** A transport inside of the process: a message is handled in the context of its sender. */
class Loopback extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    return undefined as T;
  }
  async ask(pattern: string, data: unknown): Promise<unknown> {
    const answer: unknown = await this.getHandlerByPattern(pattern)!(data, {});
    return isObservable(answer) ? lastValueFrom(answer as Observable<unknown>) : answer;
  }
}
const loopback = new Loopback();

/** Which tenant each stage of the last message ran as. */
let stages: Record<string, string> = {};

/** Nest makes one as a provider, one as a guard and one as an interceptor. */
@Injectable()
class Seen implements CanActivate, NestInterceptor {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  canActivate(): boolean {
    stages = { guard: this.context.state };
    return true;
  }
  intercept(_: ExecutionContext, next: CallHandler) {
    stages['interceptor'] = this.context.state;
    return next.handle();
  }
  handled() {
    stages['handler'] = this.context.state;
    return defer(() => of({ ...stages, Observable: this.context.state }));
  }
}

@Controller()
class LoopbackController {
  constructor(@Inject(Seen) readonly seen: Seen) {}

  @MessagePattern('plain')
  @UseGuards(Seen)
  @UseInterceptors(Seen)
  plain() {
    return this.seen.handled();
  }

  @MessagePattern('bare')
  bare() {
    return { tenant: this.seen.context.state };
  }

  @MessagePattern('asked')
  @UseGuards(Seen)
  @UseInterceptors(Seen, TenantInterceptor)
  asked() {
    return this.seen.handled();
  }

  /** Sends a message from inside of an HTTP request. */
  @Get('relay')
  async relay() {
    const before = this.seen.context.state;
    const answers = [];
    for (const pattern of ['plain', 'bare', 'asked']) answers.push(await loopback.ask(pattern, { tenant: 'initech' }));
    return { answers, before, after: this.seen.context.state };
  }
}

@WebSocketGateway({ destroyUpgrade: false }) // the upgrades of others, to GraphQL, are none of its business
@UseGuards(Seen)
@UseInterceptors(Seen)
class SeenGateway {
  constructor(@Inject(Seen) readonly seen: Seen) {}
  @SubscribeMessage('plain')
  plain() {
    return this.seen.handled();
  }
  @SubscribeMessage('asked')
  @UseInterceptors(TenantInterceptor)
  asked() {
    return this.seen.handled();
  }
}

@Resolver()
class SeenResolver {
  constructor(@Inject(Seen) readonly seen: Seen) {}

  @Query(() => String)
  state() {
    return this.seen.context.state;
  }

  @Subscription(() => String, { resolve: (value: string) => value })
  plain() {
    return only(this.seen.context.state);
  }

  @Subscription(() => String, { resolve: (value: string) => value })
  @UseInterceptors(TenantInterceptor)
  asked() {
    return only(this.seen.context.state);
  }
}

async function* only(state: string) {
  yield state;
}

const NONE = { guard: 'none', interceptor: 'none', handler: 'none', Observable: 'none' };
const asked = (tenant: string) => ({ guard: 'none', interceptor: tenant, handler: tenant, Observable: tenant });
const resolve: TenantOptions['resolve'] = [
  fromHeader('x-tenant-id'),
  ({ data }) => (data as { tenant?: string } | undefined)?.tenant,
];

describe.each(Object.keys(ADAPTERS) as AdapterName[])('a message that inherits a scope, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    server = await startTestServer();
    const graphql = GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      autoSchemaFile: true,
      subscription: true,
    });
    const isFastify = adapter === 'Fastify';
    const module = await Test.createTestingModule({
      imports: [...notesModules(server.uri, { resolve }), ...(isFastify ? [graphql] : [])],
      controllers: [LoopbackController],
      providers: [Seen, SeenGateway, ...(isFastify ? [SeenResolver] : [])],
    }).compile();
    app = module.createNestApplication(ADAPTERS[adapter](), { logger: ['fatal'] });
    // Every socket of it is accepted in the scope that it was started in.
    await app.get(TenantContext).run('acme', async () => {
      app.connectMicroservice({ strategy: loopback });
      await app.startAllMicroservices();
      await app.listen(0, '127.0.0.1');
    });
    const { port } = (app.getHttpServer() as HttpServer).address() as AddressInfo;
    url = `127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  it('an HTTP request does not inherit it', async () => {
    const response = await fetch(`http://${url}/relay`);
    expect(await response.json()).toMatchObject({ before: 'none', after: 'none' });
  });

  it('a microservice message has none but its own, and leaves its sender his', async () => {
    const response = await fetch(`http://${url}/relay`, { headers: { 'x-tenant-id': 'globex' } });
    expect(await response.json()).toEqual({
      answers: [NONE, { tenant: 'none' }, asked('initech')],
      before: 'globex',
      after: 'globex',
    });
  });

  it('a WebSocket message has none but its own', async () => {
    const socket = io(`http://${url}`, { extraHeaders: { 'x-tenant-id': 'globex' }, forceNew: true });
    const seen = [await socket.emitWithAck('plain', {}), await socket.emitWithAck('asked', {})];
    socket.disconnect();
    expect(seen).toEqual([NONE, asked('globex')]);
  });

  if (adapter === 'Fastify') {
    it('a GraphQL operation over HTTP has that of its request, and a subscription none but its own', async () => {
      const response = await fetch(`http://${url}/graphql`, {
        method: 'POST',
        headers: { 'x-tenant-id': 'globex', 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ state }' }),
      });
      expect(await response.json()).toEqual({ data: { state: 'globex' } });
      expect(await subscribe(url, 'subscription { plain }')).toEqual({ plain: 'none' });
      expect(await subscribe(url, 'subscription { asked }')).toEqual({ asked: 'globex' });
    });
  }
});

/** The first thing that a subscription of globex is told. */
async function subscribe(url: string, query: string): Promise<unknown> {
  const socket = new WebSocket(`ws://${url}/graphql`, 'graphql-transport-ws', { headers: { 'x-tenant-id': 'globex' } });
  const told = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (message: Buffer) => {
      const { type, payload } = JSON.parse(message.toString()) as { type: string; payload: { data: unknown } };
      if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      if (type === 'next') resolve(payload.data);
      if (type === 'error') reject(new Error(message.toString()));
    });
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  const data = await told;
  socket.close();
  await once(socket, 'close');
  return data;
}
