import { checkTransactionOptions, type TransactionRunOptions } from '../providers/transaction/transaction.options.js';
import { PolyMongoTransactions } from '../providers/transaction/polymongo-transactions.provider.js';
import { injectedMethod } from './injected.method.js';

/**
 * Runs each call of the method in a transaction, as `PolyMongoTransactions.run` does with these options; the method's
 * promise resolves after the commit. For providers and controllers of any scope: Nest has to make the instance.
 * @throws PolyMongoOptionsError
 */
export function Transactional(options: TransactionRunOptions = {}): MethodDecorator {
  checkTransactionOptions(options);
  return injectedMethod('Transactional', PolyMongoTransactions, (transactions, _, proceed) =>
    transactions.run(proceed, options),
  );
}
