import { AsyncResource } from 'node:async_hooks';

/** Made when this file is loaded, so it is nobody's request. */
const NOBODY = new AsyncResource('polymongo');

/** Runs `fn` in no async context: what it starts belongs to no request and to no tenant. */
export const asNobody = <T>(fn: () => T): T => NOBODY.runInAsyncScope(fn);
