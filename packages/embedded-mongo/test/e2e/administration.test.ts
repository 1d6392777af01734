import { beforeEach, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { useTestServer } from '../support/connected.js';

describe('administrative commands', () => {
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  useTestServer('embedded_administration', (connected) => {
    client = connected;
    db = client.db('embedded_administration');
  });

  beforeEach(async () => {
    await db.dropDatabase();
    await db.collection('docs').insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
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

  it('keep the collation of a collection they convert to a capped one', async () => {
    const collation = { locale: 'en', strength: 2 };
    const names = await db.createCollection('names', { collation });
    await names.insertOne({ name: 'Ada' });
    await db.command({ convertToCapped: 'names', size: 4096 });
    expect(await names.countDocuments({ name: 'ADA' })).toBe(1);
  });

  it('validate documents by the collation of their collection, but not those of a $jsonSchema', async () => {
    const collation = { locale: 'en', strength: 2 };
    const loose = await db.createCollection('loose', { collation, validator: { name: 'ada' } });
    await expect(loose.insertOne({ name: 'ADA' })).resolves.toMatchObject({ acknowledged: true });
    const schema = { $jsonSchema: { properties: { name: { enum: ['ada'] } } } };
    const strict = await db.createCollection('strict', { collation, validator: schema });
    await expect(strict.insertOne({ name: 'ADA' })).rejects.toMatchObject({ code: 121 });
  });

  it('refuse every document where their validator cannot be computed, and tell which rules it has broken', async () => {
    const never = await db.createCollection('never', { validator: { $expr: { $toLower: { $literal: [1] } } } });
    await expect(never.insertOne({ n: 1 })).rejects.toMatchObject({ code: 121 });
    const schema = { properties: { n: { maximum: 3, exclusiveMaximum: true } }, additionalProperties: false };
    const bounded = await db.createCollection('bounded', { validator: { $jsonSchema: schema } });
    await expect(bounded.insertOne({ n: 3 })).rejects.toMatchObject({
      code: 121,
      errInfo: {
        details: {
          schemaRulesNotSatisfied: [{ operatorName: 'properties' }, { operatorName: 'additionalProperties' }],
        },
      },
    });
  });

  it('refuse a document on which their validator fails with an error', async () => {
    const failing = await db.createCollection('failing', { validator: { $expr: { $lt: [{ $ln: '$n' }, 1] } } });
    await expect(failing.insertOne({ n: 'x' })).rejects.toMatchObject({ code: 121 });
    await expect(failing.insertOne({ n: 1 })).resolves.toMatchObject({ acknowledged: true });
  });

  it('refuse capped sizes that there cannot be, and validators where none may be', async () => {
    await expect(db.createCollection('no', { capped: true, size: -1 })).rejects.toMatchObject({ code: 51024 });
    await expect(db.command({ convertToCapped: 'docs', size: 2 ** 70 })).rejects.toMatchObject({ code: 2 });
    const admin = client.db('admin');
    await expect(admin.createCollection('no', { validator: { a: 1 } })).rejects.toMatchObject({ code: 72 });
  });

  it('are known by their old names and take arguments that are undefined for absent', async () => {
    const { value } = await db.command({ findandmodify: 'docs', query: { n: 1 }, update: { $set: { n: 9 } } });
    expect(value).toMatchObject({ n: 1 });
    expect(await db.command({ collstats: 'docs', scale: undefined }, { ignoreUndefined: false })).toMatchObject({
      count: 3,
    });
  });

  it('tell how large a collection is', async () => {
    const size = await db.command({ dataSize: 'embedded_administration.docs' });
    expect(size).toMatchObject({ numObjects: 3, size: 3 * 29 });
    await db.collection('docs').createIndex({ n: 1 });
    const range = { keyPattern: { n: 1 }, min: { n: 1 }, max: { n: 3 } };
    expect(await db.command({ dataSize: 'embedded_administration.docs', ...range })).toMatchObject({ numObjects: 2 });
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

  it('profile the operations of a database', async () => {
    expect(await db.command({ profile: 2 })).toMatchObject({ was: 0, slowms: 100 });
    const docs = db.collection('docs');
    await docs.find({ n: { $gt: 1 } }).toArray();
    await docs.updateOne({ n: 1 }, { $set: { n: 0 } });
    await docs.deleteOne({ n: 0 });
    await docs.updateOne({ n: 1 }, { $bogus: {} }).catch(() => {});
    await expect(db.command({ drop: 'system.profile' })).rejects.toMatchObject({ code: 20 });
    expect(await db.command({ profile: 0 })).toMatchObject({ was: 2 });
    await docs.findOne();
    expect(await db.collection('system.profile').find().toArray()).toMatchObject([
      { op: 'query', ns: 'embedded_administration.docs', command: { find: 'docs' }, nreturned: 2 },
      { op: 'update', command: { q: { n: 1 }, u: { $set: { n: 0 } } }, nMatched: 1 },
      { op: 'remove', ndeleted: 1 },
      { op: 'update' },
    ]);
  });

  it('profile what is long in part, and answer though a filter fails', async () => {
    await db.command({ profile: 2 });
    const long = 'x'.repeat(200_000);
    await db.collection('docs').find({ text: long }).toArray();
    await db.command({ profile: 1, filter: { $expr: { $divide: [1, '$responseLength'] } } });
    expect(await db.collection('docs').findOne({ text: long })).toBeNull();
    await db.command({ profile: 1, filter: { $expr: { $toInt: '$ns' } } });
    expect(await db.collection('docs').findOne({ text: long })).toBeNull();
    await db.command({ profile: 0, filter: 'unset' });
    const [entry] = await db.collection('system.profile').find({ op: 'query', 'command.$truncated': { $exists: true } }).toArray(); // prettier-ignore
    expect(entry!['command'].$truncated).toHaveLength(50 * 1024 + 3);
  });

  it('profile only what is slow, or what a filter lets pass', async () => {
    await db.command({ profile: 1, slowms: 60_000 });
    await db.collection('docs').findOne();
    await db.command({ profile: 1, filter: { 'command.find': 'docs' } });
    await db.collection('docs').findOne();
    await db.collection('docs').countDocuments();
    await db.command({ profile: 0, filter: 'unset', slowms: 100 });
    expect(await db.collection('system.profile').find().toArray()).toMatchObject([{ op: 'query' }]);
  });

  it('refuse a cluster time that is none', async () => {
    await client.withSession(async (session) => {
      // The driver sends the session's time if that is the greater one; a function is no BSON.
      Object.assign(session, { clusterTime: { clusterTime: { greaterThan: () => true } } });
      await expect(db.command({ ping: 1 }, { session })).rejects.toMatchObject({ code: 14 });
    });
  });
});
