import { describe, expect, it } from '@jest/globals';
import { errorLabelsOf } from '../../../src/commands/error-labels.js';

const plain = { commandName: 'insert', isInTransaction: false, isRetryableWrite: false, isChangeStream: false };
const inTransaction = { ...plain, isInTransaction: true };

describe('errorLabelsOf', () => {
  it.each([
    ['a retryable write that failed over', { ...plain, isRetryableWrite: true }, 10107, ['RetryableWriteError']],
    ['a retryable write of a duplicate key', { ...plain, isRetryableWrite: true }, 11000, []],
    ['a write that is not retryable', plain, 10107, []],
    ['a conflict in a transaction', inTransaction, 112, ['TransientTransactionError']],
    ['a transaction that is gone', inTransaction, 251, ['TransientTransactionError']],
    ['a commit that failed over', { ...inTransaction, commandName: 'commitTransaction' }, 91, ['RetryableWriteError']],
    ['a change stream that failed over', { ...plain, isChangeStream: true }, 189, ['ResumableChangeStreamError']],
    [
      'a change stream that lost its history',
      { ...plain, isChangeStream: true },
      286,
      ['NonResumableChangeStreamError'],
    ],
  ])('labels %s', (_what, failed, code, labels) => {
    expect(errorLabelsOf(failed, code)).toEqual(labels);
  });

  it('labels a retryable write by its write concern error, too', () => {
    expect(errorLabelsOf({ ...plain, isRetryableWrite: true }, undefined, 91)).toEqual(['RetryableWriteError']);
  });
});
