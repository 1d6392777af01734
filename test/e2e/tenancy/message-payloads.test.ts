import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Inject, UseFilters, UseGuards, type INestApplication } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Payload, Transport, type ClientProxy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  fromHeader,
  fromPayload,
  PolyMongoModule,
  TenantConflictError,
  TenantContext,
  TenantExceptionFilter,
  TenantGuard,
  TenantMessages,
  TenantMissingError,
} from 'nestjs-polymongo';
import type { AddressInfo, Server } from 'node:net';
import { firstValueFrom } from 'rxjs';

@Controller()
@UseGuards(TenantGuard)
@UseFilters(TenantExceptionFilter)
class Orders {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  @MessagePattern('who')
  who(@Payload() { page }: { page: number }) {
    return [this.context.require(), page];
  }
}

describe('the tenant in the payload of a TCP message', () => {
  let app: INestApplication;
  let client: ClientProxy;
  let context: TenantContext;
  let messages: TenantMessages;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({
          mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent
          tenant: { resolve: [fromHeader('x-tenant-id'), fromPayload('meta.tenant')] },
        }),
      ],
      controllers: [Orders],
    }).compile();
    app = module.createNestApplication({ logger: ['fatal'] });
    const service = app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    await app.startAllMicroservices();
    const { port } = service.unwrap<Server>().address() as AddressInfo;
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
    context = app.get(TenantContext);
    messages = app.get(TenantMessages);
  });
  afterAll(async () => {
    client?.close();
    await app?.close();
  });
  const ask = (data: object) => firstValueFrom(client.send<unknown>('who', data));

  it('is put there for the current one, whoever subscribes, and read from there', async () => {
    const sent = ['acme', 'globex'].map((tenant) =>
      context.run(tenant, () => client.send<unknown>('who', messages.inPayload({ page: 1 }, 'meta.tenant'))),
    );
    for (const [i, tenant] of ['acme', 'globex'].entries()) {
      expect(await context.run('initech', () => firstValueFrom(sent[i]!))).toEqual([tenant, 1]);
    }
  });

  it('is refused by the receiver when it is missing or malformed', async () => {
    await expect(ask({ page: 1 })).rejects.toMatchObject({ statusCode: 400 });
    await expect(ask({ page: 1, meta: { tenant: 7 } })).rejects.toMatchObject({ statusCode: 400 });
    await expect(ask({ page: 1, meta: 'acme' })).rejects.toMatchObject({ statusCode: 400 });
  });

  it('is refused by the sender when there is none, and when another one is there', () => {
    expect(() => messages.inPayload({ page: 1 }, 'meta.tenant')).toThrow(TenantMissingError);
    expect(() => messages.inHeaders('x-tenant-id')).toThrow(TenantMissingError);
    expect(() => messages.into('x-tenant-id', new Map())).toThrow(TenantMissingError);
    const data = { meta: { tenant: 'globex' } };
    expect(() => context.run('acme', () => messages.inPayload(data, 'meta.tenant'))).toThrow(TenantConflictError);
    expect(() => context.run('acme', () => messages.inPayload([1], 'meta.tenant'))).toThrow('there is no object');
  });

  it('leaves what it is put into as it was', () => {
    const data = { meta: { trace: 't' } };
    const put = context.run('acme', () => messages.inPayload(data, 'meta.tenant'));
    expect([data, put]).toEqual([{ meta: { trace: 't' } }, { meta: { trace: 't', tenant: 'acme' } }]);
    expect(context.run('acme', () => messages.inHeaders('x-tenant-id', { trace: 't' }))).toEqual({
      trace: 't',
      'x-tenant-id': 'acme',
    });
  });

  it('has a path that is no path refused', () => {
    for (const path of ['', 'meta.', '__proto__.tenant']) expect(() => fromPayload(path)).toThrow('is no path');
  });
});
