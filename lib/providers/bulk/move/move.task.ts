import { MoveLeftoverError, MoveObstructedError } from './move.errors.js';
import {
  clusterOf,
  fenceOf,
  isAtRest,
  nextOf,
  stepsOf,
  type Move,
  type MoveStep,
  type StepOutcome,
} from './move.machine.js';
import { fencedIn, fencedName, isFence, namesBehind, openIn, stagedBy, stagedName, type MoveEnd } from './move.ends.js';
import { MoveFence } from './move.fence.js';

/** What a mover acts by. */
export interface MoveHost {
  readonly source: MoveEnd;
  readonly target: MoveEnd;
  /** Every live process reaches the target, which is empty. */
  prove(): Promise<{ isOneCluster: boolean }>;
  /** Resolves when no process lets the tenant in, and what had begun has ended or been ended. */
  hold(): Promise<void>;
  /** Lets the tenant in again, where the registry says that it is. */
  release(): Promise<void>;
  /** Copies collections that are fenced at the source to the names of this mover, and remembers what it has read. */
  stage(move: Move, names: readonly string[]): Promise<void>;
  /** How what is staged differs from what was read. */
  verify(move: Move): Promise<readonly string[]>;
  /** Makes the tenant's own views at the target. */
  copyViews(move: Move): Promise<void>;
  /** How what is fenced at both ends differs; nothing where that is not to count. */
  compare(move: Move): Promise<readonly string[]>;
  /**
   * Writes down how far it is and where the tenant is, where it still was as before. Undefined: it is over.
   * @throws TenantTakenOverError
   */
  write(before: Move, move: Move | undefined, cluster: string | null): Promise<void>;
  /** @throws TenantTakenOverError where another one has the tenant's record */
  assertMine(): Promise<void>;
  /** A step begins. */
  tell(move: Move, step: MoveStep): void;
}

/**
 * Does what the machine says, from wherever a move is. Each step can be the last one of this process; another one goes on with it.
 * @returns where it has come to; undefined: it is over
 */
export class MoveTask {
  /** Why it went no further, where two that had to be the same were not. */
  differences: readonly string[] = [];

  constructor(
    private readonly host: MoveHost,
    public move: Move,
  ) {}

  async run(): Promise<Move | undefined> {
    const { host } = this;
    for (;;) {
      let outcome: StepOutcome = {};
      for (const step of stepsOf(this.move)) {
        host.tell(this.move, step);
        outcome = { ...outcome, ...(await this.do(step)) };
        if (outcome.differences?.length) this.differences = outcome.differences;
      }
      if (isAtRest(this.move)) return this.move;
      const next = nextOf(this.move, outcome);
      await host.write(this.move, next, clusterOf(next ?? this.move));
      if (!next) return undefined;
      this.move = next;
    }
  }

  private async do(step: MoveStep): Promise<StepOutcome | void> {
    const { host, move } = this;
    await host.assertMine();
    switch (step) {
      case 'prove':
        return host.prove();
      case 'hold':
        return host.hold();
      case 'release':
        return host.release();
      case 'fence':
        return this.fenceAt('source').set();
      case 'stage':
        await this.dropStaged(move.attempt);
        return host.stage(move, fencedIn(await host.source.list(), fenceOf(move, 'source')));
      case 'verify':
        return { differences: await host.verify(move) };
      case 'place':
        return this.place();
      case 'freeze':
        return this.fenceAt('target').set();
      case 'compare':
        return { differences: await host.compare(move) };
      case 'thaw':
        return this.fenceAt('target').lift();
      case 'unfence':
        return this.fenceAt('source').lift();
      case 'drop':
        await this.dropStaged(Infinity);
        return this.dropSource();
      case 'clear':
        await this.dropStaged(Infinity);
        return this.clearTarget();
    }
  }

  private fenceAt(end: 'source' | 'target'): MoveFence {
    return new MoveFence(this.host[end], fenceOf(this.move, end), () => this.host.assertMine());
  }

  /** Nothing is put in the place of anything: what was placed before, by whomever, is there. */
  private async place(): Promise<void> {
    const { host, move } = this;
    const names = fencedIn(await host.source.list(), fenceOf(move, 'source'));
    const before = await host.target.list();
    for (const name of names) {
      // A move away from there has left it, so that whoever came late could write nothing.
      if (before.some((each) => each.name === name && isFence(each))) await this.drop(host.target, name);
      await host.assertMine();
      await host.target.rename(stagedName(move.staged!, name), name);
    }
    const found = await host.target.list();
    const isThere = new Set(found.filter(({ type }) => type !== 'view').map(({ name }) => name));
    const missing = names.filter((name) => !isThere.has(name) || isThere.has(stagedName(move.staged!, name)));
    if (missing.length > 0) throw new MoveObstructedError(move.to, missing);
    await host.copyViews(move);
  }

  /** What movers before this one have staged. */
  private async dropStaged(before: number): Promise<void> {
    for (const { name } of await this.host.target.list()) {
      const attempt = stagedBy(name);
      if (attempt !== undefined && attempt < before) await this.drop(this.host.target, name);
    }
  }

  /**
   * What the tenant had at the source. The views in its place stay: whoever comes late writes nothing there.
   * @throws MoveLeftoverError where a write has come in past the fence
   */
  private async dropSource(): Promise<void> {
    const { source } = this.host;
    const found = await source.list();
    const open = openIn(found);
    if (open.length > 0) throw new MoveLeftoverError(open);
    const fence = fenceOf(this.move, 'source');
    for (const name of namesBehind(found, fencedName(fence, ''))) await this.drop(source, fencedName(fence, name));
  }

  /** What this move has made at the target: nobody is let in there any more, or was as yet. */
  private async clearTarget(): Promise<void> {
    const { source, target } = this.host;
    const { staged } = this.move;
    const mark = fencedName(fenceOf(this.move, 'source'), '');
    const frozen = fencedName(fenceOf(this.move, 'target'), '');
    const marked = namesBehind(await source.list(), mark);
    const placed = new Set(staged === undefined ? [] : marked);
    for (const { name, type } of await target.list()) {
      if (name.startsWith(frozen) || (type !== 'view' && placed.has(name))) await this.drop(target, name);
    }
  }

  private async drop(end: MoveEnd, name: string): Promise<void> {
    await this.host.assertMine();
    await end.drop(name);
  }
}
