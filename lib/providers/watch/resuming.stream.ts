import type { mongo } from 'mongoose';
import { ChangeStreamInvalidatedError, InvalidResumeTokenError } from './change-stream.errors.js';
import { PolyMongoClosedError } from '../pools/pool.errors.js';
import { outsideTransaction } from '../sessions/active.transaction.js';
import type { OpenStream } from '../databases/database.equipment.js';
import type { Database } from '../databases/database.js';
import { within } from '../pools/deadline.js';
import type { PoolLease } from '../pools/pool.lease.js';
import { closeOnServerToo } from '../connections/stream.closing.js';
import { asServerSentEvent, type Change } from './change.types.js';
import { finalError, isResumable } from './resumable.errors.js';
import type { Reconnect } from './watch.options.js';
import type { ResumeToken } from './resume-token.store.js';
import { type Timer, clock } from '../../polymongo.clock.js';

/** What a stream is on, and how the driver opens it there. */
export interface WatchSource {
  readonly database: Database;
  /** 'db.collection', 'db' or 'the cluster'; for errors and keys. */
  readonly name: string;
  readonly isClusterWide: boolean;
  open(client: mongo.MongoClient, start: Partial<mongo.ChangeStreamOptions>): mongo.ChangeStream;
}

/** What a stream tells while it runs. */
export interface StreamListener {
  onOpen?(): unknown;
  onReconnect?(reconnect: Reconnect): unknown;
  /** What a server error at the first opening is told as. */
  explain?(error: unknown): unknown;
}

/** Where a stream begins; empty: with what happens from now on. */
type StreamStart = Partial<mongo.ChangeStreamOptions>;

interface Opened {
  driver: mongo.ChangeStream;
  lease: PoolLease;
}

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5_000;
/** How long a server that does not answer may hold up the end of a stream. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * A change stream that is pulled, and that outlives what it runs on: after network errors, restarts, elections and a
 * pool that was closed or replaced it opens again from the last token, so nothing is lost and nothing comes twice. The
 * driver resumes by itself once, and only after getMore; this goes on, with growing pauses of at most 5 s.
 * In the books of its database until it is closed.
 */
export class ResumingStream implements OpenStream {
  readonly isClusterWide: boolean;
  /** Settles when whoever pulls it is done with what he has in hand. */
  consumer: Promise<unknown> | undefined;
  readonly #source: WatchSource;
  readonly #listener: StreamListener;
  #start: StreamStart;
  #begin: (() => Promise<StreamStart>) | undefined;
  #opened: Opened | undefined;
  #opening: Promise<Opened | undefined> | undefined;
  #hasOpened = false;
  #isInvalidated = false;
  #isClosed = false;
  #interruption: Reconnect | undefined;
  /** What ends early when the stream is closed. */
  readonly #waits = new Set<() => void>();

