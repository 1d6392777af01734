import mongoose from 'mongoose';
import type { Observer } from 'rxjs';
import { checkDatabaseName, checks, checkValue } from '../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';
import type { PolyMongoEventMap } from '../../polymongo.events.js';
import type { ModelRegistry } from '../models/model.registry.js';
import { bound, type BoundModel } from '../models/model.binding.js';
import { outsideTransaction } from '../sessions/active.transaction.js';
import type { OpenStream } from '../databases/database.equipment.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { keepContext, keepObserver } from '../sessions/subscriber.context.js';
import { ChangeIterator } from './change.iterator.js';
import { ChangeObservable } from './change.observable.js';
import { processChanges } from './change.processor.js';
import type { Change } from './change.types.js';
import type { ResumeTokenStore } from './resume-token.store.js';
import { ResumingStream, type StreamListener, type WatchSource } from './resuming.stream.js';
import { SharedStreams } from './shared.streams.js';
import { trackToken, type TrackedStream } from './stored.token.js';
import { checkWatchOptions, driverOptionsOf, pipelineOf, type WatchOptions } from './watch.options.js';
import { clusterSource, databaseSource, modelSource, startOf } from './watch.source.js';

const DEFAULT_BUFFER_SIZE = 1_000;

/** What to watch when no model is named: a database, or without `db` the whole cluster of the primary pool. */
export interface DatabaseWatchOptions extends WatchOptions {
  /** A database, or undefined for the cluster. */
  db?: string;
}

/** What to have handled for the life of the application. */
export interface HandleOptions extends DatabaseWatchOptions {
  /** A registered model. */
  model?: string;
  process: (change: Change) => unknown;
}

/** Change streams as Observables, on a collection, a database or the cluster. */
export class PolyMongoWatch {
  readonly #pools: PolyMongoPools;
  readonly #models: ModelRegistry;
  readonly #shared = new SharedStreams();

  /** @internal Made by `PolyMongoWrapper`. */
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
  watch$(input: DatabaseWatchOptions = {}): ChangeObservable<Change> {
    checkValue('options of watch$', input, checks.object);
    const { db, ...options } = input;
    checkWatchOptions(options);
    return this.#observe(this.#source(undefined, db, options), options);
  }

  /** @internal The changes of a model on the database it is bound to; what `model.watch$()` calls. */
  model$(model: BoundModel, options: WatchOptions = {}): ChangeObservable<Change> {
    checkWatchOptions(options);
    return this.#observe(modelSource(model, options), options);
  }

  /**
   * @internal Has changes handled for the life of the application: it waits for a server that is not there yet, too. Of a
   * registered model, on the default database if none is named; without a model as {@link watch$}.
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError, ModelNotRegisteredError
   */
  handle$({ model, db, ...options }: HandleOptions): ChangeObservable<Change> {
    checkWatchOptions(options);
    return this.#observe(this.#source(model, db, options), options, true);
  }

  /** Ends the change streams of a database: Observables complete, streams close. Cluster-wide ones go on. @throws InvalidDatabaseNameError */
  async closeDBstream(db: string): Promise<void> {
    checkDatabaseName(db);
    await Promise.all(this.#streamsOf([db]).map((stream) => stream.close()));
  }

  /** As {@link closeDBstream}, for every database and the cluster. */
  async closeAllWatches(): Promise<void> {
    await Promise.all(this.#streamsOf('all').map((stream) => stream.close()));
  }

  #source(model: string | undefined, db: string | undefined, options: WatchOptions): WatchSource {
    const database = this.#pools.database(db ?? this.#pools.options.defaultDB);
    if (model === undefined)
      return db === undefined ? clusterSource(database, options) : databaseSource(database, options);
    return modelSource(bound(this.#models.modelOn(database, this.#models.blueprint(model))), options);
  }

  #observe(source: WatchSource, options: WatchOptions, isPatient = false): ChangeObservable<Change> {
    const { name, database } = source;
    return new ChangeObservable({
      sourceName: name,
      bufferSize: options.bufferSize ?? DEFAULT_BUFFER_SIZE,
      report: (error) =>
        this.#pools.events.emit('error', {
          db: database.name,
          error,
          during: `a subscriber of the change stream on ${name}`,
        }),
      push: (subscriber) => {
        const kept = keepCallbacks(options);
        const observer = keepObserver(subscriber);
        return outsideTransaction(() =>
          kept.process
            ? this.#process(trackToken(source, kept, isPatient), { ...kept, process: kept.process }, observer)
            : this.#push(source, kept, observer),
        );
      },
      pull: () => new ChangeIterator(trackToken(source, keepCallbacks(options))),
    });
  }

  #push(source: WatchSource, options: WatchOptions, subscriber: Observer<Change>): () => void {
    const { tokenStore, share } = options;
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
    if (share)
      return this.#shared.join(keyOf(source, options), subscriber, this.#guardedListener(source, options), open);
    const stream = open(options);
    void pump(stream, subscriber);
    return () => void stream.close();
  }

  #process(
    tracked: TrackedStream,
    options: WatchOptions & { process: (change: Change) => unknown },
    subscriber: Observer<Change>,
  ): () => void {
    const { stream } = tracked;
    stream.consumer = processChanges(tracked, options.process, options, (change) => subscriber.next(change)).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => void stream.close();
  }

  /** One member's callback that fails keeps nothing from the others. */
  #guardedListener({ database, name }: WatchSource, { onOpen, onReconnect }: WatchOptions): StreamListener {
    const guard = (callback: string, call: () => unknown) =>
      this.#pools.events.guard(database.name, `${callback} of the change stream on ${name}`, call);
    return {
      onOpen: () => guard('onOpen', () => onOpen?.()),
      onReconnect: (reconnect) => guard('onReconnect', () => onReconnect?.(reconnect)),
    };
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

async function pump(stream: ResumingStream, subscriber: Observer<Change>): Promise<void> {
  try {
    for (let change; (change = await stream.next());) subscriber.next(change);
    subscriber.complete();
  } catch (error) {
    subscriber.error(error);
  }
}

/** The callbacks of a subscription, each called in its async context, whoever causes the call. */
function keepCallbacks(options: WatchOptions): WatchOptions {
  const { onOpen, onReconnect, process, tokenStore } = options;
  return {
    ...options,
    ...(onOpen && { onOpen: keepContext(onOpen) }),
    ...(onReconnect && { onReconnect: keepContext(onReconnect) }),
    ...(process && { process: keepContext(process) }),
    ...(tokenStore && {
      tokenStore: {
        load: keepContext((key) => tokenStore.load(key)),
        save: keepContext((key, token) => tokenStore.save(key, token)),
        delete: keepContext((key) => tokenStore.delete(key)),
      } satisfies ResumeTokenStore,
    }),
  };
}

/** What makes two shared subscriptions the same stream. */
const keyOf = (source: WatchSource, options: WatchOptions): string =>
  mongoose.mongo.BSON.EJSON.stringify([source.name, pipelineOf(options), driverOptionsOf(options)], { relaxed: false });
