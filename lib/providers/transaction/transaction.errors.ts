import { PolyMongoError } from '../../polymongo.errors.js';

/** A transaction was asked for where its `propagation` does not allow one, or demands one. */
export class TransactionPropagationError extends PolyMongoError {
  constructor(
    /** The propagation that was asked for: `required`, `requiresNew`, `mandatory` or `never`. */
    readonly propagation: string,
    reason: string,
  ) {
    super(`transaction() with propagation '${propagation}' ${reason}`);
  }
}
