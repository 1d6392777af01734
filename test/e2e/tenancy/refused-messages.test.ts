import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Inject,
  Injectable,
  Logger,
  Scope,
  UseFilters,
  UseInterceptors,
  type INestApplication,
  type LoggerService,
} from '@nestjs/common';
import { ClientProxyFactory, EventPattern, MessagePattern, Transport, type ClientProxy } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  fromPayload,
  InjectTenantModel,
  PolyMongoWrapper,
  TENANT_ID,
  TenantContext,
  TenantExceptionFilter,
  TenantInterceptor,
  type TenantModel,
} from 'nestjs-polymongo';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startGraphqlApp, type DriverName } from '../../support/graphql-app.js';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import { startHttpApp } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';

@Injectable({ scope: Scope.REQUEST })
class PerMessage {
  constructor(@Inject(TENANT_ID) readonly tenantId: string) {}
}

class Reads {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}
  async read() {
    await this.notes.countDocuments();
    return this.context.require();
  }
}

@Controller()
@UseInterceptors(TenantInterceptor)
class Messages extends Reads {
  @MessagePattern('plain')
  plain() {
    return this.read();
  }
  @EventPattern('plain event')
  plainEvent(_: unknown) {
    return this.read();
  }
  @MessagePattern('filtered')
  @UseFilters(TenantExceptionFilter)
  filtered() {
    return this.read();
  }
  @EventPattern('filtered event')
  @UseFilters(TenantExceptionFilter)
  filteredEvent(_: unknown) {
    return this.read();
  }
}

@Controller()
class ScopedMessages {
  constructor(@Inject(PerMessage) readonly made: PerMessage) {}
  @MessagePattern('scoped')
  scoped() {
    return this.made.tenantId;
  }
}

@WebSocketGateway()
@UseInterceptors(TenantInterceptor)
class Gateway extends Reads {
  @SubscribeMessage('plain')
  plain() {
    return this.read();
  }
  @SubscribeMessage('filtered')
  @UseFilters(TenantExceptionFilter)
  filtered() {
    return this.read();
  }
}

/** What a client says that is refused, and by what. */
const REFUSED = [
  ['names no tenant', {}, 'TenantMissingError'],
  ['names a malformed one', { tenant: 'NO WAY' }, 'InvalidTenantIdError'],
  ['names what is no text', { tenant: { $ne: 'acme' } }, 'InvalidTenantIdError'],
  ['names two', { tenant: 'acme', also: 'globex' }, 'TenantConflictError'],
  ['names one that there is not', { tenant: 'hooli' }, 'TenantUnknownError'],
] as const;

/** Everything that Nest and GraphQL's libraries were given to log, from warnings up. */
const logged: unknown[] = [];
const note = (...line: unknown[]) => void logged.push(line);
const watchLogs = () =>
  Logger.overrideLogger({ log() {}, debug() {}, warn: note, error: note, fatal: note } satisfies LoggerService);
/** The errors that the debug log has a line of. */
const told: string[] = [];
const watchRefusals = (app: INestApplication<App>) =>
  app.get(PolyMongoWrapper).pools.events.on('refused', ({ error }) => void told.push(error.name));

let server: TestServer;
let app: INestApplication<App>;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => {
  logged.length = 0;
  told.length = 0;
});
afterAll(async () => {
  Logger.overrideLogger(['fatal']);
  await server?.stop();
});

