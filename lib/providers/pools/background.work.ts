import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<boolean>();

/** Runs `fn` as work that waits behind requests where a pool has no free socket: tasks on many tenants or whole databases. */
export const inBackground = <T>(fn: () => T): T => storage.run(true, fn);

/** The current call is part of such work. */
export const isInBackground = (): boolean => storage.getStore() === true;
