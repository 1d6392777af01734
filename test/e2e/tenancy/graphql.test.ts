import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { AddressInfo, Server } from 'node:net';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { NotesResolver, startGraphqlApp, Topic, type DriverName } from '../../support/graphql-app.js';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';

describe.each<DriverName>(['Apollo', 'Mercurius'])('the tenant of a GraphQL operation, with %s', (driver) => {
  let server: TestServer;
  let app: INestApplication<App>;
  const subscribers: GraphqlSubscriber[] = [];

  beforeAll(async () => {
    server = await startTestServer();
    app = await startGraphqlApp(server.uri, driver);
  });
  afterAll(async () => {
    for (const subscriber of subscribers) await subscriber.close();
    await app?.close();
    await server?.stop();
  });

  const post = async (body: object, tenant?: string, to = app) => {
    const call = request(to.getHttpServer()).post('/graphql');
    return (await (tenant ? call.set('x-tenant-id', tenant) : call).send(body)).body;
  };
  const send = (query: string, tenant?: string, to = app) => post({ query }, tenant, to);
  const all = (tenant: string) => ({ tenant, current: tenant, currentAgain: tenant, loaded: tenant });

  it('is seen by queries, mutations, field resolvers and the loaders of the request', async () => {
    for (const tenant of ['acme', 'globex']) {
      const { data } = await send('mutation { add(text: "x") { tenant current currentAgain loaded } }', tenant);
      expect(data.add).toEqual(all(tenant));
    }
    const { data } = await send('{ list { tenant current loaded } again: list { tenant } }', 'acme');
    expect(data).toEqual({
      list: [{ tenant: 'acme', current: 'acme', loaded: 'acme' }],
      again: [{ tenant: 'acme' }],
    });
  });

  it('is that of each of many operations at once, and of each in a batch', async () => {
    const tenants = Array.from({ length: 20 }, (_, i) => `many${i % 4}`);
    const query = 'mutation { add(text: "y") { tenant current currentAgain loaded } }';
    const answers = await Promise.all(tenants.map((tenant) => send(query, tenant)));
    expect(answers.map(({ data }) => data.add)).toEqual(tenants.map(all));
    const batch = await post([{ query }, { query }], 'hooli');
    expect(batch.map(({ data }: { data: { add: object } }) => data.add)).toEqual([all('hooli'), all('hooli')]);
  });

  it('is an error of the operation when there is none, with its status in the extensions', async () => {
    const { data, errors } = await send('{ list { tenant } }');
    expect(data ?? null).toBeNull();
    expect(errors[0].message).toContain('No tenant');
    expect(errors[0].extensions).toMatchObject({ statusCode: 400 });
  });

  it.each([403, 404, 503])('keeps the status of its errors in the extensions: %i', async (status) => {
    const { errors } = await send(`{ fails(status: ${status}) }`, 'acme');
    expect(errors[0].extensions).toMatchObject({ statusCode: status });
  });

  it('is seen where the context has made a request of its own, without headers', async () => {
    const other = await startGraphqlApp(server.uri, driver, () => ({ req: { user: { name: 'ada' } } }));
    try {
      const { data } = await send('mutation { add(text: "x") { tenant current } }', 'initech', other);
      expect(data.add).toEqual({ tenant: 'initech', current: 'initech' });
    } finally {
      await other.close();
    }
  });

  const subscribe = async (init?: object) => {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const subscriber = await GraphqlSubscriber.connect(`127.0.0.1:${port}`, undefined, {}, init);
    subscribers.push(subscriber);
    return subscriber;
  };
  const QUERY = 'subscription { added { tenant text told current currentAgain loaded } }';

  it('of a subscription is that of connection_init: in its filter, its resolve and its field resolvers, of two on one topic', async () => {
    const resolver = app.get(NotesResolver);
    resolver.filtered.length = 0;
    const tenants = ['sub1', 'sub2'];
    const told = [];
    for (const tenant of tenants) told.push((await subscribe({ meta: { tenant } })).first(QUERY));
    await waitFor(() => app.get(Topic).subscribers === 2);
    for (const tenant of [...tenants].reverse()) await send(`mutation { add(text: "${tenant}") { tenant } }`, tenant);
    expect(await Promise.all(told)).toEqual(
      tenants.map((tenant) => ({ added: { ...all(tenant), text: tenant, told: tenant } })),
    );
    expect(resolver.filtered).toEqual(expect.arrayContaining(['sub2 of sub2: sub1', 'sub2 of sub2: sub2']));
  });

  it('of a query or mutation over a WebSocket is decided once, and is that of all its fields', async () => {
    const { entered } = app.get(NotesResolver);
    entered.length = 0;
    const tenants = Array.from({ length: 10 }, (_, i) => `socket${i % 5}`);
    const subscribers = await Promise.all(tenants.map((tenant) => subscribe({ meta: { tenant } })));
    const NOTE = '{ tenant current currentAgain loaded }';
    const each = <T>(query: string) =>
      Promise.all(subscribers.map((subscriber) => subscriber.first(query) as Promise<Record<string, T>>));
    const added = await each(`mutation { one: add(text: "x") ${NOTE} two: add(text: "y") ${NOTE} }`);
    expect(added).toEqual(tenants.map((tenant) => ({ one: all(tenant), two: all(tenant) })));
    expect(entered.sort()).toEqual([...tenants].sort().map((tenant) => `${tenant} by graphql`));
    const listed = await each<object[]>(`{ one: list ${NOTE} two: list ${NOTE} }`);
    expect(listed.map(({ one, two }) => [...one!, ...two!])).toEqual(
      tenants.map((tenant) => Array(8).fill(all(tenant))),
    );
    expect(entered).toHaveLength(2 * tenants.length);
  });

  it('of a subscription is refused where connection_init names none', async () => {
    await expect((await subscribe()).first(QUERY)).rejects.toThrow('No tenant');
  });
});
