import type { mongo } from 'mongoose';

/** Where a change stream stands; what it contains is the server's own business. */
export type ResumeToken = mongo.ResumeToken;

/** Keeps resume tokens, so that a change stream goes on where it was after the process has restarted. */
export interface ResumeTokenStore {
  /** The token last saved under a key; undefined or null when there is none. Anything else that is no token is an error. */
  load(key: string): Promise<ResumeToken | undefined | null>;
  /** Keeps a token in place of the one before; resolves when it is safe. */
  save(key: string, token: ResumeToken): Promise<void>;
  /** Forgets a token: the next stream begins with what happens then. */
  delete(key: string): Promise<void>;
}

/** Tokens in memory: they outlive a stream, but not the process. */
export class MemoryTokenStore implements ResumeTokenStore {
  readonly #tokens = new Map<string, ResumeToken>();

  /** The token last saved under a key, undefined when there is none. */
  async load(key: string): Promise<ResumeToken | undefined> {
    return this.#tokens.get(key);
  }
  /** Keeps a token in place of the one before. */
  async save(key: string, token: ResumeToken): Promise<void> {
    this.#tokens.set(key, token);
  }
  /** Forgets a token; one that is not there is no error. */
  async delete(key: string): Promise<void> {
    this.#tokens.delete(key);
  }
}
