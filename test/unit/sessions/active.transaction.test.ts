import { describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import {
  ActiveTransaction,
  activeTransaction,
  outsideTransaction,
  transactionOf,
  transactionOn,
} from '../../../lib/providers/sessions/active.transaction.js';
import type { Database } from '../../../lib/providers/databases/database.js';
import type { DatabasePool } from '../../../lib/providers/pools/database.pool.js';
import { SessionMismatchError, TransactionEndedError } from '../../../lib/providers/sessions/session.errors.js';
import { turns } from '../../support/turns.js';

const session = () => ({}) as mongo.ClientSession;
const root = {};
const pool = (name: string, host: object = root) => ({ name, host }) as DatabasePool;
const begin = (preparations?: (() => Promise<void>)[]) => new ActiveTransaction(session(), pool('main'), preparations);

describe('ActiveTransaction', () => {
  it('is found through promises and timers inside, and not outside', async () => {
    const transaction = begin();
    await transaction.during(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(activeTransaction(root)).toBe(transaction);
      expect(outsideTransaction(() => activeTransaction(root))).toBeUndefined();
    });
    expect(activeTransaction(root)).toBeUndefined();
  });

  it('lets one operation begin when the one before it has ended, also when that failed', async () => {
    const transaction = begin();
    const log: string[] = [];
    const operation = (name: string, error?: Error) =>
      transaction.inTurn(async () => {
        log.push(`${name} begins`);
        await turns();
        log.push(`${name} ends`);
        if (error) throw error;
      });
    await Promise.allSettled([operation('a', new Error('no')), operation('b')]);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('waits at its end for what was begun, and lets nothing further in', async () => {
    const transaction = begin();
    let isDone = false;
    void transaction.inTurn(async () => {
      await turns(3);
      isDone = true;
    });
    await transaction.finish();
    expect(isDone).toBe(true);
    await expect(transaction.inTurn(async () => {})).rejects.toThrow(TransactionEndedError);
  });

  it('drops waiting operations when it is abandoned', async () => {
    const transaction = begin();
    const running = transaction.inTurn(() => turns(3));
    const waiting = transaction.inTurn(async () => {});
    const refused = expect(waiting).rejects.toThrow(TransactionEndedError);
    await turns();
    await transaction.abandon();
    await running;
    await refused;
  });

  it('asks the driver to try again, even when nobody passes its error on', async () => {
    const preparations: (() => Promise<void>)[] = [];
    const transaction = begin(preparations);
    const work = async () => {};
    expect(() => transaction.restartAfter(work)).toThrow();
    expect(preparations).toEqual([work]);
    const error = (await transaction.finish().catch((e: unknown) => e)) as mongo.MongoError;
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
  });

  it('is joined by databases of its pool, and refuses those of another with both names', () => {
    const transaction = begin();
    const other = { name: 'archive', pool: pool('archive') } as Database;
    transaction.during(() => {
      expect(transactionOn({ name: 'shop', pool: transaction.pool } as Database)).toBe(transaction);
      expect(() => transactionOn(other)).toThrow(SessionMismatchError);
      expect(() => transactionOn(other)).toThrow(/main.*archive/);
    });
  });

  it('is told from the attempt before it, which has the same session', () => {
    const first = begin();
    const second = new ActiveTransaction(first.session, first.pool);
    expect(transactionOf(first.session)).toBe(second);
    expect(first.during(() => transactionOf(first.session))).toBe(first);
  });
});
