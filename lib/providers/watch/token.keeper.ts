import type { mongo } from 'mongoose';
import { InvalidResumeTokenError } from './change-stream.errors.js';
import type { ResumeToken, ResumeTokenStore } from './resume-token.store.js';
import { type Timer, clock } from '../../polymongo.clock.js';

/** When a token is saved again that could not be, unless a later one comes before. */
const RETRY_MS = 1_000;

/** Keeps one stream's token in a store: saves are made one after the other, and a later token is never followed by an earlier one. */
export class TokenKeeper {
  #unsaved: ResumeToken | undefined;
  #saving = Promise.resolve();
  #retry: Timer | undefined;

  /**
   * @param report told of saves that failed where nobody waits for them
   * @param isOver the stream has ended: nothing is tried again
   */
  constructor(
    readonly store: ResumeTokenStore,
    readonly key: string,
    readonly report: (error: unknown) => void,
    readonly isOver: () => boolean,
  ) {}

  /** The token that is stored; undefined when there is none. @throws InvalidResumeTokenError; what the store throws */
  async load(): Promise<ResumeToken | undefined> {
    const token: unknown = await this.store.load(this.key);
    if (token === undefined || token === null) return undefined;
    if (!isResumeToken(token)) throw new InvalidResumeTokenError(this.key, `is ${describe(token)}`);
    return token;
  }

  /** @throws what the store throws */
  async save(token: ResumeToken | undefined): Promise<void> {
    if (token === undefined) return;
    this.#unsaved = token;
    const saving = this.#saving.then(() => this.#saveLast());
    this.#saving = saving.catch(() => {});
    await saving;
  }

  /** As {@link save}; after a failure, which is told of, it is saved again later, or the next one is. */
  async keep(token: ResumeToken | undefined): Promise<void> {
    try {
      await this.save(token);
    } catch (error) {
      this.report(error);
      if (!this.#retry) this.#retry = clock.setTimeout(() => this.#tryAgain(), RETRY_MS).unref();
    }
  }

  /** Tries once more to save the last token, if that has failed. */
  async flush(): Promise<void> {
    await this.#saving;
    await this.keep(this.#unsaved);
  }

  #tryAgain(): void {
    this.#retry = undefined;
    if (!this.isOver()) void this.flush();
  }

  async #saveLast(): Promise<void> {
    const token = this.#unsaved;
    if (token === undefined) return;
    await this.store.save(this.key, token);
    if (this.#unsaved === token) this.#unsaved = undefined;
  }
}

/** The byte that every token begins with: the type of the time that it is sorted by. */
const FIRST_BYTE = 0x82;
const HEX_TOKEN = /^82(?:[0-9a-f]{2})*$/i;

/**
 * What servers give is a document with `_data`: a string of hex digits, or bytes before MongoDB 4.2.
 * @see https://www.mongodb.com/docs/manual/changeStreams/#resume-tokens
 */
function isResumeToken(value: unknown): value is ResumeToken {
  if (typeof value !== 'object' || value === null) return false;
  const { _data: data } = value as { _data?: unknown };
  if (typeof data === 'string') return HEX_TOKEN.test(data);
  if (data instanceof Uint8Array) return data[0] === FIRST_BYTE;
  const isBinary = (data as { _bsontype?: unknown } | null | undefined)?._bsontype === 'Binary';
  return isBinary && (data as mongo.Binary).buffer[0] === FIRST_BYTE;
}

/** What it is, without what it says. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null)
    return '_data' in value ? 'an object whose _data was not made by a server' : 'an object without _data';
  return `a ${typeof value}`;
}
