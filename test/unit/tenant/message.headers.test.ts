import { describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { KafkaContext, MqttContext, NatsContext, RmqContext, TcpContext } from '@nestjs/microservices';
import { fromHeader, TenantConflictError } from '../../../lib/index.js';
import { headersOfMessage } from '../../../lib/providers/tenant/message.headers.js';

const buffer = (text: string) => Buffer.from(text);
const metadata = (...values: string[]) => {
  const made = new Metadata();
  for (const value of values) made.add('x-tenant-id', value);
  return made;
};
/** As the headers of the nats client. */
const natsHeaders = (headers: Record<string, string[]>) => ({
  keys: () => Object.keys(headers),
  values: (key: string) => headers[key]!,
});
const kafka = (headers?: Record<string, unknown>) => new KafkaContext([{ headers }, 0, 'orders'] as never);
const rmq = (headers?: Record<string, unknown>) => new RmqContext([{ properties: { headers } }, {}, 'orders']);
const mqtt = (properties?: object) => new MqttContext(['orders', { properties }]);
const nats = (headers?: Record<string, string[]>) => new NatsContext(['orders', headers && natsHeaders(headers)]);

describe('the headers of a message', () => {
  it.each([
    ['gRPC metadata', metadata('acme')],
    ['a Kafka message', kafka({ 'X-Tenant-Id': buffer('acme'), n: 1 })],
    ['a NATS message', nats({ 'X-Tenant-Id': ['acme'] })],
    ['a RabbitMQ message', rmq({ 'x-tenant-id': 'acme', n: 1 })],
    ['an MQTT 5 packet', mqtt({ userProperties: { 'x-tenant-id': 'acme' } })],
  ])('are those of %s, by names in lower case', (_, context) => {
    const headers = headersOfMessage(context);
    expect({ ...headers }).toEqual({ 'x-tenant-id': 'acme' });
    expect(fromHeader('X-Tenant-ID')({ headers })).toBe('acme');
  });

  it.each([
    ['gRPC metadata', metadata('acme', 'globex')],
    ['a Kafka message', kafka({ 'x-tenant-id': [buffer('acme'), buffer('globex')] })],
    ['a Kafka message, in two cases', kafka({ 'x-tenant-id': 'acme', 'X-Tenant-Id': 'globex' })],
    ['a NATS message', nats({ 'x-tenant-id': ['acme', 'globex'] })],
    ['an MQTT 5 packet', mqtt({ userProperties: { 'x-tenant-id': ['acme', 'globex'] } })],
  ])('that name two tenants are refused, of %s', (_, context) => {
    expect(() => fromHeader('x-tenant-id')({ headers: headersOfMessage(context) })).toThrow(TenantConflictError);
  });

  it.each([
    ['TCP', new TcpContext([{} as never, 'orders'])],
    ['Kafka without any', kafka()],
    ['NATS without any', nats()],
    ['RabbitMQ without any', rmq()],
    ['MQTT 3', mqtt()],
    ['a library of its own', 'context'],
  ])('are none of %s', (_, context) => {
    expect(Object.keys(headersOfMessage(context))).toEqual([]);
  });

  it('have none that nobody sent', () => {
    expect(fromHeader('constructor')({ headers: headersOfMessage(kafka({})) })).toBeUndefined();
  });
});
