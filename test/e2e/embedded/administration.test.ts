import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { startTestServer } from '../../support/test-server.js';
import type { TestServer } from '../../support/test-server.js';

describe('administrative commands', () => {
  let server: TestServer;
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  beforeAll(async () => {
    server = await startTestServer();
    client = await new mongoose.mongo.MongoClient(server.uri).connect();
    db = client.db('embedded_administration');
  });

  beforeEach(async () => {
    await db.dropDatabase();
    await db.collection('docs').insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
    await server.stop();
  });

  it('convert a collection to a capped one, or copy it as one', async () => {
    await db.command({ cloneCollectionAsCapped: 'docs', toCollection: 'copy', size: 4096 });
    await db.command({ convertToCapped: 'docs', size: 4096 });
    for (const name of ['docs', 'copy']) {
      const [info] = await db.listCollections({ name }).toArray();
      expect(info).toMatchObject({ options: { capped: true, size: 4096 } });
      expect(await db.collection(name).distinct('n')).toEqual([1, 2, 3]);
    }
  });

  it('tell how large a collection is', async () => {
    const size = await db.command({ dataSize: 'embedded_administration.docs' });
    expect(size).toMatchObject({ numObjects: 3, size: 3 * 29 });
  });

  it('answer what needs nothing done, and refuse what only a standalone server does', async () => {
    expect(await client.db('admin').command({ fsync: 1 })).toMatchObject({ numFiles: 1 });
    expect(await db.command({ planCacheClear: 'docs' })).toMatchObject({ ok: 1 });
    await expect(db.command({ reIndex: 'docs' })).rejects.toMatchObject({ code: 20 });
  });

  it('validate no collection both in full and in the background', async () => {
    expect(await db.command({ validate: 'docs', background: true })).toMatchObject({ valid: true });
    await expect(db.command({ validate: 'docs', background: true, full: true })).rejects.toMatchObject({ code: 72 });
  });

  it('refuse a cluster time that is none', async () => {
    await client.withSession(async (session) => {
      // The driver sends the session's time if that is the greater one; a function is no BSON.
      Object.assign(session, { clusterTime: { clusterTime: { greaterThan: () => true } } });
      await expect(db.command({ ping: 1 }, { session })).rejects.toMatchObject({ code: 14 });
    });
  });
});
