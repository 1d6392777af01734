import { ContextVariable } from '../sessions/context.variable.js';

const background = new ContextVariable<boolean>();

/** Runs `fn` as work that waits behind requests where a pool has no free socket: tasks on many tenants or whole databases. */
export const inBackground = <T>(fn: () => T): T => background.run(true, fn);

/** The current call is part of such work. */
export const isInBackground = (): boolean => background.get() === true;
