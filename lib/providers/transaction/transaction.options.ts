import type { mongo } from 'mongoose';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';

/**
 * What happens when a transaction is asked for, in the words of Java's and Spring's transactions:
 *
 * | propagation   | inside a transaction                              | outside of any           |
 * |---------------|---------------------------------------------------|--------------------------|
 * | `required`    | joins it; commits and aborts with it              | begins one               |
 * | `requiresNew` | begins a further one, independent of the outer    | begins one               |
 * | `mandatory`   | joins it                                          | error                    |
 * | `never`       | error                                             | runs without transaction |
 *
 * A joining function that fails makes the whole transaction fail, even when the outer function catches its error.
 * Careful with `requiresNew`: MongoDB lets two open transactions not write the same document.
 */
export type Propagation = 'required' | 'requiresNew' | 'mandatory' | 'never';

/** How a transaction runs; the driver's own options pass through to it. A joined transaction keeps those it began with. */
export interface TransactionRunOptions extends mongo.TransactionOptions {
  /**
   * Any database of the pool it runs on; with a pool of its own (`dbSpecific`, `setDB`) the transaction is on that pool.
   * Default: the pool of the transaction around, else the primary one.
   */
  db?: string;
  /** Default `required`. */
  propagation?: Propagation;
}

/** Options with which there always is a transaction, and so a session. */
export type InTransactionOptions = TransactionRunOptions & { propagation?: Exclude<Propagation, 'never'> };

const PROPAGATIONS: readonly string[] = ['required', 'requiresNew', 'mandatory', 'never'] satisfies Propagation[];

/** @throws PolyMongoOptionsError that names the option */
export function checkTransactionOptions(fn: unknown, options: TransactionRunOptions): void {
  if (typeof fn !== 'function') {
    throw new PolyMongoOptionsError('fn', `transaction(fn, options) takes a function first, not ${typeName(fn)}.`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new PolyMongoOptionsError('options', `transaction() options must be an object, not ${typeName(options)}.`);
  }
  const { db, propagation } = options;
  if (db !== undefined && typeof db !== 'string') {
    throw new PolyMongoOptionsError('db', `transaction() db must be a database name, not ${typeName(db)}.`);
  }
  if (propagation !== undefined && !PROPAGATIONS.includes(propagation)) {
    throw new PolyMongoOptionsError(
      'propagation',
      `transaction() propagation must be one of ${PROPAGATIONS.join(', ')}, not ${JSON.stringify(propagation)}.`,
    );
  }
}

const typeName = (value: unknown): string => (value === null ? 'null' : typeof value);
