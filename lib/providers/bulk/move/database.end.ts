import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import { isNonce } from '../raw/cluster.identity.js';
import type { EndCollection, MoveEnd } from './move.ends.js';

/** GraphContainsCycle, NamespaceNotFound, NamespaceExists, CommandNotSupportedOnView: there is nothing to do, or somebody else has done it. */
const [CYCLE, MISSING, EXISTS, ON_VIEW] = [5, 26, 48, 166];
const FOR_GOOD = { writeConcern: { w: 'majority' } } as const;

/** A tenant's database on one of the two clusters, by the driver. */
export class DatabaseEnd implements MoveEnd {
  constructor(readonly database: Database) {}

  async list(): Promise<readonly EndCollection[]> {
    const found = await this.#run((db) => db.listCollections().toArray());
    return found
      .filter(({ name }) => !isNonce(name))
      .map((info) => {
        const { name, type = 'collection' } = info;
        const viewOn = 'options' in info ? (info.options?.['viewOn'] as string | undefined) : undefined;
        return { name, type, ...(viewOn !== undefined && { viewOn }) };
      });
  }

  async rename(name: string, to: string): Promise<void> {
    await this.#run((db) => db.renameCollection(name, to, FOR_GOOD)).catch(butNot(MISSING, EXISTS, ON_VIEW));
  }

  async createView(name: string, viewOn: string): Promise<void> {
    await this.#run((db) => db.createCollection(name, { viewOn, pipeline: [], ...FOR_GOOD })).catch(
      butNot(EXISTS, CYCLE),
    );
  }

  async drop(name: string): Promise<void> {
    await this.#run((db) => db.dropCollection(name, FOR_GOOD)).catch(butNot(MISSING));
  }

  async carry(from: string, into: string): Promise<void> {
    const merge = { $merge: { into, on: '_id', whenMatched: 'replace', whenNotMatched: 'insert' } };
    await this.#run((db) => db.collection(from).aggregate([merge], FOR_GOOD).toArray());
  }

  #run<T>(command: (db: mongo.Db) => Promise<T>): Promise<T> {
    return this.database.run(() => this.database.send(() => command(this.database.native)));
  }
}

const butNot =
  (...codes: readonly number[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as { code?: number }).code ?? 0)) throw error;
  };
