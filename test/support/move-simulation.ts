import {
  fencedIn,
  fencedName,
  isFence,
  stagedName,
  type EndCollection,
  type MoveEnd,
} from '../../lib/providers/bulk/move/move.ends.js';
import {
  afterFailure,
  clusterOf,
  fenceOf,
  isAtRest,
  takenUp,
  type Move,
  type MoveOrder,
} from '../../lib/providers/bulk/move/move.machine.js';
import { MoveTask, type MoveHost } from '../../lib/providers/bulk/move/move.task.js';
import type { MoveEvent } from './move-history.js';
import { mulberry32 } from './random.js';

/** What is left out of the protocol on purpose, to see that it is missed. */
export type PlantedFault = 'no fence' | 'no acknowledgment' | 'idle as barrier' | 'unfenced mover';

const WITHIN_MS = 400;
const LATEST_MS = 4_000;
/** More than anything takes that comes to an end. */
const MOST = 100_000;
const NAME = 'orders';
const REFUSED = 166;
const BATCH = 8;

class Lost extends Error {}
class TakenOver extends Error {}

type Stored = { type: 'collection'; documents: Map<string, string> } | { type: 'view'; viewOn: string };

/** A server, each of whose commands is done at one moment. */
class Server {
  readonly stored = new Map<string, Stored>();
  #fencedAt = Infinity;

  constructor(
    readonly now: () => number,
    readonly faults: string[],
  ) {}

  /**
   * What a read finds, that began then. Undefined where it has come so late that it meets the two commands of a fence, or what is
   * left when all is over: the protocol promises it nothing then, but that nobody was let in so late.
   */
  read(name: string, beganAt: number): string[] | undefined {
    const isWhole = this.stored.has(name) && (this.stored.get(name)!.type === 'view' || !this.isFenced(name));
    if (isWhole && this.documents(name)) return [...this.documents(name)!.values()];
    if (beganAt > this.#fencedAt)
      this.faults.push(`a read was let in at ${beganAt}, after the fence at ${this.#fencedAt}`);
    return undefined;
  }

  private isFenced(name: string): boolean {
    return [...this.stored].some(
      ([other, { type }]) =>
        type === 'collection' && /^polymongo_moved\.[\d-]+\./.test(other) && other.endsWith(`.${name}`),
    );
  }

  list(): EndCollection[] {
    return [...this.stored].map(([name, { type, ...rest }]) => ({
      name,
      type,
      ...('viewOn' in rest && { viewOn: rest.viewOn }),
    }));
  }

  /** The documents of a collection, or of what a view is on; undefined where there is none. */
  documents(name: string, depth = 0): Map<string, string> | undefined {
    const found = this.stored.get(name);
    if (depth > 20) return undefined;
    return found?.type === 'view' ? this.documents(found.viewOn, depth + 1) : found?.documents;
  }

  rename(name: string, to: string): void {
    const found = this.stored.get(name);
    if (found?.type !== 'collection' || this.stored.has(to)) return;
    this.stored.delete(name);
    this.stored.set(to, found);
    if (to.startsWith('polymongo_moved.')) this.#fencedAt = this.now();
  }

  createView(name: string, viewOn: string): void {
    for (let on: string | undefined = viewOn; on !== undefined;) {
      if (on === name) return; // a circle of views is refused
      const found: Stored | undefined = this.stored.get(on);
      on = found?.type === 'view' ? found.viewOn : undefined;
    }
    if (!this.stored.has(name)) this.stored.set(name, { type: 'view', viewOn });
  }

  /** Writes as the server does: a collection that is not there is made, a view takes nothing. */
  insert(name: string, id: string, value: string): void {
    if (this.stored.get(name)?.type === 'view') throw Object.assign(new Error('on a view'), { code: REFUSED });
    if (!this.stored.has(name)) this.stored.set(name, { type: 'collection', documents: new Map() });
    this.documents(name)!.set(id, value);
  }

  carry(from: string, into: string): void {
    for (const [id, value] of this.documents(from) ?? []) this.documents(into)?.set(id, value);
  }
}

/** Somebody who acts: may be stopped for a while, or for ever. */
interface Actor {
  stoppedUntil: number;
}

interface Timed {
  readonly at: number;
  readonly order: number;
  run(): void;
}

/** One tenant with two ends, clients in some processes, and movers, by one seed. All that happens is decided by it. */
export class MoveSimulation {
  readonly history: MoveEvent[] = [];
  /** What the history does not show: reads that were let in where there was nothing whole. */
  readonly faults: string[] = [];
  readonly #random: () => number;
  readonly #queue: Timed[] = [];
  readonly #source = new Server(() => this.#now, this.faults);
  readonly #target = new Server(() => this.#now, this.faults);
  /** What the registry has, written and read at one moment each. */
  #record: { owner: number; cluster: string | null; move: Move | undefined; epoch: number } = {
    owner: 0,
    cluster: null,
    move: undefined,
    epoch: 0,
  };
  /** By the attempt of the mover who holds the tenant. */
  #holds: number[] = [];
  #releases = 0;
  #now = 0;
  #order = 0;
  #ops = 0;
  #owners = 0;
  #isOver = false;
  /** Nothing goes wrong any more. */
  #isCalm = false;

