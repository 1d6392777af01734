import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { TenantContext, TenantInterceptor } from 'nestjs-polymongo';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defer, of } from 'rxjs';
import { io } from 'socket.io-client';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { headerOrMessage } from '../../support/message-tenants.js';
import { graphqlModule } from '../../support/graphql-module.js';

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

@Catch()
class SeenFilter implements ExceptionFilter {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  catch() {
    return new Error(`filter of ${this.context.state}`);
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

  /** Runs when it is read, by whoever does. */
  @Subscription(() => String, { resolve: (value: string) => value })
  @UseInterceptors(TenantInterceptor)
  async *later() {
    yield this.seen.context.state;
  }

  @Subscription(() => String, { resolve: (value: string) => value })
  @UseInterceptors(TenantInterceptor)
  @UseFilters(SeenFilter)
  fails(): never {
    throw new Error('as it should');
  }
}

async function* only(state: string) {
  yield state;
}

const NONE = { guard: 'none', interceptor: 'none', handler: 'none', Observable: 'none' };
const asked = (tenant: string) => ({ guard: 'pending', interceptor: tenant, handler: tenant, Observable: tenant });
describe.each(Object.keys(ADAPTERS) as AdapterName[])('a message that inherits a scope, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    server = await startTestServer();
    const graphql = graphqlModule('Fastify');
    const isFastify = adapter === 'Fastify';
    const module = await Test.createTestingModule({
      imports: [...notesModules(server.uri, { resolve: headerOrMessage }), ...(isFastify ? [graphql] : [])],
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
      const subscriber = await GraphqlSubscriber.connect(url, 'globex');
      try {
        for (const [field, tenant] of Object.entries({ plain: 'none', asked: 'globex', later: 'globex' })) {
          expect(await subscriber.first(`subscription { ${field} }`)).toEqual({ [field]: tenant });
        }
        await expect(subscriber.first('subscription { fails }')).rejects.toThrow('filter of globex');
      } finally {
        await subscriber.close();
      }
    });
  }
});
