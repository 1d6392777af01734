import type { Connection } from 'mongoose';
import { checks, checkValue, databaseNames } from '../../polymongo.checks.js';
import type { PolyMongoEvents } from '../../polymongo.events.js';
import { within } from '../pools/deadline.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { keepContext } from '../sessions/subscriber.context.js';

/** Called with the connection of the database that connected or is about to disconnect, and with the database's name. */
export type DbHook = (connection: Connection, dbName: string) => unknown;

/**
 * Called when something failed that no caller hears of: a hook, a connect in the background, an index, a stream's handler.
 * `db` is the database concerned, `during` says in words what was being done.
 */
export type DbErrorHook = (error: unknown, failure: { db: string; during: string }) => unknown;

/** Takes a registration back. */
export type Unregister = () => void;

type Moment = 'connect' | 'disconnect';
interface Registration<H> {
  names: ReadonlySet<string> | undefined;
  hook: H;
}

/**
 * Callbacks for databases that connect and disconnect: shared and separate, lazy, reopened and let go alike.
 * Those for named databases run before those for all; a failing one stops nothing and is told to `onDbError`. Each runs in
 * the async context it was registered in, whatever caused the event.
 */
export class PolyMongoHooks {
  readonly #events: PolyMongoEvents;
  readonly #pools: PolyMongoPools;
  readonly #hooks: Record<Moment, Set<Registration<DbHook>>> = { connect: new Set(), disconnect: new Set() };
  readonly #errorHooks = new Set<Registration<DbErrorHook>>();
  #before: (() => void) | undefined;

  /** @internal Made by `PolyMongoWrapper`. */
  constructor(pools: PolyMongoPools) {
    this.#pools = pools;
    this.#events = pools.events;
    this.#events.on('connected', ({ connection }) => this.#run('connect', connection));
    this.#events.on('disconnecting', ({ connection }) => this.#runInTime('disconnect', connection));
    this.#events.on('error', (failure) => this.#runErrorHooks(failure));
  }

  /** Runs `hook` after any database has become usable. @throws PolyMongoOptionsError when it is no function, as all of these do */
  onDbConnect(hook: DbHook): Unregister {
    return register(this.#hooks.connect, undefined, hook);
  }

  /** Runs `hook` before any database disconnects; it is awaited, up to `shutdownTimeoutMS`. */
  onDbDisconnect(hook: DbHook): Unregister {
    return register(this.#hooks.disconnect, undefined, hook);
  }

  /** As {@link onDbConnect}, for these databases only. @throws InvalidDatabaseNameError */
  onTheseDBConnect(names: string | readonly string[], hook: DbHook): Unregister {
    return register(this.#hooks.connect, databaseNames(names), hook);
  }

  /** As {@link onDbDisconnect}, for these databases only. @throws InvalidDatabaseNameError */
  onTheseDBDisconnect(names: string | readonly string[], hook: DbHook): Unregister {
    return register(this.#hooks.disconnect, databaseNames(names), hook);
  }

  /** Runs `hook` when something failed that no caller hears of, whatever the database. */
  onDbError(hook: DbErrorHook): Unregister {
    return register(this.#errorHooks, undefined, hook);
  }

  /** As {@link onDbError}, for these databases only. @throws InvalidDatabaseNameError */
  onTheseDBError(names: string | readonly string[], hook: DbErrorHook): Unregister {
    return register(this.#errorHooks, databaseNames(names), hook);
  }

  /** Has `look` called before hooks are chosen, so that it can register more. @internal */
  beforeHooks(look: () => void): void {
    this.#before = look;
  }

  async #run(moment: Moment, connection: Connection): Promise<void> {
    this.#before?.();
    const all = [...this.#hooks[moment]];
    const specific = all.filter(({ names }) => names?.has(connection.name));
    const general = all.filter(({ names }) => !names);
    await Promise.all(
      [...specific, ...general].map(async ({ hook }) => {
        try {
          await hook(connection, connection.name);
        } catch (error) {
          this.#events.emit('error', { db: connection.name, error, during: `on ${moment} hook` });
        }
      }),
    );
  }

  async #runInTime(moment: Moment, connection: Connection): Promise<void> {
    if (await within(this.#pools.hookTimeoutMS, this.#run(moment, connection))) return;
    const timeoutMS = this.#pools.options.shutdownTimeoutMS; // of all that ends with it
    const error = new Error(
      `The ${moment} hooks of ${connection.name} were not done after ${timeoutMS} ms and were left behind.`,
    );
    this.#events.emit('error', { db: connection.name, error, during: `on ${moment} hook` });
  }

  async #runErrorHooks(failure: { db: string; error: unknown; during: string }): Promise<void> {
    this.#before?.();
    const { db, error, during } = failure;
    const interested = [...this.#errorHooks].filter(({ names }) => !names || names.has(db));
    // Who fails here has nobody left to tell but the log.
    await Promise.allSettled(interested.map(async ({ hook }) => hook(error, { db, during })));
  }
}

/** @throws PolyMongoOptionsError when the hook is no function */
function register<A extends unknown[]>(
  set: Set<Registration<(...args: A) => unknown>>,
  names: readonly string[] | undefined,
  hook: (...args: A) => unknown,
): Unregister {
  checkValue('hook', hook, checks.function);
  const registration = { names: names && new Set(names), hook: keepContext(hook) };
  set.add(registration);
  return () => void set.delete(registration);
}