  constructor(
    seed: number,
    readonly fault?: PlantedFault,
  ) {
    this.#random = mulberry32(seed);
  }

  /** @returns the history, with a last read when all messages have arrived */
  async run(): Promise<readonly MoveEvent[]> {
    this.#source.insert(NAME, 'first', 'first');
    this.history.push({ op: -1, at: 0, kind: 'invoke', type: 'write', values: ['first'] });
    this.history.push({ op: -1, at: 0, kind: 'ok', type: 'write', values: ['first'] });
    for (let n = 0; n < 3; n++) void this.#process();
    void this.#movers();
    await this.#turn(25_000);
    this.#isOver = true;
    await this.#turn(Infinity);
    this.#isCalm = true;
    for (const order of ['move', 'rollback', 'confirm'] as const) {
      if (!this.#record.move || isAtRest(this.#record.move)) break;
      void this.#mover(order).catch(() => {});
      await this.#turn(Infinity);
    }
    this.#settle();
    return this.history;
  }

  /** How often the tenant has been served at the target, or has come back. */
  moves = 0;
  /** Reads that came to a collection between the two commands of a fence, which find nothing and are not judged. */
  gaps = 0;

  async #turn(until: number): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      if (this.#queue.length === 0 || this.#queue[0]!.at > until) return;
      if (this.#order > MOST) throw new Error('it comes to no end');
      const next = this.#queue.shift()!;
      this.#now = next.at;
      next.run();
    }
  }

  #at(at: number, run: () => void): void {
    const timed = { at, order: this.#order++, run };
    const index = this.#queue.findIndex((other) => other.at > at);
    this.#queue.splice(index < 0 ? this.#queue.length : index, 0, timed);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#at(this.#now + ms, resolve));
  }

