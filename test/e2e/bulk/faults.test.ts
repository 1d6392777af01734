import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { EmbeddedMongo } from '../../../lib/testing/index.js';

const DOCUMENTS = 2500;
const lines = Array.from({ length: DOCUMENTS }, (_, i) => `{"_id":${i}}`);
const bytes = Buffer.from(`{"database":"d","collections":{\n"c":{"documents":[\n${lines.join(',\n')}\n]}}}`);
const OUT_OF_DISK_SPACE = 14031;

let mongo: EmbeddedMongo;
let wrapper: PolyMongoWrapper;
beforeEach(async () => {
  mongo = await EmbeddedMongo.start();
  const driverOptions = { serverSelectionTimeoutMS: 2000 };
  wrapper = new PolyMongoWrapper({ mongoURI: mongo.uri, driverOptions, handleSignals: false });
});
afterEach(async () => {
  await wrapper.actions.forceCloseAll();
  await mongo.stop();
});

const failInserts = (mode: object, data: object) =>
  wrapper.pools
    .database('admin')
    .connection.asPromise()
    .then(({ db }) =>
      db!.admin().command({ configureFailPoint: 'failCommand', mode, data: { failCommands: ['insert'], ...data } }),
    );

/** What an import has to tell that could not write its second batch. */
const stoppedAfterThousand = {
  ...{ name: 'BulkTaskError', collection: 'c', documentNumber: 1001, byteOffset: bytes.indexOf('{"_id":1000}') },
  summary: { collections: [{ name: 'c', documents: 1000 }] },
  checkpoint: { documents: { c: 1000 } },
};

describe('an import', () => {
  test('names the place where the disk was full, and goes on from there', async () => {
    await failInserts({ skip: 1 }, { errorCode: OUT_OF_DISK_SPACE });
    const importing = wrapper.bulkTasks.import('shop', bytes, { onError: 'skip' });
    const error = await importing.catch((e: unknown) => e);
    expect(error).toMatchObject({
      ...stoppedAfterThousand,
      cause: { name: 'BulkWriteError', code: OUT_OF_DISK_SPACE },
    });
    await failInserts('off' as never, {});
    const { checkpoint: resumeFrom } = error as { checkpoint: never };
    const summary = await wrapper.bulkTasks.import('shop', bytes, { resumeFrom });
    expect(summary.collections).toMatchObject([{ documents: 1500, skipped: 1000 }]);
  });

  test('names the place where the server died for good', async () => {
    const importing = wrapper.bulkTasks.import('shop', bytes, {
      transform: async (document) => {
        if (Number(document['_id']) === 1500) await mongo.stop();
        return document;
      },
    });
    await expect(importing).rejects.toMatchObject(stoppedAfterThousand);
  });

  test('outlives a server that comes back', async () => {
    await failInserts({ times: 2 }, { closeConnection: true });
    const { collections } = await wrapper.bulkTasks.import('shop', bytes);
    expect(collections).toMatchObject([{ documents: DOCUMENTS, skipped: 0 }]);
    expect(await wrapper.pools.database('shop').connection.collection('c').countDocuments()).toBe(DOCUMENTS);
  });
});

describe('what reads a database', () => {
  test.each([
    ['an export', () => wrapper.bulkTasks.export('shop')],
    ['a copy', () => wrapper.bulkTasks.copyDatabase('shop', 'other', { transform: (document) => document })],
  ])('names the place where the server stopped answering: %s', async (_, read) => {
    await wrapper.bulkTasks.import('shop', bytes);
    const { db } = await wrapper.pools.database('admin').connection.asPromise();
    const data = { failCommands: ['getMore'], errorCode: 8 };
    await db!.admin().command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    await expect(read()).rejects.toMatchObject({
      ...{ name: 'BulkTaskError', collection: 'c', documentNumber: 1001 },
      cause: { name: 'BulkReadError', cause: { code: 8 } },
    });
  });

  test('says what is in of a copy whose target refuses to go on', async () => {
    await wrapper.bulkTasks.import('shop', bytes);
    await failInserts({ skip: 1 }, { errorCode: OUT_OF_DISK_SPACE });
    const copying = wrapper.bulkTasks.copyDatabase('shop', 'other', { transform: (document) => document });
    await expect(copying).rejects.toMatchObject({
      ...{ collection: 'c', documentNumber: 1001, cause: { code: OUT_OF_DISK_SPACE } },
      summary: { collections: [{ documents: 1000 }] },
    });
  });
});
