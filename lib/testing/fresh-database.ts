import { randomBytes } from 'node:crypto';

let count = 0;

/**
 * A name that no other test has, in this run or another one, on a server that they share.
 * @param of what is in it, at most 30 characters; the name begins with it. Default `test`
 */
export const freshDatabase = (of = 'test'): string =>
  `${of.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 30)}_${randomBytes(4).toString('hex')}_${(count++).toString(36)}`;
