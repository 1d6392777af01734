import type { Mongoose } from 'mongoose';
import type { Database } from '../databases/database.js';
import { clientOf } from '../native/driver.private.js';
import { SESSION_STORAGE, sessionStorageOf, type SessionStore } from '../native/mongoose.private.js';
import { transactionOf, transactionOn } from '../sessions/active.transaction.js';
import { currentWork } from '../sessions/current.work.js';

/** The request or message that each was begun by; others do not find it. */
const works = new WeakMap<SessionStore, object | undefined>();

/**
 * The mongoose instance as one connection sees it. mongoose asks it for the session of the transaction around a call
 * that names none (its option `transactionAsyncLocalStorage`), and its own answer looks at no client; this one does. What is set,
 * replaced or removed here is mongoose's own.
 */
export function createBaseView(base: Mongoose, database: Database): Mongoose {
  /** Asked at each call: it is there from the moment that `mongoose.set('transactionAsyncLocalStorage', true)` is called. */
  const native = () => sessionStorageOf(base);
  const store: SessionStore = {
    get session() {
      const joined = transactionOn(database);
      if (joined) return joined.session;
      const around = native()?.getStore();
      const session = around && works.get(around) === currentWork() ? around.session : undefined;
      if (session && transactionOf(session)) return undefined; // one of ours, which has been left
      const client = session && clientOf(session);
      return client && client !== database.pool.client ? undefined : session;
    },
  };
  const ours: Partial<Record<string | symbol, unknown>> = {
    [SESSION_STORAGE]: {
      getStore: () => store,
      run: <T>(given: SessionStore, fn: () => T): T => {
        const storage = native();
        works.set(given, currentWork());
        return storage ? storage.run(given, fn) : fn();
      },
    },
    set: base.set.bind(base), // looks whether there is a storage
  };
  return new Proxy(base, {
    get: (_, key) => (Object.hasOwn(ours, key) ? ours[key] : Reflect.get(base, key)),
  });
}
