import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const CALLS: Record<string, (model: mongoose.Model<{ n: number }>) => Promise<unknown>> = {
  'find()': (model) => model.find(),
  'find().lean()': (model) => model.find().lean(),
  'findOne()': (model) => model.findOne(),
  'countDocuments()': (model) => model.countDocuments(),
  'estimatedDocumentCount()': (model) => model.estimatedDocumentCount(),
  'distinct()': (model) => model.distinct('n'),
  'exists()': (model) => model.exists({ n: 1 }),
  'aggregate()': (model) => model.aggregate([{ $match: { n: 1 } }]),
  'aggregate().cursor()': (model) => model.aggregate([]).cursor().next(),
  'find().cursor()': (model) => model.find().cursor().next(),
  'for await': async (model) => {
    for await (const document of model.find()) return document;
  },
  'create()': (model) => model.create({ n: 1 }),
  'insertMany()': (model) => model.insertMany([{ n: 1 }]),
  'updateOne()': (model) => model.updateOne({ n: 1 }, { n: 2 }),
  'findOneAndDelete()': (model) => model.findOneAndDelete({ n: 1 }),
  'bulkWrite()': (model) => model.bulkWrite([{ insertOne: { document: { n: 1 } } }]),
  'createCollection() and a write': async (model) => {
    await model.createCollection();
    await model.create({ n: 1 });
  },
  'collection.find()': (model) => model.collection.find().toArray(),
  'collection.insertOne()': (model) => model.collection.insertOne({ n: 1 }),
  'collection.initializeOrderedBulkOp()': (model) => insertAndCount(model.collection.initializeOrderedBulkOp()),
  'collection.initializeUnorderedBulkOp()': (model) => insertAndCount(model.collection.initializeUnorderedBulkOp()),
};

async function insertAndCount(bulk: mongoose.mongo.OrderedBulkOperation | mongoose.mongo.UnorderedBulkOperation) {
  bulk
    .insert({ n: 1 })
    .find({ n: 1 })
    .updateOne({ $set: { n: 2 } });
  expect(await bulk.execute()).toMatchObject({ insertedCount: 1, modifiedCount: 1 });
}

const schemaOfItems = () => new mongoose.Schema<{ n: number }>({ n: Number });

describe('the first call on a database whose pool is cold', () => {
  let server: TestServer;
  let polymongo: PolyMongoWrapper;
  const name = uniqueName('cold');

  beforeAll(async () => {
    server = await startTestServer();
  });
  beforeEach(() => {
    polymongo = new PolyMongoWrapper({ mongoURI: server.uri });
  });
  afterEach(async () => {
    await polymongo.pools.connectionOf(name).dropDatabase();
    await polymongo.actions.closeAll();
  });
  afterAll(() => server.stop());

  it.each(Object.keys(CALLS))('%s waits for it and answers', async (call) => {
    const model = polymongo.wrapModel(new mongoose.Mongoose().model('Item', schemaOfItems())).db(name);
    expect(model.db.readyState).toBe(0);
    await CALLS[call]!(model as unknown as mongoose.Model<{ n: number }>);
    expect(model.db.readyState).toBe(1);
  });

  it('a stream that watch() gives is opened before a write that is made after it', async () => {
    const model = polymongo.wrapModel(new mongoose.Mongoose().model('Item', schemaOfItems())).db(name);
    const stream = model.watch();
    const change = new Promise((resolve) => stream.once('change', resolve));
    await model.create({ n: 1 });
    expect(await change).toMatchObject({ operationType: 'insert', fullDocument: { n: 1 } });
    await stream.close();
  });
});
