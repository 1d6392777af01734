import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientProxyFactory, Transport, type ClientProxy } from '@nestjs/microservices';
import { PolyMongoTenants, type PolyMongoOptions, type TenantOptions } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { firstValueFrom, timeout } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import { startFuzzApp, type FuzzApp } from '../../support/fuzz-app.js';
import { FuzzWork, pick, random, SEED, TENANTS } from '../../support/fuzz-work.js';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import type { AdapterName } from '../../support/http-app.js';

/** Requests in all; the whole fuzz is POLYMONGO_FUZZ_REQUESTS=20000. */
const REQUESTS = Number(process.env.POLYMONGO_FUZZ_REQUESTS ?? 600);
const AT_ONCE = 40;
const ANSWER_MS = 30_000;
/** Paths that answer with an error. */
const FAILING = ['fails', 'rolls-back'];
const TIMEOUT_MS = 120_000 + REQUESTS * 60;

describe(`isolation under load (POLYMONGO_SEED=${SEED})`, () => {
  let server: EmbeddedMongo;
  let fuzzed: FuzzApp;
  let work: FuzzWork;
  let tcp: ClientProxy;
  const sockets = new Map<string, Socket>();
  const subscribers = new Map<string, GraphqlSubscriber>();

  afterEach(async () => {
    for (const socket of sockets.values()) socket.disconnect();
    sockets.clear();
    for (const subscriber of subscribers.values()) await subscriber.close();
    subscribers.clear();
    await tcp?.close();
    // fetch keeps sockets on which an aborted request was never sent, and no server counts those as idle.
    fuzzed?.app.getHttpServer().closeAllConnections();
    await fuzzed?.app.close();
    await server?.stop();
  });

  const start = async (
    adapter: AdapterName,
    tenant: TenantOptions = {},
    limits: Partial<PolyMongoOptions> = {},
  ): Promise<void> => {
    server = await EmbeddedMongo.start();
    fuzzed = await startFuzzApp(server.uri, adapter, tenant, limits);
    work = fuzzed.app.get(FuzzWork);
    tcp = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: fuzzed.tcpPort },
    });
    for (const tenantId of TENANTS) {
      const options = { extraHeaders: { 'x-tenant-id': tenantId }, forceNew: true };
      sockets.set(tenantId, io(`http://127.0.0.1:${fuzzed.httpPort}`, options));
    }
    await Promise.all(
      [...sockets.values()].map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))),
    );
    for (const tenantId of adapter === 'Fastify' ? TENANTS : []) {
      subscribers.set(tenantId, await GraphqlSubscriber.connect(`127.0.0.1:${fuzzed.httpPort}`, tenantId));
    }
  };

  const answered = (tenant: string, seen: unknown): void => {
    if (seen !== tenant) work.crossings.push(`${tenant} was answered as ${String(seen)}`);
  };

  const call = async (tenant: string, path: string, init: RequestInit = {}): Promise<void> => {
    const headers = { 'x-tenant-id': tenant, 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${fuzzed.httpPort}/${path}`, { ...init, headers });
    const text = await answer.text();
    for (const [, seen] of text.matchAll(/"tenant":"(\w+)"/g)) answered(tenant, seen);
    if (!answer.ok && !FAILING.includes(path)) throw new Error(text);
  };
  const post = (tenant: string, path: string, body: object) =>
    call(tenant, path, { method: 'POST', body: JSON.stringify(body) });

  /** Every way a request comes in, by what it does. */
  const kindsOn = (adapter: AdapterName): Record<string, (tenant: string) => Promise<void>> => ({
    get: (tenant) => call(tenant, 'get'),
    post: (tenant) => post(tenant, 'post', { tenant }),
    failing: (tenant) => call(tenant, 'fails'),
    'rolled back': (tenant) => call(tenant, 'rolls-back'),
    aborted: (tenant) => call(tenant, 'get', { signal: AbortSignal.timeout(1 + random(5)) }),
    events: (tenant) => call(tenant, 'events'),
    socket: async (tenant) => {
      const answer = (await sockets.get(tenant)!.timeout(ANSWER_MS).emitWithAck('message', {})) as { tenant: string };
      answered(tenant, answer.tenant);
    },
    tcp: async (tenant) => {
      const answer = tcp.send<{ tenant: string }>('message', { tenant }).pipe(timeout(ANSWER_MS));
      answered(tenant, (await firstValueFrom(answer)).tenant);
    },
    ...(adapter === 'Fastify' && {
      graphql: (tenant: string) => post(tenant, 'graphql', { query: `{ tenant(of: "${tenant}") }` }),
      subscription: async (tenant: string) => {
        const told = (await subscribers.get(tenant)!.first(`subscription { told(of: "${tenant}") }`)) as {
          told: string;
        };
        answered(tenant, told.told);
      },
    }),
    job: (tenant) => work.job(tenant),
    nested: (tenant) => work.nested(tenant),
    timer: (tenant) => work.timer(tenant),
    generator: (tenant) => work.generator(tenant),
    stream: (tenant) => work.stream(tenant),
    cursor: (tenant) => work.cursor(tenant),
  });

  /** Requests of every kind, for tenants at random; gives the share of each kind that succeeded. */
  async function fuzz(adapter: AdapterName): Promise<Record<string, number>> {
    const kinds = Object.entries(kindsOn(adapter));
    const succeeded: Record<string, number> = Object.fromEntries(kinds.map(([name]) => [name, 0]));
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun < REQUESTS) {
        const [name, kind] = kinds[begun++ % kinds.length]!;
        await kind(pick(TENANTS)).then(
          () => (succeeded[name]! += kinds.length / REQUESTS),
          () => {}, // an abort, or the server being away
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return succeeded;
  }

  /** Looks into every database from outside of any tenant. */
  async function countCrossed(): Promise<[documents: number, crossed: number]> {
    const { notes } = work;
    const results = await fuzzed.app
      .get(PolyMongoTenants)
      .forEach(
        async (tenant) =>
          [await notes.countDocuments(), await notes.countDocuments({ tenant: { $ne: tenant } })] as const,
        { tenants: TENANTS, concurrency: 2 },
      );
    const counts = results.map((result) => (result.ok ? result.value : [0, 0]));
    return [counts.reduce((sum, [all]) => sum + all!, 0), counts.reduce((sum, [, wrong]) => sum + wrong!, 0)];
  }

  /** Of all tenants: what was written and is not there, and what is there and was rolled back. */
  async function countLost(): Promise<number> {
    const results = await fuzzed.app
      .get(PolyMongoTenants)
      .forEach(() => work.countLost(), { tenants: TENANTS, concurrency: 2 });
    return results.reduce((sum, result) => sum + (result.ok ? result.value : 1), 0);
  }

  it.each(['Fastify', 'Express'] as const)(
    "no document crosses, and none is lost with another's transaction, on %s, with callbacks of shared resources between all stages",
    async (adapter) => {
      await start(adapter);
      const { aborted, ...shares } = await fuzz(adapter);
      const [documents, crossed] = await countCrossed();
      expect([crossed, work.crossings]).toEqual([0, []]);
      expect(await countLost()).toBe(0);
      expect(aborted).toBeLessThanOrEqual(1);
      expect(Object.entries(shares).filter(([, share]) => share < 0.95)).toEqual([]);
      expect(documents).toBeGreaterThan(REQUESTS);
    },
    TIMEOUT_MS,
  );

  it(
    'no document crosses while handles and pools are evicted and the server restarts',
    async () => {
      await start(
        'Fastify',
        { connection: (id) => (id.endsWith('5') ? { options: { maxConnections: 2 } } : undefined) },
        { maxPoolSize: 8, maxTotalConnections: 14, maxCachedDatabases: 10 },
      );
      let isOver = false;
      const restarts = (async () => {
        for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 2000))) await server.restart();
      })();
      const shares = await fuzz('Fastify');
      isOver = true;
      await restarts;
      expect(Object.entries(shares).filter(([name, share]) => name !== 'aborted' && share < 0.3)).toEqual([]);
      const [, crossed] = await countCrossed();
      expect([crossed, work.crossings]).toEqual([0, []]);
    },
    TIMEOUT_MS,
  );
});
