import { describe, expect, it } from '@jest/globals';
import { inBackground } from '../../../lib/providers/pools/background.work.js';
import { PoolShare } from '../../../lib/providers/pools/pool.share.js';
import { PoolTurns, type CommandStep, type TurnsHost } from '../../../lib/providers/pools/pool.turns.js';
import { mulberry32 } from '../../support/random.js';
import { settle } from '../../support/settling.js';

/** Sockets as a driver has them: calls beyond them wait in its own queue, in the order they come. */
class Sockets implements TurnsHost {
  readonly name = 'test';
  readonly turns: PoolTurns;
  readonly log: string[] = [];
  readonly #running = new Set<() => void>();
  readonly #queue: (() => void)[] = [];
  /** Without a server a command waits and takes no socket. */
  isServerThere = true;
  readonly #selecting: (() => void)[] = [];
  #isNews = false;

  constructor(
    readonly maxSockets: number,
    readonly waitQueueTimeoutMS = 0,
    readonly servers = 1,
  ) {
    this.turns = new PoolTurns(this);
  }

  get load() {
    return { taken: this.running + this.#queue.length, awaited: this.#queue.length, servers: this.servers };
  }
  onTaken() {}
  onChange(): void {
    // nobody is told
  }
  get running(): number {
    return this.#running.size;
  }
  /** Waiting in the driver's own queue, where nobody gives turns. */
  get inDriver(): number {
    return this.#queue.length;
  }

  send(share: PoolShare, name: string, step: CommandStep = 'call', signal?: AbortSignal): Promise<void> {
    const command = async () => {
      await Promise.resolve(); // as a driver does before it takes a socket
      if (!this.isServerThere) await new Promise<void>((resolve) => this.#selecting.push(resolve));
      await this.hold(name);
    };
    return this.turns.during(share, step, command, signal);
  }

  /** Takes a socket, in the driver's order, until `endOne`. Somebody who takes no turn does so directly. */
  async hold(name: string): Promise<void> {
    if (this.running >= this.maxSockets * this.servers) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    this.log.push(name);
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#running.delete(end);
        this.#queue.shift()?.();
        this.#changed();
        resolve();
      };
      this.#running.add(end);
    });
  }

  endOne(at = 0): void {
    [...this.#running][at]?.();
  }

  serverComes(): void {
    this.isServerThere = true;
    for (const go of this.#selecting.splice(0)) go();
  }

  serverGoes(): void {
    this.isServerThere = false;
    for (const end of [...this.#running]) end();
  }

  /** What the driver's events have the pool do. */
  #changed(): void {
    if (this.#isNews) return;
    this.#isNews = true;
    queueMicrotask(() => {
      this.#isNews = false;
      this.turns.look();
    });
  }
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const share = (terms: Partial<PoolShare['terms']> = {}): PoolShare => {
  const made = new PoolShare();
  made.terms = { ...made.terms, ...terms };
  return made;
};

/** Ends one command after the other until none is left. */
async function runOut(sockets: Sockets): Promise<void> {
  for (let idle = 0; idle < 3; idle++) {
    await tick();
    while (sockets.running > 0) {
      sockets.endOne();
      await tick();
      idle = 0;
    }
  }
}

describe('the turns of a pool', () => {
  it('are given at once while there are sockets, and in turn by database then', async () => {
    const sockets = new Sockets(2);
    const [noisy, quiet] = [share(), share()];
    const all = Array.from({ length: 6 }, (_, n) => sockets.send(noisy, `noisy${n}`));
    all.push(sockets.send(quiet, 'quiet0'), sockets.send(quiet, 'quiet1'));
    await tick();
    expect(sockets.log).toEqual(['noisy0', 'noisy1']);
    expect({ ...noisy }).toMatchObject({ inFlight: 2, waiting: 4 });
    await runOut(sockets);
    await settle(all);
    expect(sockets.log.slice(2)).toEqual(['noisy2', 'quiet0', 'noisy3', 'quiet1', 'noisy4', 'noisy5']);
    expect(sockets.inDriver).toBe(0);
  });

  it('let what goes on with a transaction before other calls of its database, though that has used up its share', async () => {
    const sockets = new Sockets(3);
    const [own, other] = [share({ maxInFlight: 1 }), share()];
    const all = [sockets.send(own, 'holds'), sockets.send(own, 'waits'), sockets.send(own, 'goes on', 'transaction')];
    await tick();
    expect(sockets.log).toEqual(['holds', 'goes on']);
    all.push(sockets.send(other, 'other0'), sockets.send(other, 'other1'), sockets.send(own, 'again', 'transaction'));
    await tick();
    sockets.endOne(1);
    await tick();
    sockets.endOne(1);
    await tick();
    expect(sockets.log).toEqual(['holds', 'goes on', 'other0', 'other1', 'again']);
    await runOut(sockets);
    await settle(all);
  });

  it('come to each database, and to calls of each, however many transactions of one go on', async () => {
    const sockets = new Sockets(1);
    const [noisy, quiet] = [share(), share()];
    const all = Array.from({ length: 9 }, (_, n) => sockets.send(noisy, `step${n}`, 'transaction'));
    all.push(sockets.send(noisy, 'begins'), sockets.send(quiet, 'quiet0'), sockets.send(quiet, 'quiet1'));
    await runOut(sockets);
    await settle(all);
    expect(sockets.log.slice(0, 8)).toEqual([
      ...['step0', 'step1', 'quiet0', 'step2', 'quiet1', 'step3', 'begins', 'step4'],
    ]);
  });

  it('refuse nobody where there is a socket, though another database waits for its own share', async () => {
    const sockets = new Sockets(3);
    const [noisy, quiet] = [share({ maxInFlight: 1 }), share({ maxWaiting: 0 })];
    const all = [sockets.send(noisy, 'noisy0'), sockets.send(noisy, 'noisy1')];
    await tick();
    all.push(sockets.send(quiet, 'quiet0'), sockets.send(quiet, 'quiet1'));
    await tick();
    expect(sockets.log).toEqual(['noisy0', 'quiet0', 'quiet1']);
    await expect(sockets.send(quiet, 'quiet2')).rejects.toThrow();
    expect({ ...quiet }).toMatchObject({ inFlight: 2, waiting: 0, refused: 1 });
    await runOut(sockets);
    await settle(all);
  });

  it('are given up with the signal of a call, which then waits no more', async () => {
    const sockets = new Sockets(1);
    const own = share();
    const stop = new AbortController();
    const all = [sockets.send(own, 'holds')];
    const aborted = sockets.send(own, 'aborted', 'call', stop.signal);
    all.push(sockets.send(own, 'waits'));
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect({ ...own }).toMatchObject({ inFlight: 1, waiting: 1, refused: 0 });
    await expect(sockets.send(own, 'late', 'call', stop.signal)).rejects.toBe(reason);
    await runOut(sockets);
    await settle(all);
    expect(sockets.log).toEqual(['holds', 'waits']);
  });

  it('are for background work when nobody else waits, and now and then though', async () => {
    const sockets = new Sockets(1);
    const [task, request] = [share(), share()];
    const all = [sockets.send(request, 'first')];
    all.push(inBackground(() => sockets.send(task, 'task')));
    for (let n = 0; n < 40; n++) all.push(sockets.send(request, 'request'));
    await runOut(sockets);
    await settle(all);
    expect(sockets.log.indexOf('task')).toBeGreaterThan(10);
    expect(sockets.log.indexOf('task')).toBeLessThan(20);
  });

  it('leave to commands half of the sockets that others hold without turns, and wait for the rest', async () => {
    const sockets = new Sockets(4);
    const streams = Array.from({ length: 4 }, () => sockets.hold('stream'));
    const own = share();
    const all = Array.from({ length: 10 }, () => sockets.send(own, 'call'));
    await tick();
    expect(sockets.inDriver).toBeLessThanOrEqual(4);
    await runOut(sockets);
    await settle([...all, ...streams]);
    expect(own).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('use the sockets to all servers', async () => {
    const sockets = new Sockets(2, 0, 3);
    const own = share();
    const all = Array.from({ length: 12 }, () => sockets.send(own, 'call'));
    for (let n = 0; n < 10; n++) {
      sockets.turns.look();
      await tick();
    }
    expect(sockets.running).toBe(6);
    await runOut(sockets);
    await settle(all);
  });

  it('do not hold up commands that wait for a server: all of them may', async () => {
    const sockets = new Sockets(2);
    sockets.isServerThere = false;
    const own = share();
    const all = Array.from({ length: 20 }, () => sockets.send(own, 'call'));
    for (let n = 0; n < 15; n++) await tick();
    expect(own).toMatchObject({ inFlight: 20, waiting: 0 });
    sockets.serverComes();
    await runOut(sockets);
    await settle(all);
  });

  it.each([...Array(60).keys()].map((n) => n + Number(process.env.POLYMONGO_SEED ?? 1)))(
    'leave nobody waiting and keep the bounds, whatever happens in whatever order (seed %i)',
    async (seed) => {
      const random = mulberry32(seed);
      const below = (n: number) => Math.floor(random() * n);
      const sockets = new Sockets(1 + below(4), random() < 0.3 ? 5 : 0);
      const shares = Array.from({ length: 5 }, () =>
        share({
          weight: 1 + below(3),
          ...(random() < 0.5 && { maxInFlight: 1 + below(3) }),
          ...(random() < 0.3 && { maxWaiting: below(4), refusal: () => new Error('refused') }),
        }),
      );
      const work: Promise<void>[] = [];
      const outcomes: string[] = [];
      /** Those may go beyond what their database may have. */
      const transactions = new Map<PoolShare, number>();
      const track = (call: Promise<void>) =>
        work.push(
          call.then(
            () => void outcomes.push('done'),
            (error: Error) => void outcomes.push(error.name),
          ),
        );
      for (let step = 0; step < 120; step++) {
        const dice = random();
        const own = shares[below(shares.length)]!;
        if (dice < 0.5) track(sockets.send(own, 'call', random() < 0.2 ? 'next' : 'call'));
        else if (dice < 0.55) track(inBackground(() => sockets.send(own, 'task')));
        else if (dice < 0.6) track(sockets.hold('stream'));
        else if (dice < 0.63) {
          transactions.set(own, (transactions.get(own) ?? 0) + 1);
          track(sockets.send(own, 'transaction', 'transaction'));
        } else if (dice < 0.9) sockets.endOne(below(sockets.running));
        else if (dice < 0.92) sockets.serverGoes();
        else if (dice < 0.97) sockets.serverComes();
        else if (dice < 0.98) sockets.turns.refuseAll(() => new Error('closed'));
        if (random() < 0.4) await tick();
        for (const each of shares) {
          expect(each.waiting).toBeGreaterThanOrEqual(0);
          const inTransaction = transactions.get(each) ?? 0;
          expect(each.inFlight).toBeLessThanOrEqual(each.terms.maxInFlight + inTransaction);
        }
      }
      sockets.serverComes();
      await runOut(sockets);
      await settle(work);
      expect(outcomes).toHaveLength(work.length);
      expect(sockets.turns.waiting).toBe(0);
      for (const each of shares) expect(each).toMatchObject({ inFlight: 0, waiting: 0 });
    },
  );
});
