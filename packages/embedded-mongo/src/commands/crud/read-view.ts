import { tickOf } from '../../storage/clock.js';
import type { ReadView } from '../../storage/read-view.js';
import { LATEST } from '../../storage/read-view.js';
import type { Snapshot } from '../../storage/snapshot.js';
import type { Operation } from '../operation.js';

export interface OpenedView {
  readonly view: ReadView;
  /** Set for readConcern "snapshot" outside transactions: the reply names its time. It is released with the operation,
   * or by the cursor that the operation leaves open. */
  readonly snapshot?: Snapshot;
}

/** What a read sees: its transaction, a snapshot, or the latest. @throws CommandError SnapshotTooOld */
export function openReadView(op: Operation): OpenedView {
  const unit = op.transactionUnit;
  if (unit) return { view: unit };
  const { readConcern } = op.generic;
  if (readConcern?.level !== 'snapshot') return { view: LATEST };
  if (op.snapshot) return { view: op.snapshot, snapshot: op.snapshot };
  const { storage } = op.server;
  const snapshot = storage.snapshot(readConcern.atClusterTime && tickOf(readConcern.atClusterTime));
  op.snapshot = snapshot;
  storage.snapshots.retain(snapshot.tick);
  return { view: snapshot, snapshot };
}
