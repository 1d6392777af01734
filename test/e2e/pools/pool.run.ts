import { PolyMongoEvents } from '../../../lib/polymongo.events.js';
import { resolveOptions } from '../../../lib/polymongo.options.js';
import { PolyMongoPools } from '../../../lib/providers/pools/polymongo-pools.provider.js';
import type { PoolLease } from '../../../lib/providers/pools/pool.lease.js';
import { mulberry32 } from '../../support/random.js';
import { settle } from '../../support/settling.js';
import { eventually, ONE_MONITOR, ServerProbe } from '../../support/server-probe.js';
import type { MortalServer } from '../../support/mortal-server.js';

const STEPS = 25;
const NAMES = ['shared_a', 'shared_b', 'own_a', 'own_b', 'own_c'];
const BUDGET = 6;
/** What work may fail with: the server is away, the budget is full, the end has come. Our own bugs are no excuse. */
const ALLOWED = /^(Mongo|PolyMongoClosed|ConnectionBudget|PoolConnect|ReconfigurationPending)/;
/** What the driver says when its client is closed under work; until the shutdown nobody may hear it. */
const CUT = /^Mongo((Topology|Client|Pool)Closed|NotConnected)/;
/** No call waits longer than its timeouts added up: budget, selection and socket, each tried twice. */
const LONGEST_CALL_MS = 10_000;

/** One random order of opening, using, idling, evicting, reconfiguring, killing, restarting and shutting down. */
export class PoolRun {
  readonly failures: string[] = [];
  readonly #random: () => number;
  readonly #pools: PolyMongoPools;
  readonly #live = new Map<string, number>();
  readonly #leases = new Set<PoolLease>();
  #work: Promise<unknown>[] = [];
  #isShutDown = false;

  constructor(
    seed: number,
    readonly server: MortalServer,
  ) {
    this.#random = mulberry32(seed);
    const options = resolveOptions({
      mongoURI: server.uri,
      maxPoolSize: 2,
      maxTotalConnections: BUDGET,
      maxCachedDatabases: 2,
      waitQueueTimeoutMS: 300,
      shutdownTimeoutMS: 40,
      driverOptions: {
        ...ONE_MONITOR,
        heartbeatFrequencyMS: 500,
        minHeartbeatFrequencyMS: 10,
        serverSelectionTimeoutMS: 200,
      } as object,
      dbSpecific: [
        { dbName: 'own_a', options: { autoClose: true, ttl: 1 } },
        { dbName: 'own_b', options: { autoClose: true, ttl: 5 } },
        { dbName: 'own_c' },
      ],
    });
    this.#pools = new PolyMongoPools(options, this.#watched(new PolyMongoEvents()));
  }

