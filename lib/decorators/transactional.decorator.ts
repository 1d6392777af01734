import { checks, checkValue } from '../polymongo.checks.js';
import { checkTransactionOptions, type TransactionRunOptions } from '../providers/transaction/transaction.options.js';
import { PolyMongoTransactions } from '../providers/transaction/polymongo-transactions.provider.js';
import { injectedMethod } from './injected.method.js';

/** Options of {@link Transactional}. */
export interface TransactionalOptions extends TransactionRunOptions {
  /** The name of the root whose transaction it is, where that has one; that of another root around it goes on. */
  root?: string;
}

/**
 * Runs each call of the method in a transaction, as `PolyMongoTransactions.run` does with these options; the method's
 * promise resolves after the commit. For providers and controllers of any scope: Nest has to make the instance.
 * @throws PolyMongoOptionsError
 */
export function Transactional(given: TransactionalOptions = {}): MethodDecorator {
  checkValue('options of @Transactional', given, checks.object);
  const { root, ...options } = given;
  checkTransactionOptions(options);
  return injectedMethod('Transactional', PolyMongoTransactions, root, (transactions, _, proceed) =>
    transactions.run(proceed, options),
  );
}