describe('a message that is refused for its tenant is a line of the debug log only,', () => {
  let tcp: ClientProxy;
  let socket: Socket;

  beforeAll(async () => {
    const resolve = [fromPayload('tenant'), fromPayload('also')];

    app = await startHttpApp({
      imports: notesModules(server.uri, { resolve, exists: (tenantId) => tenantId !== 'hooli' }),
      controllers: [Messages, ScopedMessages],
      providers: [Gateway, PerMessage],
    });
    const service = app.connectMicroservice(
      { transport: Transport.TCP, options: { port: 0, host: '127.0.0.1' } },
      { inheritAppConfig: true },
    );
    await app.startAllMicroservices();
    const { port } = service.unwrap<Server>().address() as AddressInfo;
    tcp = ClientProxyFactory.create({ transport: Transport.TCP, options: { port, host: '127.0.0.1' } });
    const { port: httpPort } = (app.getHttpServer() as Server).address() as AddressInfo;
    socket = io(`http://127.0.0.1:${httpPort}`);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    watchLogs();
    watchRefusals(app);
  });
  afterAll(async () => {
    socket?.disconnect();
    await tcp?.close();
    await app?.close();
  });

  const failureOf = (asked: Promise<unknown>) => asked.then(fail, (error: unknown) => error);
  const fail = (): never => {
    throw new Error('It was let in.');
  };

  describe.each(['plain', 'filtered'])('with the filter of %s handlers,', (way) => {
    it.each(REFUSED)('of a microservice, which %s', async (_, data, error) => {
      expect(await failureOf(lastValueFrom(tcp.send(way, data)))).toMatchObject({ status: 'error' });
      expect(told).toEqual([error]);
      expect(logged).toEqual([]);
    });

    it.each(REFUSED)('an event of a microservice, which %s', async (_, data, error) => {
      await lastValueFrom(tcp.emit(`${way} event`, data), { defaultValue: undefined });
      expect(await lastValueFrom(tcp.send('plain', { tenant: 'acme' }))).toBe('acme'); // of one socket, in order
      await waitFor(() => told.length > 0);
      expect(told).toEqual([error]);
      expect(logged).toEqual([]);
    });

    it.each(REFUSED)('of a gateway, which %s', async (_, data, error) => {
      const failure = new Promise((resolve) => socket.once('exception', resolve));
      socket.emit(way, data);
      expect(await failure).toMatchObject({ status: 'error' });
      expect(told).toEqual([error]);
      expect(logged).toEqual([]);
    });
  });

  it('of which a REQUEST-scoped provider needs one', async () => {
    expect(await failureOf(lastValueFrom(tcp.send('scoped', {})))).toMatchObject({ status: 'error' });
    expect(told).toEqual(['TenantMissingError']);
    expect(logged).toEqual([]);
  });

  it('and what is no client’s fault is logged as ever', async () => {
    app.get(Messages).read = () => Promise.reject(new Error('broken'));
    expect(await failureOf(lastValueFrom(tcp.send('plain', { tenant: 'acme' })))).toMatchObject({ status: 'error' });
    expect(logged).toHaveLength(1);
  });
});

describe.each<DriverName>(['Apollo', 'Mercurius'])('a GraphQL operation that is refused, with %s,', (driver) => {
  beforeAll(async () => {
    app = await startGraphqlApp(server.uri, driver);
    watchLogs();
    watchRefusals(app);
  });
  afterAll(() => app?.close());

  it.each([
    ['query', '{ list { tenant } }', undefined, 'TenantMissingError'],
    ['query', '{ list { tenant } }', 'NO WAY', 'InvalidTenantIdError'],
    ['mutation', 'mutation { add(text: "x") { tenant } }', undefined, 'TenantMissingError'],
  ])('is a line of the debug log only: a %s %s of %s', async (_, query, tenant, error) => {
    const call = request(app.getHttpServer()).post('/graphql');
    await (tenant ? call.set('x-tenant-id', tenant) : call).send({ query });
    expect(told).toEqual([error]);
    expect(logged).toEqual([]);
  });

  it.each([
    [undefined, 'TenantMissingError'],
    ['NO WAY', 'InvalidTenantIdError'],
  ])('is a line of the debug log only: a subscription of %s', async (tenant, error) => {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const subscriber = await GraphqlSubscriber.connect(`127.0.0.1:${port}`, undefined, {}, { meta: { tenant } });
    await expect(subscriber.first('subscription { added { tenant } }')).rejects.toThrow();
    await subscriber.close();
    expect(told).toEqual([error]);
    expect(logged).toEqual([]);
  });
});
