import type { mongo } from 'mongoose';
import { check, checks, checkValue, oneOf, type Checks } from '../../polymongo.checks.js';

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

const OPTION_CHECKS: Checks<Pick<TransactionRunOptions, 'db' | 'propagation'>> = {
  db: { allowed: 'a database name', accepts: checks.string.accepts },
  propagation: oneOf('required', 'requiresNew', 'mandatory', 'never'),
};

/** @throws PolyMongoOptionsError that names the option */
export function checkTransactionOptions(options: TransactionRunOptions): void {
  checkValue('options of transaction', options, checks.object);
  check('transaction.', options, OPTION_CHECKS); // the others are the driver's
}
