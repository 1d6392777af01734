import { afterEach, describe, expect, it } from '@jest/globals';
import { PolyMongoTenants, type PolyMongoOptions, type TenantOptions } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { startFuzzApp, type FuzzApp } from '../../support/fuzz-app.js';
import { FuzzClients } from '../../support/fuzz-clients.js';
import { FuzzWork, NOBODY, TENANTS } from '../../support/fuzz-work.js';
import type { AdapterName } from '../../support/http-app.js';

/** Requests in all; the whole fuzz is POLYMONGO_FUZZ_REQUESTS=20000. */
const REQUESTS = Number(process.env.POLYMONGO_FUZZ_REQUESTS ?? 600);
const AT_ONCE = 40;
const TIMEOUT_MS = 120_000 + REQUESTS * 60;

describe('isolation under load', () => {
  let server: EmbeddedMongo;
  let fuzzed: FuzzApp;
  let work: FuzzWork;
  let clients: FuzzClients;

  afterEach(async () => {
    await clients?.close();
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
    clients = await FuzzClients.start(fuzzed);
  };

  /** Requests of every kind, for tenants at random and for nobody; gives the share of each kind that succeeded. */
  async function fuzz(): Promise<Record<string, number>> {
    const { kinds } = clients;
    const succeeded: Record<string, number> = Object.fromEntries(kinds.map(([name]) => [name, 0]));
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun < REQUESTS) {
        const [name, kind] = kinds[begun++ % kinds.length]!;
        await kind().then(
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
    const { ofNobody } = work;
    const counts = [
      ...results.map((result) => (result.ok ? result.value : [0, 0])),
      [await ofNobody.countDocuments(), await ofNobody.countDocuments({ tenant: { $ne: NOBODY } })],
    ];
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
      const { aborted, ...shares } = await fuzz();
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
      const shares = await fuzz();
      isOver = true;
      await restarts;
      expect(Object.entries(shares).filter(([name, share]) => name !== 'aborted' && share < 0.3)).toEqual([]);
      const [, crossed] = await countCrossed();
      expect([crossed, work.crossings]).toEqual([0, []]);
    },
    TIMEOUT_MS,
  );
});
