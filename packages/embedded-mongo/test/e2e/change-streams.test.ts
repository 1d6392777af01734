import { beforeEach, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

describe('change streams of events over 16 MB', () => {
  let client: mongoose.mongo.MongoClient;
  let docs: mongoose.mongo.Collection<{ _id: number; text: string }>;
  const split = { $changeStreamSplitLargeEvent: {} };
  const options = { fullDocument: 'required', fullDocumentBeforeChange: 'required' };
  const long = (letter: string) => letter.repeat(10 * 2 ** 20);

  useTestServer('embedded_change_streams', (connected) => {
    client = connected;
  });

  beforeEach(async () => {
    const db = client.db('embedded_change_streams');
    await db.dropDatabase();
    docs = await db.createCollection('docs', { changeStreamPreAndPostImages: { enabled: true } });
    await docs.insertOne({ _id: 1, text: long('a') });
  });

  const changeText = () => docs.updateOne({ _id: 1 }, { $set: { text: long('b') } });

  it('give them in fragments, and resume after each', async () => {
    const stream = docs.watch([split], options);
    await stream.tryNext();
    await changeText();
    const fragments: mongoose.mongo.ChangeStreamUpdateDocument[] = [];
    for (let fragment = 1; fragment <= 3; fragment++) {
      const event = (await stream.next()) as mongoose.mongo.ChangeStreamUpdateDocument;
      expect(event.splitEvent).toEqual({ fragment, of: 3 });
      fragments.push(event);
    }
    await stream.close();
    const fields = fragments.flatMap((fragment) => Object.keys(fragment));
    expect(fields.filter((name) => name.startsWith('fullDocument')).sort()).toEqual([
      'fullDocument',
      'fullDocumentBeforeChange',
    ]);
    const resumed = docs.watch([split], { ...options, resumeAfter: fragments[0]!._id });
    expect(await resumed.next()).toMatchObject({ splitEvent: { fragment: 2, of: 3 } });
    await resumed.close();
  });

  it('fail on them unless told to split', async () => {
    const stream = docs.watch([], options);
    await stream.tryNext();
    await changeText();
    await expect(stream.next()).rejects.toMatchObject({ code: 10334 });
    await stream.close();
  });

  it('give smaller ones whole', async () => {
    const stream = docs.watch([split]);
    await stream.tryNext();
    await docs.insertOne({ _id: 2, text: 'short' });
    expect(await stream.next()).not.toHaveProperty('splitEvent');
    await stream.close();
  });
});
