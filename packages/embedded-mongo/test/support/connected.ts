import { afterAll, beforeAll } from '@jest/globals';
import { EmbeddedMongo } from 'embedded-mongo';
import mongoose, { type mongo } from 'mongoose';
import { startTestServer } from './test-server.js';

interface Stoppable {
  readonly uri: string;
  stop(): Promise<void>;
}

/** An embedded server of its own and a client of it for all tests of a block; both end after them. */
export const useOwnServer = (begin: (client: mongo.MongoClient, server: EmbeddedMongo) => unknown): void =>
  use(() => EmbeddedMongo.start(), begin);

/** The server of the test run and a client of it for all tests of a block, whose database is dropped after them. */
export const useTestServer = (database: string, begin: (client: mongo.MongoClient) => unknown): void =>
  use(startTestServer, begin, database);

function use<S extends Stoppable>(
  start: () => Promise<S>,
  begin: (client: mongo.MongoClient, server: S) => unknown,
  database?: string,
): void {
  let server: S | undefined;
  let client: mongo.MongoClient | undefined;

  beforeAll(async () => {
    server = await start();
    client = await new mongoose.mongo.MongoClient(server.uri).connect();
    await begin(client, server);
  });

  afterAll(async () => {
    if (database) await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
}