  async play(): Promise<void> {
    const restAt = Math.floor(this.#random() * STEPS);
    for (let step = 0; step < STEPS; step++) {
      await this.#act();
      if (this.#random() < 0.5) await pause(Math.floor(this.#random() * 4));
      this.#checkBudget();
      if (step === restAt) await this.#rest();
    }
    const atOnce = this.#random() < 0.5; // else the shutdown meets a server that may be away
    if (atOnce) await this.server.start();
    this.#isShutDown = true;
    await settle([this.#random() < 0.5 ? this.#pools.closeAll() : this.#pools.forceCloseAll()], LONGEST_CALL_MS);
    await this.#workDone();
    await this.server.start();
    await this.#checkEnd();
  }

  async #act(): Promise<void> {
    const name = NAMES[Math.floor(this.#random() * NAMES.length)]!;
    const dice = this.#random();
    if (dice < 0.42) this.#use(name, 'operation');
    else if (dice < 0.6) this.#use(name, 'long');
    else if (dice < 0.74) this.#reconfigure(name);
    else if (dice < 0.81) void this.#pools.release(name, 'evicted');
    else if (dice < 0.87) this.#track(this.#pools.connectDB(name, { maxConnections: 2 }));
    else if (dice < 0.9) this.server.dropConnections();
    else if (dice < 0.93) await this.server.kill();
    else if (dice < 0.97) await this.server.start();
    else this.#track(this.#pools.poolOf(name).close('test', 'patient'));
  }

  #reconfigure(name: string): void {
    const maxConnections = 1 + Math.floor(this.#random() * 2);
    this.#pools.setDB(name, { maxConnections, autoClose: this.#random() < 0.5, ttl: 2 });
  }

  #use(name: string, kind: 'operation' | 'long'): void {
    const pauseMS = this.#random() * (kind === 'long' ? 30 : 4);
    this.#track(
      (async () => {
        const lease = await this.#pools.database(name).enter(kind);
        this.#leases.add(lease);
        try {
          if (lease.pool.state === 'closed') this.failures.push(`a lease on the closed pool of ${name}`);
          await lease.pool.client.db(name).command({ ping: 1 });
          await pause(pauseMS);
          if (!this.#isShutDown && lease.pool.state === 'closed')
            this.failures.push(`the pool of ${name} closed under work`);
        } finally {
          this.#leases.delete(lease);
          lease.release();
        }
      })(),
    );
  }

  #track(work: Promise<unknown>): void {
    this.#work.push(
      work.catch((error: Error) => {
        const isAllowed = ALLOWED.test(error.name) && (this.#isShutDown || !CUT.test(error.name));
        if (!isAllowed) this.failures.push(`${error.name}: ${error.message}`);
      }),
    );
  }

  async #workDone(): Promise<void> {
    await settle(this.#work, LONGEST_CALL_MS);
    this.#work = [];
  }

  /** Nothing runs: the counts are the server's own, less one monitor for each open pool. */
  async #rest(): Promise<void> {
    await this.#workDone();
    await this.server.start();
    await this.#withProbe((probe) =>
      eventually(async () => {
        const seen = await probe.sockets();
        const open = this.#all().filter(({ state }) => state === 'connected');
        const counted = open.reduce((sum, { stats }) => sum + stats.totalConnections, open.length);
        const busy = this.#all().filter(({ stats }) => stats.inUseConnections + stats.waitQueueSize > 0);
        if (seen !== counted || busy.length > 0)
          throw new Error(
            `at rest the server sees ${seen} sockets, we count ${counted}, ${busy.length} pools are busy`,
          );
      }),
    );
  }

  async #checkEnd(): Promise<void> {
    for (const pool of this.#all()) {
      const { name, stats, leaseCount, state } = pool;
      if (stats.totalConnections + stats.waitQueueSize + leaseCount > 0)
        this.failures.push(`${name} has ${JSON.stringify(stats)} and ${leaseCount} leases at the end`);
      if (state !== 'closed') this.failures.push(`${name} is ${state} at the end`);
    }
    if (this.#pools.budget.used !== 0) this.failures.push(`${this.#pools.budget.used} of the budget used at the end`);
    await this.#withProbe((probe) =>
      eventually(async () => {
        const seen = await probe.sockets();
        if (seen > 0) throw new Error(`the server sees ${seen} sockets at the end`);
      }),
    );
  }

  async #withProbe(check: (probe: ServerProbe) => Promise<void>): Promise<void> {
    const probe = await ServerProbe.open(this.server.uri);
    try {
      await check(probe);
    } finally {
      await probe.close();
    }
  }

  /** Live: from the first socket a pool may make to the last one that is gone. */
  #watched(events: PolyMongoEvents): PolyMongoEvents {
    events.on('poolState', ({ pool, from, to, reason }) => {
      if (to === 'connecting') this.#live.set(pool, (this.#live.get(pool) ?? 0) + 1);
      if (to === 'closed' && from !== 'cold') this.#live.set(pool, this.#live.get(pool)! - 1);
      if ((this.#live.get(pool) ?? 0) > 1) this.failures.push(`two live pools for ${pool}`);
      if (to !== 'closed' || from === 'connecting' || this.#isShutDown) return;
      for (const lease of this.#leases)
        if (!lease.isReleased && lease.pool.name === pool && lease.pool.state === 'closed')
          this.failures.push(`${pool} closed (${reason}) with a lease`);
    });
    return events;
  }

  #checkBudget(): void {
    const { used } = this.#pools.budget;
    if (used > BUDGET) this.failures.push(`${used} of ${BUDGET} connections`);
  }

  #all() {
    return [this.#pools.primary, ...this.#pools.separate.values()];
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
