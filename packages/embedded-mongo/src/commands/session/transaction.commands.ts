import { CommandError } from '../../errors.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { reply } from '../reply.js';

function requireTransaction(op: Operation): NonNullable<Operation['session']>['transaction'] {
  if (!op.session || !op.isInTransaction) {
    throw new CommandError('InvalidOptions', `${op.commandName} must be run within a transaction`);
  }
  return op.session.transaction;
}

export const commitTransaction: Command = {
  name: 'commitTransaction',
  isAdminOnly: true,
  isInApiV1: true,
  isAllowedInTransaction: true,
  takesWriteConcern: true,
  args: { commitTransaction: 'any', recoveryToken: 'object' },
  run(op) {
    const transaction = requireTransaction(op);
    if (!transaction.isCommitted) transaction.commit();
    return reply({});
  },
};

export const abortTransaction: Command = {
  name: 'abortTransaction',
  isAdminOnly: true,
  isInApiV1: true,
  isAllowedInTransaction: true,
  takesWriteConcern: true,
  args: { abortTransaction: 'any', recoveryToken: 'object' },
  run(op) {
    const transaction = requireTransaction(op);
    transaction.requireInProgress();
    transaction.abortIfOpen();
    return reply({});
  },
};
