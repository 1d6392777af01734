import { expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import type { EmbeddedMongo } from 'embedded-mongo';
import { useOwnServer } from '../support/connected.js';

let server: EmbeddedMongo;
let client: mongo.MongoClient;
let db: mongo.Db;

useOwnServer(async (connected, started) => {
  client = connected;
  server = started;
  db = client.db('snapshots');
  await db.collection('docs').insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
  await db.createCollection('seen', { viewOn: 'docs', pipeline: [] });
});

const openCount = (): number => server['storage'].snapshots.openCount;
const readConcern = { level: 'snapshot' };
const failing = { $expr: { $divide: [1, { $subtract: ['$n', 2] }] } };

it.each<[string, object]>([
  ['find', { find: 'docs' }],
  ['a find in a view', { find: 'seen' }],
  ['a find that fails', { find: 'docs', filter: failing }],
  ['count', { count: 'docs' }],
  ['a count in a view', { count: 'seen' }],
  ['distinct', { distinct: 'docs', key: 'n' }],
  ['a distinct in a view', { distinct: 'seen', key: 'n' }],
  ['aggregate', { aggregate: 'docs', pipeline: [], cursor: {} }],
  ['aggregate with explain', { aggregate: 'docs', pipeline: [], explain: true }],
  ['an explain that fails', { aggregate: 'docs', pipeline: [{ $match: failing }], explain: true }],
  ['explain of find', { explain: { find: 'docs' } }],
  ['explain of aggregate', { explain: { aggregate: 'docs', pipeline: [], cursor: {} } }],
  ['explain of a wrong command', { explain: { find: 'docs', filter: { $bogus: 1 } } }],
  ['explain of aggregate in a view', { explain: { aggregate: 'seen', pipeline: [], cursor: {} } }],
])('a snapshot that %s read from is let go', async (_title, command) => {
  await db.command({ ...command, readConcern }).catch(() => {});
  expect(openCount()).toBe(0);
});

it('a cursor keeps its snapshot until it is closed', async () => {
  const command = { find: 'docs', batchSize: 1, readConcern };
  const first = await db.command(command);
  expect(openCount()).toBe(1);
  await db.command({ getMore: first['cursor'].id, collection: 'docs' }).catch(() => {});
  await db.command({ killCursors: 'docs', cursors: [first['cursor'].id] });
  expect(openCount()).toBe(0);
});
