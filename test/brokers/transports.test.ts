import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import {
  ClientProxyFactory,
  NatsRecordBuilder,
  RmqRecordBuilder,
  Transport,
  type ClientProxy,
  type NatsOptions,
  type RedisOptions,
  type RmqOptions,
} from '@nestjs/microservices';
import { headers } from '@nats-io/transport-node';
import { TenantContext, TenantMessages } from 'nestjs-polymongo';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { Broker, hasBroker, type BrokerName } from '../support/broker.js';
import { parcels, shuffled, startDeliveries, type Deliveries, type Parcel } from '../support/deliveries.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

interface Transports {
  /** Consumers of what is asked and told; two of what is told. */
  services: (RedisOptions | NatsOptions | RmqOptions)[];
  asking: RedisOptions | NatsOptions | RmqOptions;
  telling?: RmqOptions;
  carry: (parcel: Parcel, messages: TenantMessages) => unknown;
  /** How often the sender tells each parcel. */
  copies: number;
  /** How often each of these is delivered. */
  deliveries: number;
}

const CASES: Record<BrokerName, (broker: Broker) => Transports> = {
  'redis-server': ({ host, port }) => {
    const transport: RedisOptions = { transport: Transport.REDIS, options: { host, port } };
    return {
      services: [transport, transport],
      asking: transport,
      carry: (parcel, messages) => messages.inPayload(parcel, 'meta.tenant'),
      copies: 2,
      deliveries: 2, // every consumer has everything
    };
  },
  'nats-server': ({ host, port }) => {
    const transport = (queue?: string): NatsOptions => ({
      transport: Transport.NATS,
      options: { servers: [`nats://${host}:${port}`], ...(queue && { queue }) },
    });
    return {
      services: [transport('one'), transport('two')],
      asking: transport(),
      carry: (parcel, messages) =>
        new NatsRecordBuilder(parcel).setHeaders(messages.into('x-tenant-id', headers())).build(),
      copies: 2,
      deliveries: 2, // one of each queue has it
    };
  },
  'rabbitmq-server': ({ host, port }) => {
    const transport = (queue: string, noAck: boolean): RmqOptions => ({
      transport: Transport.RMQ,
      options: { urls: [`amqp://${host}:${port}`], queue, noAck, queueOptions: { durable: false } },
    });
    return {
      services: [transport('asked', true), transport('told', false), transport('told', false)],
      asking: transport('asked', true),
      telling: transport('told', true),
      carry: (parcel, messages) =>
        new RmqRecordBuilder(parcel).setOptions({ headers: messages.inHeaders('x-tenant-id') }).build(),
      copies: 1,
      deliveries: 2, // the first one is not acknowledged
    };
  },
};

const COUNT = 50;

describe.each(Object.entries(CASES))('tenants of messages by %s', (name, transportsOf) => {
  const test = hasBroker(name as BrokerName) ? it : it.skip;
  let server: TestServer;
  let broker: Broker;
  let app: INestApplication;
  let deliveries: Deliveries;
  let transports: Transports;
  let asking: ClientProxy;
  let telling: ClientProxy;

  beforeAll(async () => {
    if (!hasBroker(name as BrokerName)) return;
    server = await startTestServer();
    broker = await Broker.start(name as BrokerName);
    transports = transportsOf(broker);
    ({ app, deliveries } = await startDeliveries(server.uri, transports.services));
    asking = ClientProxyFactory.create(transports.asking);
    telling = transports.telling ? ClientProxyFactory.create(transports.telling) : asking;
    await Promise.all([asking.connect(), telling.connect()]);
  }, 120_000);
  afterAll(async () => {
    for (const client of new Set([asking, telling])) await client?.close();
    await app?.close();
    await broker?.stop();
    await server?.stop();
  });

  const carried = (parcel: Parcel) =>
    app.get(TenantContext).run(parcel.of, () => transports.carry(parcel, app.get(TenantMessages)));

  test('answer what they were sent, in whatever order', async () => {
    const answers = parcels(COUNT).map((parcel) => firstValueFrom(asking.send<string>('ask', carried(parcel))));
    expect(await Promise.all(answers)).toEqual(parcels(COUNT).map(({ of }) => of));
  });

  test('are told what is theirs, also when that is delivered twice, to another consumer and out of order', async () => {
    const { notes } = await deliveries.count();
    const told = Array.from({ length: transports.copies }, () => parcels(COUNT)).flat();
    for (const parcel of shuffled(told)) {
      await lastValueFrom(telling.emit('tell', carried(parcel)), { defaultValue: undefined });
    }
    const expected = told.length * transports.deliveries;
    await deliveries.until(expected);
    expect(deliveries.crossings).toEqual([]);
    expect(await deliveries.count()).toEqual({ notes: notes + expected, crossed: 0 });
  });

  test('have to be named', async () => {
    const before = await deliveries.count();
    await expect(firstValueFrom(asking.send('ask', { of: 'acme', n: 0 }))).rejects.toMatchObject({ statusCode: 400 });
    expect(await deliveries.count()).toEqual(before);
  });
});
