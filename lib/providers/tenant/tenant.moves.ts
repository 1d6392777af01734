import type { Observable } from 'rxjs';

/** How far the move of a tenant is. */
export interface MoveProgress {
  /** The tenant that is moved. */
  readonly tenantId: string;
  /** The name of the cluster that it is moved from; null where that has no name. */
  readonly from: string | null;
  /** The name of the cluster that it is moved to. */
  readonly to: string;
  /** As it is written down: `proving`, `copying`, `placing`, `moved`; `confirming`; `comparing`, `thawing`, `reopening`, `returned`. */
  readonly phase: string;
  /** What is done now, as in `fence` or `stage`. */
  readonly step: string;
  /** Copied so far. */
  readonly documents: number;
}

/** What every part of a move takes. */
export interface MoveWaitOptions {
  /** How long to wait for another process that works on the tenant, in ms. Default 60000. */
  timeoutMS?: number;
  /** Ends it: what was copied is taken back; once it is put in place, the next call goes on. */
  signal?: AbortSignal;
  /** Called when a step begins, and with each batch that was copied. */
  onProgress?: (progress: MoveProgress) => unknown;
}

/** Where to move a tenant, and how. */
export interface MoveOptions extends MoveWaitOptions {
  /** The cluster, by its name in `clusters`. */
  to: string;
  /** The tenant is suspended while it is copied. There is no other way as yet. */
  online: false;
}

/** How a move is taken back. */
export interface RollbackOptions extends MoveWaitOptions {
  /** Also where the tenant was written to since it was moved: that is lost then. Default false: it is refused. */
  discardWrites?: boolean;
}

/** A tenant that was moved. */
export interface TenantMove {
  /** The tenant. */
  readonly tenantId: string;
  /** The name of the cluster that it was moved from; null where that has no name. */
  readonly from: string | null;
  /** The name of the cluster that it is on now. */
  readonly to: string;
  /** Both names are one cluster: nothing was copied, and only its pool is another one. */
  readonly isOneCluster: boolean;
}

/** What `PolyMongoTenants` has of the moves, which come after it. */
export interface TenantMoves {
  readonly progress$: Observable<MoveProgress>;
  move(tenantId: string, options: MoveOptions): Promise<TenantMove>;
  confirm(tenantId: string, options: MoveWaitOptions): Promise<void>;
  rollback(tenantId: string, options: RollbackOptions): Promise<void>;
}
