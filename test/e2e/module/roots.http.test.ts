import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ContextIdFactory } from '@nestjs/core';
import { TenantContextIdStrategy } from 'nestjs-polymongo';
import request from 'supertest';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { shared, startRootsApp, type RootsApp } from '../../support/roots-app.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

describe.each(Object.keys(ADAPTERS) as AdapterName[])('two roots in one application, on %s', (adapter) => {
  let server: TestServer;
  let roots: RootsApp;
  const call = (method: 'get' | 'post', path: string, main?: string, audit?: string) => {
    const agent = request(roots.app.getHttpServer());
    return agent[method](path).set({ ...(main && { 'x-tenant-id': main }), ...(audit && { authorization: audit }) });
  };

  beforeAll(async () => {
    server = await startTestServer();
    roots = await startRootsApp(server.uri, adapter);
  });
  afterEach(() => shared.close());
  afterAll(async () => {
    await roots?.app.close();
    await server?.stop();
  });

  it('give a request one tenant each, decided in the way of each', async () => {
    const { body } = await call('post', '/notes', 'acme', 'globex').expect(201);
    expect(body).toEqual({ main: 'acme', audit: 'globex', notes: ['acme'], audits: ['globex'] });
  });

  it('have nothing of each other: a tenant of one is not the tenant of that name of the other', async () => {
    await call('post', '/notes', 'initech', 'umbrella').expect(201);
    const { body } = await call('get', '/notes', 'umbrella', 'initech').expect(200);
    expect(body).toEqual({ main: 'umbrella', audit: 'initech', notes: [], audits: [] });
  });

  it('refuse a request each by its own rules', async () => {
    const none = await call('get', '/notes', undefined, 'globex');
    expect([none.status, none.body.message]).toEqual([400, expect.stringMatching(/^No tenant/)]);
    await call('get', '/notes', 'acme').expect(400);
    await call('get', '/notes', 'Not An Id', 'globex').expect(400);
    await call('get', '/notes', 'acme', 'Not An Id').expect(400);
  });

  it('keep to themselves where requests interleave, whoever’s context they go on in', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const pairs = names.flatMap((main) => names.map((audit) => [main, audit] as const));
    await Promise.all(pairs.map(([main, audit]) => call('post', '/notes', main, audit).expect(201)));
    const answers = await Promise.all(
      pairs.map(async ([main, audit]) => ({ main, audit, body: (await call('get', '/notes', main, audit)).body })),
    );
    for (const { main, audit, body } of answers) {
      const four = (tenant: string) => Array(names.length).fill(tenant);
      expect(body).toEqual({ main, audit, notes: four(main), audits: four(audit) });
    }
  });

  it('give TENANT_ID of the root without a name as ever', async () => {
    const { body } = await call('get', '/ids', 'acme').expect(200);
    expect(body).toEqual({ main: 'acme' });
  });

  it('share no durable provider between two requests that have one tenant in common', async () => {
    ContextIdFactory.apply(new TenantContextIdStrategy(roots.two.main));
    try {
      const made = async (main: string, audit: string) => (await call('get', '/durable', main, audit)).text;
      expect(await made('acme', 'globex')).toBe('acme pending'); // one for each request while a tenant is to be decided
    } finally {
      ContextIdFactory.apply(undefined as never);
    }
  });
});