  #chance(p: number): boolean {
    return !this.#isCalm && this.#random() < p;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** Whoever is stopped, is so before the command is sent: what was asked before it may not be so any more. */
  async #send<T>(actor: Actor, command: () => T, isPrompt = false): Promise<T> {
    if (actor.stoppedUntil > this.#now) await this.#sleep(actor.stoppedUntil - this.#now);
    const takesMS = !isPrompt && this.#chance(0.03) ? this.#below(LATEST_MS) : 1 + this.#below(5);
    const isLost = this.#chance(0.01);
    if (isLost && this.#chance(0.5)) {
      await this.#sleep(takesMS);
      throw new Lost();
    }
    return new Promise<T>((resolve, reject) => {
      const arrive = (): T | undefined => {
        try {
          const answer = command();
          this.#at(this.#now + 1 + this.#below(5), () => (isLost ? reject(new Lost()) : resolve(answer)));
          return answer;
        } catch (error) {
          this.#at(this.#now + 1 + this.#below(5), () => reject(isLost ? new Lost() : (error as Error)));
          return undefined;
        }
      };
      this.#at(this.#now + takesMS, () => void arrive());
      if (!isPrompt && this.#chance(0.02)) {
        this.#at(this.#now + takesMS + this.#below(LATEST_MS), () => {
          try {
            command(); // a second time, whose answer nobody waits for
          } catch {
            // it is refused
          }
        });
      }
    });
  }

  async #process(): Promise<void> {
    const actor: Actor = { stoppedUntil: 0 };
    const known: Known = { isHeld: false, releases: -1, readAt: -Infinity, end: undefined };
    while (!this.#isOver) {
      await this.#sleep(20 + this.#below(400));
      if (this.#chance(0.02)) actor.stoppedUntil = this.#now + this.#below(LATEST_MS);
      void this.#operate(actor, known);
    }
  }

  /** One call of a client: it waits at the gate, and is run where the process believes the tenant to be. */
  async #operate(actor: Actor, known: Known, value?: string): Promise<void> {
    try {
      await this.#enter(actor, known);
    } catch {
      if (value !== undefined) this.#note(this.#ops++, 'fail', 'write', [value]);
      return; // nothing was sent
    }
    const server = known.end === 'eu-2' ? this.#target : this.#source;
    const op = this.#ops++;
    if (value === undefined && this.#chance(0.5)) return this.#read(actor, server, op);
    const written = value ?? `w${op}`;
    if (value === undefined) this.#note(op, 'invoke', 'write', [written]);
    let isDecided = false;
    try {
      // A server decides once about a write that the driver sends again.
      await this.#send(actor, () => {
        if (isDecided) return;
        isDecided = true;
        server.insert(NAME, `${written}#${op}`, written);
      });
      this.#note(op, 'ok', 'write', [written]);
    } catch (error) {
      if (error instanceof Lost) return this.#note(op, 'unknown', 'write', [written]);
      known.readAt = -Infinity; // 166: it was not done, so it may be done where the tenant is now
      if (!this.#isOver && this.#chance(0.7)) return this.#operate(actor, known, written);
      this.#note(op, 'fail', 'write', [written]);
    }
  }

  async #read(actor: Actor, server: Server, op: number): Promise<void> {
    this.#note(op, 'invoke', 'read', []);
    const beganAt = this.#now;
    try {
      const found = await this.#send(actor, () => server.read(NAME, beganAt));
      if (found) return this.#note(op, 'ok', 'read', found);
      this.gaps++;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
    }
    this.#note(op, 'unknown', 'read', []);
  }

  async #enter(actor: Actor, known: Known): Promise<void> {
    const isFresh = () => this.#now - known.readAt < WITHIN_MS;
    for (;;) {
      if (isFresh() && known.isHeld) throw new Error('held');
      if (isFresh() && known.end !== undefined) return;
      const askedAt = this.#now;
      const { isHeld, releases } = await this.#send(actor, () => ({
        isHeld: this.#holds.length > 0,
        releases: this.#releases,
      }));
      if (askedAt > known.readAt) {
        if (known.releases !== releases) known.end = undefined;
        Object.assign(known, { isHeld, releases, readAt: askedAt });
      }
      if (known.isHeld || known.end !== undefined) continue;
      const { releases: before } = known;
      const cluster = await this.#send(actor, () => this.#record.cluster);
      if (known.releases === before) known.end = cluster;
    }
  }

  #note(op: number, kind: MoveEvent['kind'], type: MoveEvent['type'], values: readonly string[]): void {
    this.history.push({ op, at: this.#now, kind, type, values });
  }

  /** Movers come one after the other, however far the one before has come: that a lease has lapsed is not what safety rests on. */
  async #movers(): Promise<void> {
    const orders: MoveOrder[] = ['move', 'move', 'rollback', 'move', 'confirm'];
    for (let n = 0; n < 9; n++) {
      await this.#sleep(300 + this.#below(2_500));
      const order = n < 3 ? 'move' : orders[this.#below(orders.length)]!;
      void this.#mover(order).catch(() => {}); // the next one goes on
    }
  }

  async #mover(order: MoveOrder): Promise<void> {
    const actor: Actor = { stoppedUntil: 0 };
    const owner = ++this.#owners;
    const isUnfenced = this.fault === 'unfenced mover';
    const isMine = () => isUnfenced || this.#record.owner === owner;
    let isDecided = false;
    const move = await this.#send(actor, () => {
      if (isDecided) return undefined; // sent again by the driver
      isDecided = true;
      return this.#takeUp(owner, order);
    });
    if (!move) return;
    const host = this.#host(actor, isMine, isUnfenced, move);
    const task = new MoveTask(host, move);
    try {
      await task.run();
    } catch (error) {
      if (error instanceof TakenOver) return;
      const undone = afterFailure(task.move);
      if (!undone || !this.#chance(0.5)) throw error;
      await host.write(task.move, undone, clusterOf(undone));
      task.move = undone;
      await task.run();
    }
  }

  /** One write of the registry. */
  #takeUp(owner: number, order: MoveOrder): Move | undefined {
    const { move, epoch, cluster } = this.#record;
    if (!move && (order !== 'move' || cluster !== null)) return undefined;
    const begun: Move = { epoch: epoch + 1, attempt: 1, phase: 'proving', from: null, to: 'eu-2' };
    const taken = move ? takenUp(move, order, 'eu-2') : begun;
    if (typeof taken === 'string') return undefined;
    const mine = this.fault === 'unfenced mover' ? { ...taken, attempt: 1, ...(taken.staged && { staged: 1 }) } : taken;
    this.#record = { owner, cluster: clusterOf(mine), move: mine, epoch: mine.epoch };
    return mine;
  }

  #host(actor: Actor, isMine: () => boolean, isUnfenced: boolean, begun: Move): MoveHost {
    const assertMine = async () => {
      if (this.#chance(0.03)) actor.stoppedUntil = this.#now + this.#below(LATEST_MS);
      if (this.#chance(0.02)) actor.stoppedUntil = Infinity; // killed
      if (actor.stoppedUntil === Infinity) await new Promise<never>(() => {});
      if (!(await this.#send(actor, isMine))) throw new TakenOver();
    };
    const source = this.#end(actor, this.#source, true);
    const target = this.#end(actor, this.#target, false);
    let read: string[] = [];
    const { attempt } = begun;
    return {
      source,
      target,
      assertMine,
      tell: () => {},
      prove: async () => ({ isOneCluster: false }),
      hold: async () => {
        await this.#send(actor, () => void (this.#holds = [...new Set([...this.#holds, attempt])]));
        if (this.fault !== 'no acknowledgment') await this.#sleep(WITHIN_MS);
      },
      release: () =>
        this.#send(actor, () => {
          this.#holds = this.#holds.filter((by) => by > attempt);
          this.#releases++;
        }),
      stage: async (move, names) => {
        read = [];
        for (const name of names) {
          const documents = await this.#send(actor, () => [
            ...(this.#source.documents(fencedName(fenceOf(move, 'source'), name)) ?? []),
          ]);
          await this.#send(actor, () => this.#made(stagedName(attempt, name)));
          for (let at = 0; at < documents.length; at += BATCH) {
            const batch = documents.slice(at, at + BATCH);
            read.push(...batch.map(([, value]) => value));
            await this.#send(actor, () => {
              for (const [id, value] of batch) this.#target.insert(stagedName(attempt, name), id, value);
            });
          }
        }
      },
      verify: async () => {
        const staged = await this.#send(actor, () => [
          ...(this.#target.documents(stagedName(attempt, NAME))?.values() ?? []),
        ]);
        return staged.sort().join() === read.sort().join() ? [] : ['other documents'];
      },
      copyViews: async () => {
        if (this.fault === 'idle as barrier')
          await this.#send(actor, () => this.#fenceAtLast(fenceOf(begun, 'source')));
      },
      compare: async (move) => {
        const both = await this.#send(actor, () =>
          (['source', 'target'] as const).map((end) => {
            const server = end === 'source' ? this.#source : this.#target;
            return [...(server.documents(fencedName(fenceOf(move, end), NAME))?.keys() ?? [])].sort().join();
          }),
        );
        return both[0] === both[1] ? [] : ['other documents'];
      },
      write: async (before, move, cluster) => {
        await this.#send(actor, () => {
          if (!isMine() || (!isUnfenced && this.#record.move?.phase !== before.phase)) throw new TakenOver();
          if (cluster !== this.#record.cluster) this.moves++;
          this.#record = { ...this.#record, move, cluster };
        });
      },
    };
  }

  #made(name: string): void {
    if (!this.#target.stored.has(name)) this.#target.stored.set(name, { type: 'collection', documents: new Map() });
  }

  #end(actor: Actor, server: Server, isSource: boolean): MoveEnd {
    const isOpen = isSource && (this.fault === 'no fence' || this.fault === 'idle as barrier');
    const isOnceMore = this.fault === 'unfenced mover' && !isSource;
    return {
      list: () =>
        this.#send(actor, () => {
          const found = server.list();
          const fenced = isOpen && found.some(({ name }) => name !== NAME && name.endsWith(`.${NAME}`));
          return fenced ? found.map((each) => (each.name === NAME ? { ...each, type: 'view' } : each)) : found;
        }),
      rename: (name, to) =>
        this.#send(actor, () => {
          const found = server.stored.get(name);
          if (isOpen && name === NAME && found?.type === 'collection')
            server.stored.set(to, { type: 'collection', documents: new Map(found.documents) });
          else if (isOnceMore && found && server.stored.get(to)?.type === 'collection') {
            server.stored.delete(name);
            server.stored.set(to, found); // with dropTarget
          } else server.rename(name, to);
        }),
      createView: (name, on) => this.#send(actor, () => (isOpen ? undefined : server.createView(name, on))),
      // What is under a name of the tenant's own, the mover has looked whether it is still to be done before it.
      drop: (name) => this.#send(actor, () => void server.stored.delete(name), !name.startsWith('polymongo_')),
      carry: (from, into) => this.#send(actor, () => server.carry(from, into)),
    };
  }

  /** What "idle for a while" comes to: the fence, when all is copied already. */
  #fenceAtLast(fence: string): void {
    if (fencedIn(this.#source.list(), fence).length === 0 || this.#source.list().some(isFence)) return;
    this.#source.stored.delete(NAME);
    this.#source.createView(NAME, fencedName(fence, NAME));
  }

  /** All that was under way has come to its end; what the tenant has now, read where it is. */
  #settle(): void {
    const op = this.#ops++;
    const server = this.#record.cluster === 'eu-2' ? this.#target : this.#source;
    const documents = server.documents(NAME);
    this.#note(op, 'invoke', 'read', []);
    this.#note(op, documents ? 'ok' : 'unknown', 'read', [...(documents?.values() ?? [])]);
  }
}

/** What a process knows of the tenant. */
interface Known {
  isHeld: boolean;
  releases: number;
  readAt: number;
  end: string | null | undefined;
}