  /**
   * @param start from where; a function is asked until it answers, before the first opening
   * @param isPatient also a stream that has never been open is tried again: when the server cannot be reached, when the
   * question where to start fails
   */
  constructor(
    source: WatchSource,
    start: StreamStart | (() => Promise<StreamStart>),
    listener: StreamListener = {},
    readonly isPatient = false,
  ) {
    this.#source = source;
    this.#start = typeof start === 'function' ? {} : start;
    if (typeof start === 'function') this.#begin = start;
    this.#listener = listener;
    this.isClusterWide = source.isClusterWide;
    source.database.streams.add(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get database(): Database {
    return this.#source.database;
  }

  /** The token after the last change that `next()` gave, or of the moment it opened. */
  get resumeToken(): ResumeToken | undefined {
    return this.#start.startAfter ?? this.#start.resumeAfter;
  }

  /**
   * The next change; undefined when the stream has been closed. One call at a time.
   * @throws ChangeStreamHistoryLostError, ChangeStreamInvalidatedError, or the driver's error when it is final
   */
  next(): Promise<Change | undefined> {
    return outsideTransaction(() => this.#next());
  }

  /** Ends the stream here and on the server; again does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source.database.streams.delete(this);
    for (const end of this.#waits) end();
    await this.#release();
  }

  /** Waits so long, or until the stream is closed. */
  async pause(delayMS: number): Promise<void> {
    let timer: Timer | undefined;
    await this.#unlessClosed(new Promise<void>((resolve) => (timer = clock.setTimeout(resolve, delayMS))));
    clock.clear(timer);
  }

  /** Leaves the pool it is on; the next pull opens it on the one that serves its database then. */
  async moveOn(): Promise<void> {
    this.#interruption ??= { attempts: 0, error: undefined };
    await this.#release();
  }

  async #next(): Promise<Change | undefined> {
    while (!this.#isClosed) {
      if (this.#isInvalidated)
        throw await this.#fail(new ChangeStreamInvalidatedError(this.#source.name, this.resumeToken));
      let opened: Opened | undefined;
      try {
        this.#opening ??= this.#opened ? undefined : this.#open().finally(() => (this.#opening = undefined));
        opened = this.#opened ?? (await this.#unlessClosed(this.#opening!));
        if (!opened) continue;
        const change = await opened.driver.next();
        this.#reached(opened, opened.driver.resumeToken ?? change._id);
        if (change.operationType === 'invalidate') this.#isInvalidated = true;
        return asServerSentEvent(change);
      } catch (error) {
        await this.#recover(error, opened);
      }
    }
    return undefined;
  }

  async #open(): Promise<Opened | undefined> {
    let opened: Opened | undefined;
    if (this.#begin) this.#start = await this.#begin();
    this.#begin = undefined;
    const lease = await this.#source.database.enter('long', () => void this.moveOn());
    if (this.#isClosed) {
      lease.release();
      return undefined;
    }
    try {
      const driver = closeOnServerToo(this.#source.open(lease.pool.client, this.#start));
      opened = { driver, lease };
      driver.on('resumeTokenChanged', (token: ResumeToken) => this.#reached(opened!, token));
      driver.on('close', () => {
        // The driver resumes by itself, or gives up and says so in next().
        if (this.#opened === opened && this.#hasOpened) this.#interruption ??= { attempts: 1, error: undefined };
      });
    } catch (error) {
      lease.release();
      throw error;
    }
    return (this.#opened = opened);
  }

  /** The server has answered: it is open, and `token` is where it stands. */
  #reached(opened: Opened, token: ResumeToken): void {
    if (this.#opened !== opened) return;
    this.#start = { startAfter: token };
    const interruption = this.#interruption;
    this.#interruption = undefined;
    if (!this.#hasOpened) {
      this.#hasOpened = true;
      this.#tell('onOpen', () => this.#listener.onOpen?.());
    } else if (interruption) this.#tell('onReconnect', () => this.#listener.onReconnect?.(interruption));
  }

  #tell(callback: string, call: () => unknown): void {
    const { database, name } = this.#source;
    void database.events.guard(database.name, `${callback} of the change stream on ${name}`, call);
  }

  async #recover(error: unknown, opened: Opened | undefined): Promise<void> {
    if (this.#isClosed) return;
    if (error instanceof PolyMongoClosedError) return this.close();
    if (opened && this.#opened !== opened) return; // moved on
    await this.#release();
    if (this.#isClosed) return;
    if (isClosedByServer(error)) {
      this.#isInvalidated = true; // a pipeline that lets the invalidate event not through
      return;
    }
    if (!this.#isPause(error)) {
      const told = this.#hasOpened ? error : (this.#listener.explain?.(error) ?? error);
      throw await this.#fail(finalError(told, this.#source.name));
    }
    const attempts = (this.#interruption?.attempts ?? 0) + 1;
    this.#interruption = { attempts, error };
    if (attempts > 1 || (this.isPatient && !this.#hasOpened)) this.#report(error);
    await this.pause(Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS) * (0.5 + Math.random() / 2));
  }

  /** Opening it (again) may help. */
  #isPause(error: unknown): boolean {
    if (this.isPatient && this.#begin) return !(error instanceof InvalidResumeTokenError);
    return isResumable(error, this.#hasOpened || this.isPatient);
  }

  #report(error: unknown): void {
    const { database, name } = this.#source;
    database.events.emit('error', { db: database.name, error, during: `change stream on ${name} resumes` });
  }

  async #fail(error: unknown): Promise<unknown> {
    await this.close();
    return error;
  }

  /** What `work` gives, or undefined as soon as the stream is closed. */
  async #unlessClosed<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.#isClosed) {
      work.catch(() => {});
      return undefined;
    }
    let end: (() => void) | undefined;
    const closed = new Promise<undefined>((resolve) => this.#waits.add((end = () => resolve(undefined))));
    try {
      return await Promise.race([work, closed]);
    } finally {
      this.#waits.delete(end!);
    }
  }

  async #release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (!opened) return;
    await within(
      CLOSE_TIMEOUT_MS,
      opened.driver.close().catch(() => {}),
    );
    opened.lease.release();
  }
}

/** The driver has no code for it. */
const isClosedByServer = (error: unknown): boolean =>
  error instanceof Error && error.message === 'ChangeStream is closed';
