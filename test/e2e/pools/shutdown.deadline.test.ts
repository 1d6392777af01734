import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { OnDbDisconnect, PolyMongoModule, PolyMongoPools, type PolyMongoWrapper } from 'nestjs-polymongo';
import { usePools } from '../../support/pools-fixture.js';
import { waitFor } from '../../support/wait-for.js';

const fixture = usePools();
const TIMEOUT_MS = 1_000;
/** Beside the deadline itself, on a machine that does other things too. */
const SLACK_MS = 700;
const never = () => new Promise<void>(() => {});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = Date.now();
  await work();
  return Date.now() - since;
}

/** Every phase of a shutdown waits for something that does not come. */
async function hold(pools: PolyMongoPools): Promise<void> {
  pools.events.on('streams', never);
  await pools.connect('busy');
  void pools.database('busy').run(never);
  fixture.server.stall(60_000);
}
afterEach(() => fixture.server.stall(0));

describe('one deadline covers the whole shutdown', () => {
  it('of streams, work, hooks and sockets that do not end', async () => {
    const polymongo = fixture.create({ shutdownTimeoutMS: TIMEOUT_MS, dbSpecific: [{ dbName: 'own' }] });
    polymongo.onDbDisconnect(never);
    await Promise.all(['default', 'own'].map((name) => polymongo.pools.connect(name)));
    await hold(polymongo.pools);
    expect(await timed(() => polymongo.actions.closeAll())).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it('with Nest too, where streams end before the HTTP server does', async () => {
    @Injectable()
    class Hooks {
      @OnDbDisconnect()
      leave(): Promise<void> {
        return never();
      }
    }
    const root = PolyMongoModule.forRoot({ mongoURI: fixture.server.uri, shutdownTimeoutMS: TIMEOUT_MS });
    const module = await Test.createTestingModule({ imports: [root], providers: [Hooks] }).compile();
    module.useLogger(false);
    await module.init();
    await hold(module.get(PolyMongoPools));
    expect(await timed(() => module.close())).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });
});

describe('a DNS that never answers', () => {
  let silent: Socket;
  let servers: string[];
  let polymongo: PolyMongoWrapper;
  beforeEach(async () => {
    silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    servers = dns.getServers();
    dns.setServers([`127.0.0.1:${(silent.address() as AddressInfo).port}`]);
    polymongo = fixture.create({ mongoURI: 'mongodb+srv://cluster.example.net/', shutdownTimeoutMS: TIMEOUT_MS });
  });
  afterEach(() => {
    dns.setServers(servers);
    silent.close();
  });

  it.each(['closeAll', 'forceCloseAll'] as const)('does not hold up %s() beyond its deadline', async (close) => {
    const connecting = polymongo.pools.connect('default').catch((error: unknown) => error);
    await once(silent, 'message');
    expect(await timed(() => polymongo.actions[close]())).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(await connecting).toBeInstanceOf(Error);
  });
});

describe('a look-up that never answers', () => {
  afterEach(() => void jest.restoreAllMocks());
  type Lookup = (host: string, options: { all?: boolean }, found: (...answer: unknown[]) => void) => void;

  /** A name of the server: what asks for its address, who is told of that, and from when on nobody is answered. */
  function mute(how: string) {
    const asked = { count: 0, isMute: false };
    const lookup: Lookup = (_, { all }, found) => {
      asked.count++;
      if (asked.isMute) return;
      if (all) found(null, [{ address: '127.0.0.1', family: 4 }]);
      else found(null, '127.0.0.1', 4);
    };
    if (how === 'dns.lookup') jest.spyOn(dns, 'lookup').mockImplementation(lookup as never);
    const driverOptions = how === 'driverOptions.lookup' ? { lookup: lookup as never } : {};
    const polymongo = fixture.create({
      mongoURI: `mongodb://db.example.net:${fixture.server.port}/?directConnection=true`,
      shutdownTimeoutMS: TIMEOUT_MS,
      driverOptions,
    });
    return { asked, polymongo };
  }

  it.each([
    ['dns.lookup', 'closeAll'],
    ['dns.lookup', 'forceCloseAll'],
    ['driverOptions.lookup', 'closeAll'],
    ['driverOptions.lookup', 'forceCloseAll'],
  ] as const)('%s does not hold up %s() beyond its deadline', async (how, close) => {
    const { asked, polymongo } = mute(how);
    asked.isMute = true;
    const connecting = polymongo.pools.connect('default').catch((error: unknown) => error);
    await waitFor(() => asked.count > 0);
    expect(await timed(() => polymongo.actions[close]())).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(await connecting).toBeInstanceOf(Error);
  });

  it.each(['closeAll', 'forceCloseAll'] as const)(
    'of a further socket does not hold up %s() beyond its deadline, nor the calls that wait for it',
    async (close) => {
      const { asked, polymongo } = mute('driverOptions.lookup');
      await polymongo.pools.connect('default');
      const database = polymongo.pools.database('default');
      const ping = () => database.run(() => database.connection.db!.command({ ping: 1 }));
      await ping();
      asked.isMute = true;
      const before = asked.count;
      fixture.server.dropConnections();
      const pinging = ping().catch((error: unknown) => error);
      await waitFor(() => asked.count > before);
      expect(await timed(() => polymongo.actions[close]())).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      expect(await pinging).toBeInstanceOf(Error);
    },
  );
});

it('startSession() that fails leaves the pool free to close', async () => {
  const polymongo = fixture.create();
  const { connection } = polymongo.pools.database('default');
  await connection.asPromise();
  const both = { snapshot: true, causalConsistency: true };
  await expect(connection.startSession(both)).rejects.toThrow();
  expect(polymongo.pools.primary.leaseCount).toBe(0);
});
