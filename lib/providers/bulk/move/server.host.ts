import type { Database } from '../../databases/database.js';
import { withNonce } from '../../tenant/cluster.pools.js';
import { TenantUnfinishedError } from '../../tenant/suspension.errors.js';
import type { OwnershipHold } from '../../tenant/tenant.registry.js';
import { TenantNotEmptyError } from '../backup/backup.errors.js';
import { unfinishedIn } from '../backup/restore.state.js';
import { isSameCluster } from '../raw/cluster.identity.js';
import { DatabaseEnd } from './database.end.js';
import { MoveCopy, type Names } from './move.copy.js';
import { fencedIn, fencedName, isFence, isOfMove, openIn, stagedName, type MoveEnd } from './move.ends.js';
import { MoveRefusedError } from './move.errors.js';
import { fenceOf, type Move, type MoveStep } from './move.machine.js';
import type { MoveHost } from './move.task.js';

/** What a mover is given of the registry, the processes and the two clusters. */
export interface ServerHostParts {
  readonly tenantId: string;
  readonly source: Database;
  readonly target: Database;
  readonly signal: AbortSignal | undefined;
  /** What was written at the target since counts. */
  readonly isComparing: boolean;
  readonly ownership: OwnershipHold;
  readonly nonce: string;
  proveReach(nonce: string): Promise<void>;
  /** Resolves when nothing of the tenant runs anywhere. @throws SuspensionOffError */
  suspend(): Promise<void>;
  release(): Promise<void>;
  write(before: Move, move: Move | undefined, cluster: string | null): Promise<void>;
  tell(phase: string, step: string, documents: number): void;
}

/** A mover on real servers. */
export class ServerHost implements MoveHost {
  readonly source: MoveEnd;
  readonly target: MoveEnd;
  readonly write: MoveHost['write'];
  /** Ends it, as long as it is there. */
  signal: AbortSignal | undefined;
  readonly #copy: MoveCopy;
  #names: Names = new Map();
  #isHeld = false;
  #documents = 0;
  #now = { phase: '', step: '' };

  constructor(private readonly parts: ServerHostParts) {
    const { source, target, ownership } = parts;
    this.source = new DatabaseEnd(source);
    this.target = new DatabaseEnd(target);
    this.signal = parts.signal;
    this.write = parts.write;
    this.#copy = new MoveCopy({
      source,
      target,
      signal: parts.signal,
      guard: ownership.assertFresh,
      written: (documents) => {
        this.#documents += documents;
        parts.tell(this.#now.phase, this.#now.step, this.#documents);
      },
    });
  }

  /** @throws MoveRefusedError, TenantUnfinishedError, TenantNotEmptyError, ClusterUnreachableError */
  async prove(): Promise<{ isOneCluster: boolean }> {
    const { source, target, tenantId, nonce, proveReach } = this.parts;
    const isOneCluster = await target.run(() => source.run(() => isSameCluster(target, source)));
    await withNonce(target, nonce, () => proveReach(nonce));
    if (isOneCluster) return { isOneCluster };
    const unfinished = await unfinishedIn(source);
    if (unfinished) throw new TenantUnfinishedError(tenantId, unfinished);
    const found = await this.source.list();
    const fixed = found
      .filter(({ name, type }) => type === 'timeseries' || name === 'system.js')
      .map(({ name }) => name);
    if (fixed.length > 0)
      throw new MoveRefusedError(
        tenantId,
        `${fixed.join(', ')} cannot be renamed, so nothing would keep writes from it (time series, stored JavaScript). Use a backup.`,
      );
    const others = openIn(await this.target.list());
    if (others.length > 0) throw new TenantNotEmptyError(tenantId, others);
    return { isOneCluster };
  }

  /** What is held once is held until it is released. */
  async hold(): Promise<void> {
    if (!this.#isHeld) await this.parts.suspend();
    this.#isHeld = true;
  }

  async release(): Promise<void> {
    await this.parts.release();
    this.#isHeld = false;
  }

  async stage(move: Move, names: readonly string[]): Promise<void> {
    this.#names = new Map(names.map((name) => [fencedName(fenceOf(move, 'source'), name), name]));
    await this.#copy.stage(this.#names, (name) => stagedName(move.attempt, name));
  }

  verify({ attempt }: Move): Promise<readonly string[]> {
    return this.#copy.verify(this.#names, (name) => stagedName(attempt, name));
  }

  async copyViews(): Promise<void> {
    const own = (await this.source.list()).filter(
      (each) => each.type === 'view' && !isFence(each) && !isOfMove(each.name),
    );
    const names = own.map(({ name }) => name);
    await this.#copy.copyViews(names, async (name) => {
      await this.assertMine();
      if ((await this.target.list()).some((each) => each.name === name && each.type === 'view'))
        await this.target.drop(name);
    });
  }

  async compare(move: Move): Promise<readonly string[]> {
    if (!this.parts.isComparing) return [];
    const namesAt = async (end: 'source' | 'target'): Promise<Names> => {
      const fence = fenceOf(move, end);
      return new Map(fencedIn(await this[end].list(), fence).map((name) => [fencedName(fence, name), name]));
    };
    return this.#copy.compare(await namesAt('source'), await namesAt('target'));
  }

  async assertMine(): Promise<void> {
    this.signal?.throwIfAborted();
    await this.parts.ownership.renew();
    this.parts.ownership.assertFresh();
  }

  tell({ phase }: Move, step: MoveStep): void {
    this.#now = { phase, step };
    this.parts.tell(phase, step, this.#documents);
  }
}
