import { Subject, type Observable } from 'rxjs';
import { delay } from '../../../polymongo.clock.js';
import { checkOptions, checks, type Checks } from '../../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../../polymongo.errors.js';
import type { PolyMongoPools } from '../../pools/polymongo-pools.provider.js';
import { inSubscribersContext, keepContext } from '../../sessions/subscriber.context.js';
import { poolsOf } from '../../tenant/cluster.pools.js';
import { SuspensionOffError } from '../../tenant/suspension.errors.js';
import type { TenantDatabases } from '../../tenant/tenant.databases.js';
import type { TenantDirectory } from '../../tenant/tenant.directory.js';
import { TenantTakenOverError } from '../../tenant/tenant-work.errors.js';
import type {
  MoveOptions,
  MoveProgress,
  MoveWaitOptions,
  RollbackOptions,
  TenantMove,
  TenantMoves,
} from '../../tenant/tenant.moves.js';
import type { OwnershipHold, TenantRecord, TenantRegistry } from '../../tenant/tenant.registry.js';
import type { TenantSuspensions } from '../../tenant/tenant.suspensions.js';
import { newNonce } from '../raw/cluster.identity.js';
import { MoveDifferenceError, MoveRefusedError } from './move.errors.js';
import { afterFailure, clusterOf, takenUp, type Move, type MoveOrder } from './move.machine.js';
import { MoveTask } from './move.task.js';
import { ServerHost } from './server.host.js';

/** What tenants are moved with. */
export interface MoveParts {
  readonly pools: PolyMongoPools;
  readonly databases: TenantDatabases;
  readonly directory: TenantDirectory;
  readonly registry: TenantRegistry;
  readonly suspensions: TenantSuspensions;
}

interface Request extends RollbackOptions {
  readonly order: MoveOrder;
  readonly to?: string;
}

const WAIT_CHECKS: Checks<MoveWaitOptions> = {
  timeoutMS: checks.durationMS,
  signal: checks.abortSignal,
  onProgress: checks.function,
};
const MOVE_CHECKS: Checks<MoveOptions> = { ...WAIT_CHECKS, to: checks.string, online: checks.boolean };
const ROLLBACK_CHECKS: Checks<RollbackOptions> = { ...WAIT_CHECKS, discardWrites: checks.boolean };
const REFUSALS = {
  elsewhere: 'it is being moved to another cluster. Confirm that, or roll it back.',
  ending: 'its move is being confirmed or taken back. Do that again, which goes on with it.',
  unfinished:
    'its move has not come so far that it could be confirmed. Move it again, which goes on with it, or roll it back.',
} as const;

/** Moves tenants from one cluster to another, with the steps of docs/move.md. */
export class PolyMongoMoves implements TenantMoves {
  readonly #progress = new Subject<MoveProgress>();

