import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Inject,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { Args, GqlExecutionContext, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { AuthGuard } from '@nestjs/passport';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  fromClaim,
  fromHeader,
  InjectTenantModel,
  TenantContext,
  TenantExceptionFilter,
  TenantGuard,
  TenantInterceptor,
  type TenantModel,
} from 'nestjs-polymongo';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { graphqlModule } from '../../support/graphql-module.js';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import { startHttpApp } from '../../support/http-app.js';
import { bearer, JwtStrategy } from '../../support/jwt.js';
import { Loopback } from '../../support/loopback.transport.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** Of a gateway's socket or a GraphQL operation, as @nestjs/passport has it done. */
@Injectable()
class MessageAuthGuard extends AuthGuard('jwt') {
  override getRequest(execution: ExecutionContext): unknown {
    if (execution.getType() === 'ws')
      return execution.switchToWs().getClient<Socket & { handshake: object }>().handshake;
    return GqlExecutionContext.create(execution).getContext<{ reply: { request: unknown } }>().reply.request;
  }
}

/** Verifies what a message carries, and leaves who sent it on the message's context. */
@Injectable()
class SenderGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { org, user } = execution.switchToRpc().getData<{ org?: string; user?: unknown }>();
    expect(user).not.toBeDefined();
    execution.switchToRpc().getContext<{ user?: unknown }>().user = { org };
    return true;
  }
}

/** Reads the tenant's database, as a guard of roles does. */
@Injectable()
class ReadingGuard implements CanActivate {
  seen: string[] = [];
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}
  async canActivate(): Promise<boolean> {
    await this.notes.countDocuments();
    this.seen.push(this.context.state);
    return true;
  }
}

class Who {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  get tenant(): string {
    return this.context.require();
  }
}

@Controller()
@UseFilters(TenantExceptionFilter)
class Messages extends Who {
  @MessagePattern('who')
  @UseGuards(SenderGuard, TenantGuard, ReadingGuard)
  @UseInterceptors(TenantInterceptor)
  who() {
    return this.tenant;
  }

  @MessagePattern('wrong order')
  @UseGuards(TenantGuard, SenderGuard)
  wrong() {
    return this.tenant;
  }
}

@WebSocketGateway()
@UseGuards(MessageAuthGuard, TenantGuard, ReadingGuard)
@UseFilters(TenantExceptionFilter)
class Gateway extends Who {
  @SubscribeMessage('who')
  who() {
    return this.tenant;
  }
}

@Resolver()
@UseGuards(MessageAuthGuard, TenantGuard, ReadingGuard)
class Whos extends Who {
  @Query(() => String)
  who(@Args('after', { type: () => String, nullable: true }) _?: string) {
    return this.tenant;
  }

  @Subscription(() => String, { resolve: (who: string) => who })
  async *whos() {
    yield this.tenant;
  }
}

describe('TenantGuard of messages and GraphQL', () => {
  let server: TestServer;
  let app: INestApplication<App>;
  let host: string;
  let guard: ReadingGuard;
  let asked = 0;
  const loopback = new Loopback();

  beforeAll(async () => {
    server = await startTestServer();
    const org = fromClaim('org');
    const resolve = [
      fromHeader('x-tenant-id'),
      Object.assign((...[of, context]: Parameters<typeof org>) => (asked++, org(of, context)), {
        runsAfterGuards: true,
      }),
    ];
    app = await startHttpApp(
      {
        imports: [...notesModules(server.uri, { resolve }), graphqlModule('Fastify')],
        controllers: [Messages],
        providers: [JwtStrategy, MessageAuthGuard, SenderGuard, ReadingGuard, Gateway, Whos],
      },
      'Fastify',
      (created) => created.connectMicroservice({ strategy: loopback }),
    );
    await app.startAllMicroservices();
    guard = app.get(ReadingGuard);
    host = `127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    guard.seen = [];
    asked = 0;
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  it('decides each microservice message, by what a guard left on its context; interceptors do not ask again', async () => {
    expect(await loopback.ask('who', { org: 'acme' })).toBe('acme');
    expect(await loopback.ask('who', { org: 'globex' })).toBe('globex');
    await expect(loopback.ask('who', {})).rejects.toMatchObject({ statusCode: 400 });
    expect(guard.seen).toEqual(['acme', 'globex']);
    expect(asked).toBe(3);
  });

  it('before the guard that authenticates fails each message', async () => {
    await expect(loopback.ask('wrong order', { org: 'acme' })).rejects.toMatchObject({ status: 'error' });
    await expect(loopback.ask('wrong order', { org: 'acme' })).rejects.toMatchObject({ status: 'error' });
  });

  it('decides each message of a gateway', async () => {
    const says = async (org: string, header: string) => {
      const headers = { authorization: bearer({ org }), 'x-tenant-id': header };
      const socket = io(`http://${host}`, { extraHeaders: headers, forceNew: true });
      try {
        return await new Promise((resolve) => {
          socket.once('exception', (failure: { statusCode: number }) => resolve(failure.statusCode));
          socket.emit('who', {}, resolve);
        });
      } finally {
        socket.disconnect();
      }
    };
    expect(await says('acme', 'acme')).toBe('acme');
    expect(await says('globex', 'globex')).toBe('globex');
    expect(await says('acme', 'globex')).toBe(403);
    expect(guard.seen).toEqual(['acme', 'globex']);
  });

  it('decides a GraphQL operation once, for all its fields', async () => {
    const query = '{ one: who two: who(after: "one") }';
    for (const org of ['acme', 'globex']) {
      const call = request(app.getHttpServer()).post('/graphql').set('authorization', bearer({ org }));
      expect((await call.send({ query })).body).toEqual({ data: { one: org, two: org } });
    }
    expect(guard.seen).toEqual(['acme', 'acme', 'globex', 'globex']);
    expect(asked).toBe(2);
  });

  it('decides a GraphQL subscription', async () => {
    const subscriber = await GraphqlSubscriber.connect(host, 'acme', { authorization: bearer({ org: 'acme' }) });
    expect(await subscriber.first('subscription { whos }')).toEqual({ whos: 'acme' });
    await subscriber.close();
  });
});
