import type { DocumentOf } from '../models/model.types.js';
import type { ChangeObservable } from './change.observable.js';
import type { Change } from './change.types.js';
import type { WatchOptions } from './watch.options.js';

/** What every wrapped, tenant's and database's model has of change streams. */
export interface WatchableModel<M> {
  /**
   * The changes of this model's collection as an Observable, which is also an async iterable. Cold: each subscription
   * has a change stream of its own, which outlives network errors, restarts and elections, and which unsubscribing
   * closes on the server.
   * @throws PolyMongoOptionsError
   */
  watch$(options?: WatchOptions<DocumentOf<M>>): ChangeObservable<Change<DocumentOf<M>>>;
}

declare module '../models/model.types.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merges
  interface ModelExtensions<M> extends WatchableModel<M> {}
}
