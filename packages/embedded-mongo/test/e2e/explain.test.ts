import { describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

describe('explain', () => {
  let client: mongoose.mongo.MongoClient;
  let docs: mongoose.mongo.Collection;

  useTestServer('embedded_explain', async (connected) => {
    client = connected;
    docs = client.db('embedded_explain').collection('docs');
    await docs.createIndex({ a: 1, b: 1 });
    await docs.insertMany(Array.from({ length: 20 }, (_, i) => ({ a: i % 4, b: i, c: 'x'.repeat(100) })));
  });

  const explained = (command: object) =>
    docs.db.command({ explain: command, verbosity: 'executionStats' }) as Promise<{
      queryPlanner: { winningPlan: object };
      executionStats: object;
    }>;

  it('shows that a covered query examines no document, and the query gives the same without the index', async () => {
    const find = { find: 'docs', filter: { a: 1, b: { $gt: 5 } }, projection: { a: 1, b: 1, _id: 0 }, sort: { b: -1 } };
    const { queryPlanner, executionStats } = await explained(find);
    expect(queryPlanner.winningPlan).toMatchObject({ stage: 'PROJECTION_COVERED', inputStage: { stage: 'IXSCAN' } });
    expect(executionStats).toMatchObject({ nReturned: 3, totalKeysExamined: 3, totalDocsExamined: 0 });
    const query = docs.find(find.filter).project(find.projection).sort({ b: -1 });
    const covered = await query.toArray();
    expect(covered).toEqual([17, 13, 9].map((b) => ({ a: 1, b })));
    expect(await query.clone().hint({ $natural: 1 }).toArray()).toEqual(covered);
  });

  it('shows how a count and a distinct read', async () => {
    const count = await explained({ count: 'docs', query: { a: 2 } });
    expect(count.executionStats).toMatchObject({
      totalKeysExamined: 6,
      totalDocsExamined: 0,
      executionStages: { stage: 'COUNT', nCounted: 5, inputStage: { stage: 'COUNT_SCAN' } },
    });
    const all = await explained({ count: 'docs' });
    expect(all.queryPlanner.winningPlan).toMatchObject({ stage: 'RECORD_STORE_FAST_COUNT' });
    const distinct = await explained({ distinct: 'docs', key: 'a' });
    expect(distinct.executionStats).toMatchObject({
      totalKeysExamined: 4,
      executionStages: { stage: 'PROJECTION_COVERED', inputStage: { stage: 'DISTINCT_SCAN' } },
    });
    expect(await docs.distinct('a')).toEqual([0, 1, 2, 3]);
  });

  it('shows that a pipeline which only counts examines no document', async () => {
    const pipeline = [{ $match: { a: 2, b: { $gte: 10 } } }, { $group: { _id: '$b', n: { $sum: 1 } } }];
    const aggregate = { aggregate: 'docs', pipeline, cursor: {} };
    const { stages } = (await explained(aggregate)) as unknown as { stages: [{ $cursor: { executionStats: object } }] };
    expect(stages[0].$cursor.executionStats).toMatchObject({ nReturned: 3, totalDocsExamined: 0 });
    const groups = await docs.aggregate([...pipeline, { $sort: { _id: 1 } }]).toArray();
    expect(groups).toEqual([10, 14, 18].map((_id) => ({ _id, n: 1 })));
    expect(await docs.countDocuments({ a: 2, b: { $gte: 10 } })).toBe(3);
    expect(await docs.countDocuments()).toBe(20);
  });

  it('shows how a write finds its documents, and changes none', async () => {
    const statement = { q: { a: 1, b: { $gt: 5 } } };
    const writes = [
      ['UPDATE', { update: 'docs', updates: [{ ...statement, u: { $set: { c: '' } }, multi: true }] }],
      ['DELETE', { delete: 'docs', deletes: [{ ...statement, limit: 0 }] }],
      ['UPDATE', { findAndModify: 'docs', query: statement.q, update: { $set: { c: '' } } }],
      ['DELETE', { findAndModify: 'docs', query: statement.q, remove: true }],
    ] as const;
    for (const [stage, command] of writes) {
      const { winningPlan } = (await explained(command)).queryPlanner;
      expect(winningPlan).toMatchObject({ stage });
      expect(JSON.stringify(winningPlan)).toContain('"stage":"IXSCAN"');
    }
    expect(await docs.countDocuments({ c: 'x'.repeat(100) })).toBe(20);
  });

  it('is refused for what has no plan, and for a batch of writes', async () => {
    await expect(explained({ insert: 'docs', documents: [{}] })).rejects.toMatchObject({
      codeName: 'IllegalOperation',
      errmsg: 'Cannot explain cmd: insert',
    });
    const deletes = [
      { q: {}, limit: 1 },
      { q: {}, limit: 1 },
    ];
    await expect(explained({ delete: 'docs', deletes })).rejects.toMatchObject({ codeName: 'InvalidLength' });
    await expect(explained({ nosuch: 1 })).rejects.toMatchObject({ codeName: 'CommandNotFound' });
  });
});
