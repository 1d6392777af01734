import { PolyMongoError } from '../../polymongo.errors.js';
import type { Propagation } from './transaction.options.js';

/** A transaction was asked for where its `propagation` does not allow one, or demands one. */
export class TransactionPropagationError extends PolyMongoError {
  constructor(
    /** The propagation that was asked for: `required`, `requiresNew`, `mandatory` or `never`. */
    readonly propagation: Propagation,
    reason: string,
  ) {
    super(`transaction() with propagation '${propagation}' ${reason}`);
  }
}
