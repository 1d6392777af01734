import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { checks, checkValue } from '../../polymongo.checks.js';
import { InvalidResumeTokenError } from './change-stream.errors.js';
import type { ResumeToken, ResumeTokenStore } from './resume-token.store.js';

const { EJSON } = mongoose.mongo.BSON;

/** Tokens in a folder, a file for each key. A file is replaced whole, so a process killed at any moment leaves a good one. */
export class FileTokenStore implements ResumeTokenStore {
  /** @param folder made when the first token is saved */
  constructor(
    /** Where the tokens are, a file `<key>.json` for each. */
    readonly folder: string,
  ) {
    checkValue('folder', folder, checks.string);
  }

  /**
   * The token last saved under a key, undefined when there is none.
   * @throws InvalidResumeTokenError when the file is empty or damaged; Node's error when it cannot be read
   */
  async load(key: string): Promise<ResumeToken | undefined> {
    const path = this.#pathOf(key);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    let token: unknown;
    try {
      token = EJSON.parse(text);
    } catch (cause) {
      throw new InvalidResumeTokenError(key, `is the damaged file ${path}`, cause);
    }
    if (token === undefined || token === null) throw new InvalidResumeTokenError(key, `is the empty file ${path}`);
    return token;
  }

  /**
   * Replaces the key's file; resolves when the new one is in its place.
   * @throws Node's error when it cannot be written
   */
  async save(key: string, token: ResumeToken): Promise<void> {
    const path = this.#pathOf(key);
    const draft = `${path}.${process.pid}.tmp`;
    await mkdir(this.folder, { recursive: true });
    await writeFile(draft, EJSON.stringify(token as object));
    await rename(draft, path);
  }

  /** Removes the key's file; one that is not there is no error. */
  async delete(key: string): Promise<void> {
    await rm(this.#pathOf(key), { force: true });
  }

  #pathOf(key: string): string {
    return join(this.folder, `${encodeURIComponent(key).replaceAll('.', '%2E')}.json`);
  }
}
