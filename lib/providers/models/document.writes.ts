import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { activeTransaction, outsideTransaction, transactionOn } from '../sessions/active.transaction.js';
import { bound, DATABASE } from './model.binding.js';

/** The options that decide which session a call runs in. */
export interface SessionOptions {
  session?: mongo.ClientSession | null;
}

/** mongoose's own; a schema may have a path of that name. */
const native = mongoose.Model.prototype as unknown as {
  save(this: object, options?: SessionOptions): Promise<unknown>;
  deleteOne(this: object, options?: SessionOptions): unknown;
};
interface SavedDocument {
  $session(): mongo.ClientSession | null | undefined;
}

/** `save()` and `$save()` of all documents: in the transaction around. What it does at once, it does at once. */
export function save(this: SavedDocument, given?: SessionOptions): Promise<unknown> {
  try {
    if (given?.session === null) return outsideTransaction(() => native.save.call(this, given));
    return native.save.call(this, this.$session() ? given : joined(this.constructor, given));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/** `deleteOne()` of all documents, likewise. */
export function deleteOne(this: SavedDocument, options?: SessionOptions): unknown {
  return native.deleteOne.call(this, this.$session() ? options : joined(this.constructor, options));
}

/** The options with the session of the transaction around, so that mongoose's document middleware sees it. */
export function joined<O extends SessionOptions>(model: unknown, options: O | undefined): O | undefined {
  if (!activeTransaction() || (options && Object.hasOwn(options, 'session'))) return options;
  return { ...options, session: transactionOn(bound(model)[DATABASE])!.session } as O;
}