  constructor(private readonly parts: MoveParts) {
    parts.pools.onClosed(() => this.#progress.complete());
  }

  get progress$(): Observable<MoveProgress> {
    return inSubscribersContext(this.#progress);
  }

  async move(tenantId: string, options: MoveOptions): Promise<TenantMove> {
    checkOptions('move.', options, MOVE_CHECKS, ['to']);
    const { to, online, ...rest } = options;
    if ((online as boolean | undefined) !== false)
      throw new PolyMongoOptionsError(
        'move.online',
        'move.online must be false: tenants are moved while they are suspended, and in no other way as yet.',
      );
    this.parts.directory.locations.assertKnown(to);
    const { from, isOneCluster = false } = (await this.#run(tenantId, { ...rest, order: 'move', to }))!;
    return { tenantId, from, to, isOneCluster };
  }

  async confirm(tenantId: string, options: MoveWaitOptions): Promise<void> {
    checkOptions('confirm.', options, WAIT_CHECKS);
    await this.#run(tenantId, { ...options, order: 'confirm' });
  }

  async rollback(tenantId: string, options: RollbackOptions): Promise<void> {
    checkOptions('rollback.', options, ROLLBACK_CHECKS);
    const request: Request = { ...options, order: 'rollback' };
    // Where one before it was refused and had not come to its end, that is done first.
    while (await this.#run(tenantId, request));
  }

  async #run(tenantId: string, request: Request): Promise<Move | undefined> {
    const { databases, directory, registry, suspensions } = this.parts;
    const database = databases.of(tenantId);
    if (!suspensions.isOn) throw new SuspensionOffError(tenantId);
    await directory.findAnew(tenantId);
    const found = await registry.recordOf(tenantId);
    if (found?.state !== 'ready')
      throw new MoveRefusedError(tenantId, 'it was not provisioned. Do that first, with tenants.provision.');
    const { timeoutMS = 60_000 } = request;
    return registry.whileOwning({ tenantId, database, purpose: 'provision', timeoutMS }, async (record, hold) => {
      const move = takeUp(record, request);
      await registry.writeMove(record, record.move, move, clusterOf(move));
      return this.#carryOut(record, move, hold, request);
    });
  }

  async #carryOut(record: TenantRecord, move: Move, hold: OwnershipHold, request: Request): Promise<Move | undefined> {
    const { _id: tenantId, database } = record;
    const { pools, directory } = this.parts;
    const { locations } = directory;
    const open = async (cluster: string | null) =>
      poolsOf(pools.options, await locations.connectionTo(cluster ?? undefined, tenantId), database);
    const ends = [await open(move.from), await open(move.to)] as const;
    try {
      const host = this.#host(record, move, hold, request, ends);
      const task = new MoveTask(host, move);
      const [source, target] = ends.map((each) => each.database(database));
      const over = await source!.run(() => target!.run(() => this.#finish(task, host), 'long'), 'long');
      if (task.differences.length > 0) throw new MoveDifferenceError(tenantId, task.differences, request.order);
      return over;
    } finally {
      await Promise.all(ends.map((each) => each.forceCloseAll()));
    }
  }

  /** What has not been put in place is taken back when it fails. */
  async #finish(task: MoveTask, host: ServerHost): Promise<Move | undefined> {
    try {
      return await task.run();
    } catch (error) {
      const undone = error instanceof TenantTakenOverError ? undefined : afterFailure(task.move);
      if (!undone) throw error;
      host.signal = undefined;
      await host.write(task.move, undone, clusterOf(undone));
      task.move = undone;
      await task.run();
      throw error;
    }
  }

  #host(
    record: TenantRecord,
    { from, to, attempt }: Move,
    hold: OwnershipHold,
    { signal, onProgress, discardWrites = false }: Request,
    [source, target]: readonly [PolyMongoPools, PolyMongoPools],
  ): ServerHost {
    const { pools, directory, registry, suspensions } = this.parts;
    const { _id: tenantId, database } = record;
    const listener = onProgress && keepContext(onProgress);
    return new ServerHost({
      tenantId,
      source: source.database(database),
      target: target.database(database),
      signal,
      isComparing: !discardWrites,
      ownership: hold,
      proveReach: (nonce) =>
        directory.proveReach({ id: nonce, cluster: to, database }, pools.options.waitQueueTimeoutMS * 3),
      nonce: newNonce(),
      suspend: async () => {
        await suspensions.add(tenantId, 'being moved', 'move', attempt);
        await delay(pools.options.shutdownTimeoutMS);
      },
      release: () => suspensions.release(tenantId, true, 'move', attempt),
      write: (before, move, cluster) => registry.writeMove(record, before, move, cluster),
      tell: (phase, step, documents) => {
        const progress: MoveProgress = { tenantId, from, to, phase, step, documents };
        this.#progress.next(progress);
        void listener?.(progress);
      },
    });
  }
}

/** @throws MoveRefusedError */
function takeUp({ _id, move, moveEpoch = 0, cluster }: TenantRecord, { order, to }: Request): Move {
  if (!move) {
    if (order !== 'move') throw new MoveRefusedError(_id, 'there is no move of it.');
    if (cluster === to) throw new MoveRefusedError(_id, `it is on the cluster "${to}".`);
    return { epoch: moveEpoch + 1, attempt: 1, phase: 'proving', from: cluster ?? null, to: to! };
  }
  const taken = takenUp(move as Move, order, to);
  if (typeof taken === 'string') throw new MoveRefusedError(_id, REFUSALS[taken]);
  return taken;
}
