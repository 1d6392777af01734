import { Inject } from '@nestjs/common';
import { PolyMongoError } from '../polymongo.errors.js';
import { PolyMongoTransactions } from '../providers/transaction/polymongo-transactions.provider.js';
import type { TransactionRunOptions } from '../providers/transaction/transaction.options.js';

const TRANSACTIONS = Symbol('polymongo.transactions');

type Method = (this: { [TRANSACTIONS]?: PolyMongoTransactions }, ...args: unknown[]) => unknown;

/**
 * Runs each call of the method in a transaction, as `PolyMongoTransactions.run` does with these options; the method's
 * promise resolves after the commit. For providers and controllers of any scope: Nest has to make the instance.
 */
export const Transactional =
  (options: TransactionRunOptions = {}): MethodDecorator =>
  (target, key, descriptor: PropertyDescriptor) => {
    Inject(PolyMongoTransactions)(target, TRANSACTIONS);
    const original = descriptor.value as Method;
    const method: Method = async function (...args) {
      const transactions = this[TRANSACTIONS];
      if (!transactions) {
        throw new PolyMongoError(
          `@Transactional() on ${String(key)} needs an instance that Nest has made, in an application that imports ` +
            'PolyMongoModule.forRoot(). Elsewhere call transaction(fn) yourself.',
        );
      }
      return transactions.run(() => original.apply(this, args), options);
    };
    for (const name of Reflect.getMetadataKeys(original) as unknown[]) {
      Reflect.defineMetadata(name, Reflect.getMetadata(name, original), method);
    }
    descriptor.value = Object.defineProperty(method, 'name', { value: original.name });
  };
