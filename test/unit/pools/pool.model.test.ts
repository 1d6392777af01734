import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PolyMongoEvents } from '../../../lib/polymongo.events.js';
import { resolveOptions } from '../../../lib/polymongo.options.js';
import type { Database } from '../../../lib/providers/pools/database.js';
import { PolyMongoPools } from '../../../lib/providers/pools/polymongo-pools.provider.js';
import type { PoolLease } from '../../../lib/providers/pools/pool.lease.js';
import { EmbeddedMongo } from '../../../lib/testing/embedded-mongo.js';
import { mulberry32 } from '../../support/random.js';
import { eventually, ONE_MONITOR, ServerProbe } from '../../support/server-probe.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? (process.env.POLYMONGO_LONG ? 1_000 : 60));
const FIRST_SEED = Number(process.env.POLYMONGO_SEED ?? 1);
const STEPS = 25;
const NAMES = ['shared_a', 'shared_b', 'own_a', 'own_b', 'own_c'];

let server: EmbeddedMongo;
let probe: ServerProbe;
beforeAll(async () => {
  server = await EmbeddedMongo.start();
  probe = await ServerProbe.open(server.uri);
});
afterAll(async () => {
  await probe.close();
  await server.stop();
});

/** Any order of opening, using, idling, evicting, reconfiguring, killing, shutting down; the rules hold at each moment. */
class Run {
  readonly #random: () => number;
  readonly #pools: PolyMongoPools;
  readonly #live = new Map<string, number>();
  readonly #leases = new Set<{ lease: PoolLease; isCut: boolean }>();
  readonly #work: Promise<unknown>[] = [];
  readonly #failures: string[] = [];
  isShutDown = false;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    const events = new PolyMongoEvents();
    const options = resolveOptions({
      mongoURI: server.uri,
      maxPoolSize: 2,
      maxTotalConnections: 6,
      maxCachedDatabases: 2,
      waitQueueTimeoutMS: 300,
      shutdownTimeoutMS: 40,
      driverOptions: { ...ONE_MONITOR, heartbeatFrequencyMS: 500, serverSelectionTimeoutMS: 500 },
      dbSpecific: [
        { dbName: 'own_a', options: { autoClose: true, ttl: 1 } },
        { dbName: 'own_b', options: { autoClose: true, ttl: 5 } },
        { dbName: 'own_c' },
      ],
    });
    this.#pools = new PolyMongoPools(options, events);
    // Live: from the first socket it may make to the last one that is gone.
    events.on('poolState', ({ pool, from, to, reason }) => {
      if (to === 'connecting') this.#live.set(pool, (this.#live.get(pool) ?? 0) + 1);
      if (to === 'closed' && from !== 'cold') this.#live.set(pool, this.#live.get(pool)! - 1);
      if ((this.#live.get(pool) ?? 0) > 1) this.#failures.push(`two live pools for ${pool}`);
      if (to === 'closed' && !this.isShutDown) {
        for (const { lease } of this.#leases)
          if (!lease.isReleased && lease.pool.name === pool && lease.pool.state === 'closed' && from !== 'connecting')
            this.#failures.push(`${pool} closed (${reason}) with a lease`);
      }
    });
  }

  async play(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      this.#act();
      if (this.#random() < 0.5) await new Promise((resolve) => setTimeout(resolve, Math.floor(this.#random() * 4)));
      this.#check();
    }
    this.isShutDown = true;
    await (this.#random() < 0.5 ? this.#pools.closeAll() : this.#pools.forceCloseAll());
    await Promise.all(this.#work);
    this.#check();
    const open = [this.#pools.primary, ...this.#pools.separate.values()];
    for (const pool of open) {
      if (pool.stats.totalConnections + pool.stats.waitQueueSize + pool.leaseCount > 0)
        this.#failures.push(`${pool.name} has ${JSON.stringify(pool.stats)} and ${pool.leaseCount} leases at the end`);
      if (pool.state !== 'closed') this.#failures.push(`${pool.name} is ${pool.state} at the end`);
    }
    if (this.#pools.budget.used !== 0) this.#failures.push(`${this.#pools.budget.used} of the budget used at the end`);
    expect(this.#failures).toEqual([]);
  }

  #act(): void {
    const name = NAMES[Math.floor(this.#random() * NAMES.length)]!;
    const dice = this.#random();
    if (dice < 0.45) this.#use(name, 'operation');
    else if (dice < 0.65) this.#use(name, 'long');
    else if (dice < 0.8)
      this.#pools.setDB(name, {
        maxConnections: 1 + Math.floor(this.#random() * 2),
        autoClose: this.#random() < 0.5,
        ttl: 2,
      });
    else if (dice < 0.88) void this.#pools.release(name, 'evicted');
    else if (dice < 0.94) this.#track(this.#pools.connectDB(name, { maxConnections: 2 }));
    else if (dice < 0.97) server.dropConnections();
    else this.#track(this.#pools.poolOf(name).close('test', 'patient'));
  }

  #use(name: string, kind: 'operation' | 'long'): void {
    const pauseMS = this.#random() * (kind === 'long' ? 30 : 4);
    const database: Database = this.#pools.database(name);
    this.#track(
      (async () => {
        const entry = { isCut: false } as { lease: PoolLease; isCut: boolean };
        entry.lease = await database.enter(kind, () => (entry.isCut = true));
        this.#leases.add(entry);
        try {
          if (entry.lease.pool.state === 'closed') this.#failures.push(`a lease on the closed pool of ${name}`);
          await entry.lease.pool.client.db(name).command({ ping: 1 });
          await new Promise((resolve) => setTimeout(resolve, pauseMS));
          if (!this.isShutDown && entry.lease.pool.state === 'closed')
            this.#failures.push(`the pool of ${name} closed under work`);
        } finally {
          this.#leases.delete(entry);
          entry.lease.release();
        }
      })(),
    );
  }

  /** Work may fail (the server is killed, the budget is full); it may not hang, and our own bugs are no excuse. */
  #track(work: Promise<unknown>): void {
    this.#work.push(
      work.catch((error: Error) => {
        if (!/^(Mongo|PolyMongoClosed|ConnectionBudget|PoolConnect|ReconfigurationPending)/.test(error.name))
          this.#failures.push(`${error.name}: ${error.message}`);
      }),
    );
  }

  #check(): void {
    const used = this.#pools.budget.used;
    if (used > 6) this.#failures.push(`${used} of 6 connections`);
  }
}

it(
  `keeps its rules whatever happens in whatever order (${SEEDS} seeds)`,
  async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      try {
        await new Run(seed).play();
      } catch (error) {
        throw new Error(
          `seed ${seed} (run it alone: POLYMONGO_SEED=${seed} POLYMONGO_SEEDS=1): ${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    await eventually(async () => expect(await probe.sockets()).toBe(0));
  },
  60_000 + SEEDS * 1_000,
);
