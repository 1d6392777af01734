import type { Collection } from 'mongoose';
import { checkValue } from '../../polymongo.checks.js';
import { InvalidResumeTokenError } from './change-stream.errors.js';
import type { ResumeToken, ResumeTokenStore } from './resume-token.store.js';

/**
 * Tokens in a MongoDB collection, a document `{ _id: key, token, savedAt }` for each key: shared by the processes that
 * take turns at one stream.
 *
 * @example new CollectionTokenStore(users.db.collection('resumeTokens'))
 */
export class CollectionTokenStore implements ResumeTokenStore {
  /** @param collection of any database; the store makes no index on it, as it reads by `_id` */
  constructor(
    /** Where the tokens are. */
    readonly collection: Collection,
  ) {
    checkValue('collection', collection, {
      allowed: 'a collection, as connection.collection(name) gives it',
      accepts: (v) => typeof (v as Partial<Collection> | null | undefined)?.findOne === 'function',
    });
  }

  /**
   * The token last saved under a key, undefined when there is none. Outside of any transaction.
   * @throws InvalidResumeTokenError when the document has no token
   */
  async load(key: string): Promise<ResumeToken | undefined> {
    const found = await this.collection.findOne({ _id: key as never }, { session: null as never });
    if (!found) return undefined;
    const { token } = found as { token?: ResumeToken };
    if (token === undefined || token === null) throw new InvalidResumeTokenError(key, 'is a document without a token');
    return token;
  }

  /** Keeps a token in place of the one before, outside of any transaction. */
  async save(key: string, token: ResumeToken): Promise<void> {
    const update = { $set: { token, savedAt: new Date() } };
    await this.collection.updateOne({ _id: key as never }, update, { upsert: true, session: null as never });
  }

  /** Forgets a token, outside of any transaction; one that is not there is no error. */
  async delete(key: string): Promise<void> {
    await this.collection.deleteOne({ _id: key as never }, { session: null as never });
  }
}
