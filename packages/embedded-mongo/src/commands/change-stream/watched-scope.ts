import { CommandError } from '../../errors.js';
import type { Namespace } from '../../storage/namespace.js';
import type { OplogEntry } from '../../storage/oplog.js';

const INTERNAL = ['admin', 'config', 'local'];

/** What a stream watches: a collection, a database, or the cluster. */
export class WatchedScope {
  private constructor(
    private readonly db: string | undefined,
    private readonly coll: string | undefined,
  ) {}

  /** @throws CommandError for what may not be watched */
  static of(ns: Namespace, isForCluster: boolean): WatchedScope {
    if (isForCluster) {
      if (ns.db !== 'admin' || ns.coll !== '') {
        throw new CommandError(
          'InvalidOptions',
          "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name",
        );
      }
      return new WatchedScope(undefined, undefined);
    }
    if (INTERNAL.includes(ns.db)) {
      throw new CommandError('InvalidNamespace', `$changeStream may not be opened on the internal ${ns.db} database`);
    }
    if (ns.coll.startsWith('system.')) {
      throw new CommandError(
        'InvalidNamespace',
        `$changeStream may not be opened on the internal ${ns.db}.${ns.coll} collection`,
      );
    }
    return new WatchedScope(ns.db, ns.coll === '' ? undefined : ns.coll);
  }

  concerns(entry: OplogEntry): boolean {
    if (this.covers(entry.ns, entry.op === 'dropDatabase')) return true;
    return entry.op === 'rename' && this.covers(entry.to, false);
  }

  /** Whether the change ends the stream. */
  isEndedBy({ op }: OplogEntry): boolean {
    if (this.coll !== undefined) return op === 'drop' || op === 'rename' || op === 'dropDatabase';
    return this.db !== undefined && op === 'dropDatabase';
  }

  private covers({ db, coll }: Namespace, isWholeDatabase: boolean): boolean {
    if (this.db === undefined) return !INTERNAL.includes(db) && !coll.startsWith('system.');
    if (db !== this.db) return false;
    if (this.coll === undefined) return !coll.startsWith('system.');
    return !isWholeDatabase && coll === this.coll;
  }
}
