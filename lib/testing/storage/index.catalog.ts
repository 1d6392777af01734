import type { RecordId } from './record-store.js';
import type { WriteUnit } from './write-unit.js';

/** An index key that only superseded states of a record have. */
export interface StaleKey {
  readonly index: string;
  readonly key: unknown;
}

/** The indexes of a collection. */
export class IndexCatalog {
  change(
    _id: RecordId,
    _before: Uint8Array | undefined,
    _after: Uint8Array | undefined,
    _unit: WriteUnit,
  ): readonly StaleKey[] | undefined {
    return undefined;
  }
  revert(_id: RecordId, _before: Uint8Array | undefined, _after: Uint8Array | undefined): void {}
  removeStale(_id: RecordId, _stale: readonly StaleKey[], _kept: readonly (Uint8Array | undefined)[]): void {}
}
