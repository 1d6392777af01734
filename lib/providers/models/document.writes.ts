import type { mongo } from 'mongoose';
import { outsideTransaction, transactionOn, transactionsAround } from '../sessions/active.transaction.js';
import { bound, DATABASE } from './model.binding.js';
import type { AnyModel } from './model.types.js';

/** The options that decide which session a call runs in. */
export interface SessionOptions {
  session?: mongo.ClientSession | null;
}

interface SavedDocument {
  $session(session?: mongo.ClientSession): mongo.ClientSession | null | undefined;
}
type DeleteOne = (this: SavedDocument, options?: SessionOptions) => unknown;

/** Saves a document in the transaction around; its middleware sees the session, as with one that `save()` was given. */
export function saveInTransaction<T>(
  document: SavedDocument,
  options: SessionOptions,
  save: () => Promise<T>,
): Promise<T> {
  if (options.session === null) return outsideTransaction(save);
  try {
    const session = document.$session() ? undefined : joined(document.constructor, options)?.session;
    if (session) {
      options.session = session;
      document.$session(session);
    }
  } catch (error) {
    return Promise.reject(error as Error);
  }
  return save();
}

/** `deleteOne()` of the documents of a model, likewise; the model's own is looked up at each call, as somebody may patch it. */
export const deleteOneOf = (blueprint: AnyModel): DeleteOne =>
  function deleteOne(options) {
    const { deleteOne: own } = blueprint.prototype as { deleteOne: DeleteOne };
    return own.call(this, this.$session() ? options : joined(this.constructor, options));
  };

/** The options with the session of the transaction around, so that mongoose's document middleware sees it. */
export function joined<O extends SessionOptions>(model: unknown, options: O | undefined): O | undefined {
  if (transactionsAround().length === 0 || (options && Object.hasOwn(options, 'session'))) return options;
  const transaction = transactionOn(bound(model)[DATABASE]);
  return transaction ? ({ ...options, session: transaction.session } as O) : options;
}
