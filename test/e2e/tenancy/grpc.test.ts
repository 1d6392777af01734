import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { Controller, Inject, UseFilters, UseGuards, type INestMicroservice } from '@nestjs/common';
import { ClientProxyFactory, GrpcMethod, type ClientGrpc } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  fromHeader,
  PolyMongoModule,
  TenantContext,
  TenantExceptionFilter,
  TenantGuard,
  TenantMessages,
} from 'nestjs-polymongo';
import { firstValueFrom, type Observable } from 'rxjs';
import { grpcOptions } from '../../support/grpc-options.js';

@Controller()
@UseGuards(TenantGuard)
@UseFilters(TenantExceptionFilter)
class Orders {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  @GrpcMethod('Orders', 'Who')
  who() {
    return { tenant: this.context.require() };
  }
}

interface OrdersClient {
  who(question: { page: number }, metadata?: Metadata): Observable<{ tenant: string }>;
}

describe('the tenant in the metadata of a gRPC call', () => {
  let app: INestMicroservice;
  let client: ClientGrpc & { close(): void };
  let orders: OrdersClient;
  let context: TenantContext;
  let messages: TenantMessages;

  beforeAll(async () => {
    const transport = await grpcOptions();
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({
          mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent
          tenant: { resolve: fromHeader('x-tenant-id') },
        }),
      ],
      controllers: [Orders],
    }).compile();
    app = module.createNestMicroservice({ ...transport, logger: ['fatal'] } as never);
    await app.listen();
    client = ClientProxyFactory.create(transport) as never;
    orders = client.getService<OrdersClient>('Orders');
    context = app.get(TenantContext);
    messages = app.get(TenantMessages);
  });
  afterAll(async () => {
    client?.close();
    await app?.close();
  });

  it('is sent along and decides the call', async () => {
    for (const tenant of ['acme', 'globex']) {
      const metadata = context.run(tenant, () => messages.into('x-tenant-id', new Metadata()));
      expect(await firstValueFrom(orders.who({ page: 1 }, metadata))).toEqual({ tenant });
    }
  });

  it('is refused when it is missing, or there are two', async () => {
    await expect(firstValueFrom(orders.who({ page: 1 }))).rejects.toThrow('No tenant');
    const two = new Metadata();
    two.add('x-tenant-id', 'acme');
    two.add('x-tenant-id', 'globex'); // gRPC joins them
    await expect(firstValueFrom(orders.who({ page: 1 }, two))).rejects.toThrow('Invalid tenant id');
  });
});
