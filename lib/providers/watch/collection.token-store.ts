import type { Collection } from 'mongoose';
import { InvalidResumeTokenError } from './change-stream.errors.js';
import type { ResumeToken, ResumeTokenStore } from './resume-token.store.js';

/**
 * Tokens in a MongoDB collection, a document `{ _id: key, token, savedAt }` for each key: shared by the processes that
 * take turns at one stream.
 *
 * @example new CollectionTokenStore(users.db.collection('resumeTokens'))
 */
export class CollectionTokenStore implements ResumeTokenStore {
  constructor(readonly collection: Collection) {}

  async load(key: string): Promise<ResumeToken | undefined> {
    const found = await this.collection.findOne({ _id: key as never }, { session: null as never });
    if (!found) return undefined;
    const { token } = found as { token?: ResumeToken };
    if (token === undefined || token === null) throw new InvalidResumeTokenError(key, 'is a document without a token');
    return token;
  }

  async save(key: string, token: ResumeToken): Promise<void> {
    const update = { $set: { token, savedAt: new Date() } };
    await this.collection.updateOne({ _id: key as never }, update, { upsert: true, session: null as never });
  }

  async delete(key: string): Promise<void> {
    await this.collection.deleteOne({ _id: key as never }, { session: null as never });
  }
}
