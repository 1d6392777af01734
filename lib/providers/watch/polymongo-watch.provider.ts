import mongoose from 'mongoose';
import type { Subscriber } from 'rxjs';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';
import type { PolyMongoEventMap } from '../../polymongo.events.js';
import type { ModelRegistry } from '../models/model.registry.js';
import { bound, type BoundModel } from '../models/model.binding.js';
import { outsideTransaction } from '../pools/active.transaction.js';
import type { OpenStream } from '../pools/database.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { ChangeIterator } from './change.iterator.js';
import { ChangeObservable } from './change.observable.js';
import { processChanges } from './change.processor.js';
import type { Change } from './change.types.js';
import { ResumingStream, type StreamListener, type WatchSource } from './resuming.stream.js';
import { SharedStreams } from './shared.streams.js';
import { trackToken } from './stored.token.js';
import { checkWatchOptions, driverOptionsOf, pipelineOf, type WatchOptions } from './watch.options.js';
import { clusterSource, databaseSource, modelSource, startOf } from './watch.source.js';

const DEFAULT_BUFFER_SIZE = 1_000;

/** What to watch when no model is named: a database, or without `db` the whole cluster of the primary pool. */
export interface DatabaseWatchOptions extends WatchOptions {
  db?: string;
}

/** Change streams as Observables, on a collection, a database or the cluster. */
export class PolyMongoWatch {
  readonly #pools: PolyMongoPools;
  readonly #models: ModelRegistry;
  readonly #shared = new SharedStreams();

  constructor(pools: PolyMongoPools, models: ModelRegistry) {
    this.#pools = pools;
    this.#models = models;
    pools.events.on('streams', (event) => this.#onStreams(event));
  }

  /** Change streams that are open, mongoose's own included. */
  get openStreams(): number {
    return this.#streamsOf('all').length;
  }

  /** The changes of a database, or of the cluster. @throws PolyMongoOptionsError, InvalidDatabaseNameError */
  watch$({ db, ...options }: DatabaseWatchOptions = {}): ChangeObservable<Change> {
    checkWatchOptions(options);
    if (db === undefined) {
      return this.#observe(clusterSource(this.#pools.database(this.#pools.options.defaultDB), options), options);
    }
    if (typeof db !== 'string') {
      throw new PolyMongoOptionsError('db', `watch$() db must be a database name, not ${typeof db}.`);
    }
    return this.#observe(databaseSource(this.#pools.database(db), options), options);
  }

  /** The changes of a model on the database it is bound to; what `model.watch$()` calls. */
  model$(model: BoundModel, options: WatchOptions = {}): ChangeObservable<Change> {
    checkWatchOptions(options);
    return this.#observe(modelSource(model, options), options);
  }

  /** The changes of a registered model, on the default database if none is named. @throws ModelNotRegisteredError */
  named$(name: string, db: string | undefined, options: WatchOptions): ChangeObservable<Change> {
    const database = this.#pools.database(db ?? this.#pools.options.defaultDB);
    return this.model$(bound(this.#models.modelOn(database, this.#models.blueprint(name))), options);
  }

  /** Ends the change streams of a database: Observables complete, streams close. Cluster-wide ones go on. */
  async closeDBstream(db: string): Promise<void> {
    await Promise.all(this.#streamsOf([db]).map((stream) => stream.close()));
  }

  /** As {@link closeDBstream}, for every database and the cluster. */
  async closeAllWatches(): Promise<void> {
    await Promise.all(this.#streamsOf('all').map((stream) => stream.close()));
  }

  #observe(source: WatchSource, options: WatchOptions): ChangeObservable<Change> {
    return new ChangeObservable({
      sourceName: source.name,
      bufferSize: options.bufferSize ?? DEFAULT_BUFFER_SIZE,
      push: (subscriber) => outsideTransaction(() => this.#push(source, options, subscriber)),
      pull: () => new ChangeIterator(trackToken(source, options)),
    });
  }

  #push(source: WatchSource, options: WatchOptions, subscriber: Subscriber<Change>): () => void {
    const { process, tokenStore, share } = options;
    if (process) return this.#process(source, { ...options, process }, subscriber);
    if (tokenStore) {
      subscriber.error(
        new PolyMongoOptionsError(
          'tokenStore',
          'watch$() with tokenStore cannot know when a subscriber is done with a change. ' +
            'Use { process }, for await (const change of watch$(…)) or @OnChange.',
        ),
      );
      return () => {};
    }
    const open = (listener: StreamListener) => new ResumingStream(source, startOf(options), listener);
    if (share) return this.#shared.join(keyOf(source, options), subscriber, options, open);
    const stream = open(options);
    void pump(stream, subscriber);
    return () => void stream.close();
  }

  #process(
    source: WatchSource,
    options: WatchOptions & { process: (change: Change) => unknown },
    subscriber: Subscriber<Change>,
  ): () => void {
    const { stream, save } = trackToken(source, options);
    stream.consumer = processChanges(stream, options.process, options, {
      save,
      onProcessed: (change) => subscriber.next(change),
    }).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => void stream.close();
  }

  async #onStreams({ dbs, action }: PolyMongoEventMap['streams']): Promise<void> {
    const streams = this.#streamsOf(dbs);
    await Promise.all(
      streams.map(async (stream) => {
        if (action === 'resume' && stream instanceof ResumingStream) return stream.moveOn();
        await stream.close();
        if (stream instanceof ResumingStream) await stream.consumer;
      }),
    );
  }

  #streamsOf(dbs: readonly string[] | 'all'): OpenStream[] {
    return [...this.#pools.databases.values()].flatMap(({ name, streams }) =>
      [...streams].filter(({ isClusterWide }) => dbs === 'all' || (dbs.includes(name) && !isClusterWide)),
    );
  }
}

async function pump(stream: ResumingStream, subscriber: Subscriber<Change>): Promise<void> {
  try {
    for (let change; (change = await stream.next());) subscriber.next(change);
    subscriber.complete();
  } catch (error) {
    subscriber.error(error);
  }
}

/** What makes two shared subscriptions the same stream. */
const keyOf = (source: WatchSource, options: WatchOptions): string =>
  mongoose.mongo.BSON.EJSON.stringify([source.name, pipelineOf(options), driverOptionsOf(options)], { relaxed: false });
