import { beforeEach, describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

describe('$text and $meta', () => {
  let client: mongo.MongoClient;
  let articles: mongo.Collection<{ _id: number; subject?: string; body?: string; n?: number }>;

  useOwnServer((connected) => {
    client = connected;
    articles = client.db('texts').collection('articles');
  });

  beforeEach(async () => {
    await client.db('texts').dropDatabase();
    await articles.insertMany([
      { _id: 1, subject: 'coffee', n: 1 },
      { _id: 2, subject: 'Coffee Shopping', n: 2 },
      { _id: 3, subject: 'Baking a cake', n: 1 },
      { _id: 4, subject: 'baking', body: 'coffee', n: 2 },
      { _id: 5, subject: 'Café Con Leche', n: 1 },
      { _id: 6, subject: 'coffee and cream', n: 2 },
    ]);
  });

  const search = async ($search: string, options: object = {}): Promise<number[]> =>
    (await articles.find({ $text: { $search, ...options } }).toArray()).map(({ _id }) => _id).sort();
  const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  it('finds any of the words by their stems, all phrases, and nothing that is negated', async () => {
    await articles.createIndex({ subject: 'text', body: 'text' });
    expect(await search('coffees')).toEqual([1, 2, 4, 6]);
    expect(await search('bake coffee shop')).toEqual([1, 2, 3, 4, 6]);
    expect(await search('"coffee shop"')).toEqual([2]);
    expect(await search('coffee -shop')).toEqual([1, 4, 6]);
    expect(await search('coffee -"and cream"')).toEqual([1, 2, 4]);
    expect(await search('cafe')).toEqual([5]);
    expect(await search('cafe', { $diacriticSensitive: true })).toEqual([]);
    expect(await search('Coffee', { $caseSensitive: true })).toEqual([2]);
    expect(await search('the and')).toEqual([]);
    expect(await search('-coffee')).toEqual([]);
  });

  it('has the language of each document, also of one within another', async () => {
    await articles.createIndex({ '$**': 'text' });
    await articles.insertMany([
      { _id: 11, language: 'german', body: 'die Häuser' } as never,
      { _id: 12, n: 1, parts: [{ language: 'french', body: 'les chevaux' }, { body: 'the horses' }] } as never,
    ]);
    expect(await search('haus', { $language: 'german' })).toEqual([11]);
    expect(await search('cheval', { $language: 'french' })).toEqual([12]);
    expect(await search('horse')).toEqual([12]);
    expect(await search('die', { $language: 'none' })).toEqual([]); // a stop word in German
  });

  it('takes a $text in an $or only where all its clauses have indexes', async () => {
    await articles.createIndex({ subject: 'text' });
    const either = () => articles.countDocuments({ $or: [{ $text: { $search: 'cream' } }, { n: 1 }] });
    expect(await errorOf(either())).toMatchObject({ code: 291 });
    await articles.createIndex({ n: 1 });
    expect(await either()).toBe(4);
  });

  it('follows inserts, updates and deletes, inside transactions and out of them', async () => {
    await articles.createIndex({ subject: 'text' });
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await articles.updateOne({ _id: 3 }, { $set: { subject: 'tea' } }, { session });
        expect(await articles.countDocuments({ $text: { $search: 'tea' } }, { session })).toBe(1);
        expect(await search('tea')).toEqual([]);
      }),
    );
    await articles.deleteOne({ _id: 1 });
    expect(await search('tea cake coffee')).toEqual([2, 3, 6]);
  });

  it('gives the score to projections, sorts and pipelines', async () => {
    await articles.createIndex({ subject: 'text', body: 'text' }, { weights: { subject: 10 } });
    const score = { $meta: 'textScore' };
    const found = await articles
      .find({ $text: { $search: 'coffee' } })
      .project({ score })
      .sort({ score })
      .toArray();
    expect(found.map(({ _id, score }) => [_id, score])).toEqual([
      [1, 10],
      [2, 7.5],
      [6, 7.5],
      [4, 1],
    ]);
    const pipeline = [
      { $match: { $text: { $search: 'coffee' }, n: 2 } },
      { $addFields: { upper: { $toUpper: '$subject' } } },
      { $sort: { score, _id: 1 } },
      { $project: { upper: 1, score } },
      { $limit: 1 },
    ];
    expect(await articles.aggregate(pipeline).toArray()).toEqual([{ _id: 2, upper: 'COFFEE SHOPPING', score: 7.5 }]);
    const best = [{ $match: { $text: { $search: 'coffee' } } }, { $group: { _id: '$n', best: { $max: score } } }];
    expect(await articles.aggregate(best).toArray()).toEqual(
      expect.arrayContaining([
        { _id: 1, best: 10 },
        { _id: 2, best: 7.5 },
      ]),
    );
  });

  it('wants the first fields of a compound index, and searches all fields with $**', async () => {
    await articles.createIndex({ n: 1, subject: 'text' });
    expect(await errorOf(search('coffee'))).toMatchObject({ code: 291 });
    expect(await articles.countDocuments({ n: 2, $text: { $search: 'coffee' } })).toBe(2);
    await articles.dropIndexes();
    await articles.createIndex({ '$**': 'text' });
    expect(await search('coffee')).toEqual([1, 2, 4, 6]);
  });

  it('shows the index as MongoDB does, and the search in explain', async () => {
    await articles.createIndex({ subject: 'text', body: 'text' }, { weights: { subject: 3 } });
    expect((await articles.indexes())[1]).toEqual({
      v: 2,
      key: { _fts: 'text', _ftsx: 1 },
      name: 'subject_text_body_text',
      weights: { body: 1, subject: 3 },
      default_language: 'english',
      language_override: 'language',
      textIndexVersion: 3,
    });
    const { executionStats } = await articles.find({ $text: { $search: 'cake' } }).explain();
    expect(executionStats).toMatchObject({
      nReturned: 1,
      totalDocsExamined: 1,
      executionStages: { stage: 'TEXT_MATCH' },
    });
    expect(await errorOf(articles.createIndex({ n: 'text' }))).toMatchObject({ code: 85 });
    expect(await errorOf(articles.createIndex({ m: 1, n: 'text' }))).toMatchObject({ code: 67 });
  });

  it('refuses searches that cannot be', async () => {
    expect(await errorOf(search('x'))).toMatchObject({ code: 27, message: 'text index required for $text query' });
    await articles.createIndex({ subject: 'text' });
    expect(
      await errorOf(
        articles
          .find({})
          .project({ s: { $meta: 'textScore' } })
          .toArray(),
      ),
    ).toMatchObject({
      code: 40218,
      message: 'query requires text score metadata, but it is not available',
    });
    const late = [{ $limit: 1 }, { $match: { $text: { $search: 'x' } } }];
    expect(await errorOf(articles.aggregate(late).toArray())).toMatchObject({ code: 17313 });
    expect(await errorOf(search('x', { $language: 'klingon' }))).toMatchObject({ code: 2 });
    expect(await errorOf(articles.find({ $text: {} as never }).toArray())).toMatchObject({ code: 4 });
  });

  it('gives recordId, indexKey, sortKey and the distance of $geoNear', async () => {
    await articles.createIndex({ n: 1 });
    const meta = { id: { $meta: 'recordId' }, key: { $meta: 'indexKey' }, by: { $meta: 'sortKey' } };
    const [first] = await articles
      .find({ n: { $gt: 1 } })
      .project(meta)
      .sort({ subject: -1 })
      .toArray();
    expect(first).toMatchObject({ _id: 6, id: 6, key: { n: 2 }, by: ['coffee and cream'] });
    expect(await errorOf(articles.find().project(meta).toArray())).toMatchObject({ code: 2 });
    const places = client.db('texts').collection('places');
    await places.createIndex({ at: '2d' });
    await places.insertOne({ at: [3, 4] });
    const near = { $geoNear: { near: [0, 0], distanceField: 'd' } };
    const distance = { $project: { _id: 0, far: { $meta: 'geoNearDistance' }, at: { $meta: 'geoNearPoint' } } };
    expect(await places.aggregate([near, distance]).toArray()).toEqual([{ far: 5, at: [3, 4] }]);
  });
});
