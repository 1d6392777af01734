import { describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

describe('names that are the server’s own', () => {
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  useTestServer('embedded_namespaces', (connected) => {
    client = connected;
    db = client.db('embedded_namespaces');
  });

  it.each([
    { insert: 'system.foo', documents: [{}] },
    { insert: 'system.profile', documents: [{}] },
    { insert: 'system.views', documents: [{}] },
    { insert: 'a.system.b', documents: [{}] },
    { update: 'system.foo', updates: [{ q: {}, u: { $set: { a: 1 } } }] },
    { delete: 'system.profile', deletes: [{ q: {}, limit: 0 }] },
    { findAndModify: 'system.foo', remove: true },
    { create: 'system.foo' },
    { createIndexes: 'system.foo', indexes: [{ key: { a: 1 }, name: 'a' }] },
  ])('refuse %j', async (command) => {
    await expect(db.command(command)).rejects.toMatchObject({ code: 73, codeName: 'InvalidNamespace' });
  });

  it('let clients write what applications keep there', async () => {
    expect(await db.command({ insert: 'system.js', documents: [{ _id: 'f', value: 1 }] })).toMatchObject({ n: 1 });
    expect(await db.command({ drop: 'system.js' })).toMatchObject({ ns: 'embedded_namespaces.system.js' });
    const local = client.db('local').collection('embedded_namespaces');
    await local.insertOne({ a: 1 });
    expect(await local.countDocuments()).toBe(1);
    await local.drop();
  });

  it('keep the oplog from being written', async () => {
    const local = client.db('local');
    await expect(local.command({ insert: 'oplog.rs', documents: [{}] })).rejects.toMatchObject({ code: 73 });
    await expect(local.command({ drop: 'oplog.rs' })).rejects.toMatchObject({ code: 5255000 });
  });

  it.each(['admin', 'local'])('keep the database %s from being dropped', async (name) => {
    await expect(client.db(name).command({ dropDatabase: 1 })).rejects.toMatchObject({ code: 20 });
  });

  it.each([
    [{ $out: 'system.foo' }, 17385],
    [{ $out: { db: 'local', coll: 'foo' } }, 31321],
    [{ $merge: 'system.foo' }, 31319],
    [{ $merge: { into: { db: 'config', coll: 'foo' } } }, 31320],
  ])('refuse the pipeline stage %j', async (stage, code) => {
    await expect(db.collection('docs').aggregate([stage]).toArray()).rejects.toMatchObject({ code });
  });
});

describe('arguments of commands that define collections and indexes', () => {
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  useTestServer('embedded_definitions', (connected) => {
    client = connected;
    db = client.db('embedded_definitions');
  });

  const index = (spec: Record<string, unknown>) => ({ createIndexes: 'docs', indexes: [{ key: { a: 1 }, ...spec }] });

  it.each([
    ['an index without a name', index({}), 9],
    ['an index without a key', { createIndexes: 'docs', indexes: [{ name: 'a' }] }, 9],
    ['a flag that is none', index({ name: 'a', unique: 'yes' }), 14],
    ['an index version nobody knows', index({ name: 'a', v: 3 }), 67],
    ['expiry of an ordinary collection', { create: 'docs', expireAfterSeconds: 10 }, 72],
    ['a capped collection without room', { create: 'docs', capped: true, size: 0 }, 51024],
    ['more documents than a capped collection can hold', { create: 'docs', capped: true, size: 1, max: 2 ** 31 }, 2],
    ['dropping a database by another number than 1', { dropDatabase: 2 }, 5255100],
  ])('refuse %s', async (_what, command, code) => {
    await expect(db.command(command)).rejects.toMatchObject({ code });
  });
});
