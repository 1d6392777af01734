import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  UseFilters,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
  type ClientProxy,
} from '@nestjs/microservices';
import { Cron, CronExpression, ScheduleModule } from '@nestjs/schedule';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Test } from '@nestjs/testing';
import {
  fromHeader,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  TenantInterceptor,
  TenantExceptionFilter,
  WithTenant,
  type TenantModel,
} from 'nestjs-polymongo';
import { firstValueFrom, interval, lastValueFrom, map, take, toArray } from 'rxjs';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { turns } from '../../support/turns.js';
import { waitFor } from '../../support/wait-for.js';

interface Message {
  tenantId: string;
}

@Injectable()
class Notes {
  constructor(
    @InjectTenantModel(Note.name) readonly model: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}

  /** Writes as the current tenant and says what is in its database. */
  async add(): Promise<string[]> {
    await this.model.create({ tenant: this.context.require() });
    return (await this.model.find().lean()).map(({ tenant }) => tenant);
  }
}

@Controller('messages')
@UseFilters(TenantExceptionFilter)
class MessagesController {
  readonly events: (string | undefined)[] = [];
  constructor(@Inject(Notes) readonly notes: Notes) {}

  @MessagePattern('add')
  @WithTenant(({ tenantId }: Message) => tenantId)
  add(@Payload() _: Message) {
    return this.notes.add();
  }

  @WithTenant(({ tenantId }: Message) => tenantId)
  @MessagePattern('ticks')
  ticks(@Payload() _: Message) {
    return interval(1).pipe(
      take(3),
      map(() => this.notes.context.current()),
    );
  }

  @Get()
  list() {
    return this.notes.add();
  }

  @MessagePattern('plain')
  plain() {
    return this.notes.context.current() ?? 'none';
  }

  @EventPattern('happened')
  @WithTenant(({ tenantId }: Message) => tenantId)
  happened(@Payload() _: Message) {
    this.events.push(this.notes.context.current());
  }
}

@WebSocketGateway()
@UseInterceptors(TenantInterceptor)
@UseFilters(TenantExceptionFilter)
class NotesGateway {
  constructor(@Inject(Notes) readonly notes: Notes) {}

  @SubscribeMessage('add')
  add(@MessageBody() _: unknown, @ConnectedSocket() __: unknown) {
    return this.notes.add();
  }

  @SubscribeMessage('ticks')
  ticks() {
    return interval(1).pipe(
      take(2),
      map(() => ({ event: 'tick', data: this.notes.context.current() })),
    );
  }
}

/** As a BullMQ `WorkerHost` is. */
@Injectable()
class Processor {
  constructor(@Inject(Notes) readonly notes: Notes) {}

  @WithTenant((job: { data: Message }) => job.data.tenantId)
  async process(_: { data: Message }) {
    await turns();
    return this.notes.add();
  }
}

@Injectable()
class Nightly {
  readonly seen: (string | undefined)[] = [];
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTenants) readonly tenants: PolyMongoTenants,
  ) {}

  @Cron(CronExpression.EVERY_SECOND)
  @WithTenant('acme')
  async asAcme() {
    await turns();
    this.seen.push(this.context.current());
  }

  @Cron(CronExpression.EVERY_SECOND)
  async asEach() {
    await this.tenants.forEach((_) => void this.seen.push(this.context.current()), { tenants: ['globex'] });
  }
}

describe('a tenant outside of HTTP', () => {
  let server: TestServer;
  let app: INestApplication;
  let client: ClientProxy;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    server = await startTestServer();
    const module = await Test.createTestingModule({
      imports: [...notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }), ScheduleModule.forRoot()],
      controllers: [MessagesController],
      providers: [Notes, NotesGateway, Processor, Nightly],
    }).compile();
    app = module.createNestApplication({ logger: false });
    const service = app.connectMicroservice({ transport: Transport.TCP, options: { port: 0, host: '127.0.0.1' } });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = (service.unwrap() as { address(): AddressInfo }).address();
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port, host: '127.0.0.1' } });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  afterAll(async () => {
    await client?.close();
    await app?.close();
    await server?.stop();
  });
  const connect = (tenant?: string): Socket => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const extraHeaders: Record<string, string> = tenant === undefined ? {} : { 'x-tenant-id': tenant };
    const socket = io(`http://127.0.0.1:${port}`, { extraHeaders, reconnection: false });
    sockets.push(socket);
    return socket;
  };

  it('is that of a TCP message whose handler says where it is', async () => {
    const send = (tenantId: string) => firstValueFrom(client.send<string[]>('add', { tenantId }));
    expect(await Promise.all([send('tcp1'), send('tcp2')])).toEqual([['tcp1'], ['tcp2']]);
    expect(await lastValueFrom(client.send('ticks', { tenantId: 'tcp1' }).pipe(toArray()))).toEqual(
      Array(3).fill('tcp1'),
    );
    expect(await firstValueFrom(client.send('plain', {}))).toBe('none');
    await expect(firstValueFrom(client.send('add', { tenantId: '$where' }))).rejects.toEqual({
      status: 'error',
      statusCode: 400,
      message: expect.stringContaining('Invalid tenant id') as unknown,
    });
  });

  it('is that of a TCP event', async () => {
    await lastValueFrom(client.emit('happened', { tenantId: 'tcp1' }), { defaultValue: undefined });
    expect(await firstValueFrom(client.send('plain', {}))).toBe('none'); // messages of one socket arrive in order
    expect(app.get(MessagesController).events).toEqual(['tcp1']);
  });

  it('is that of the socket.io connection, for each of its messages', async () => {
    const [one, two] = [connect('ws1'), connect('ws2')];
    expect(await Promise.all([one.emitWithAck('add', {}), two.emitWithAck('add', {})])).toEqual([['ws1'], ['ws2']]);
    expect(await one.emitWithAck('add', {})).toEqual(['ws1', 'ws1']);
    const ticks = new Promise((resolve) => {
      const seen: unknown[] = [];
      one.on('tick', (tenant) => seen.push(tenant) === 2 && resolve(seen));
    });
    one.emit('ticks', {});
    expect(await ticks).toEqual(['ws1', 'ws1']);
  });

  it('is none on a socket that names none, and fails there', async () => {
    const socket = connect();
    const failure = new Promise((resolve) => socket.on('exception', resolve));
    socket.emit('add', {});
    expect(await failure).toEqual({
      status: 'error',
      statusCode: 400,
      message: expect.stringContaining('No tenant') as unknown,
    });
  });

  it('is none of an HTTP request that names none, which the filter for messages answers as Nest does', async () => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/messages`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ statusCode: 400 });
  });

  it('is that of a job', async () => {
    const processor = app.get(Processor);
    const jobs = ['job1', 'job2', 'job1'].map((tenantId) => ({ data: { tenantId } }));
    for (const job of jobs) expect(new Set(await processor.process(job))).toEqual(new Set([job.data.tenantId]));
    await expect(processor.process({ data: { tenantId: 'NO' } })).rejects.toThrow('Invalid tenant id');
  });

  it('is that of a scheduled method', async () => {
    const nightly = app.get(Nightly);
    await waitFor(() => nightly.seen.includes('acme') && nightly.seen.includes('globex'));
    expect(new Set(nightly.seen)).toEqual(new Set(['acme', 'globex']));
  });
});
