// #region with Jest
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const Account = mongoose.model('Account', new mongoose.Schema({ email: { type: String, unique: true } }));
let mongo: EmbeddedMongo;

beforeAll(async () => {
  mongo = await EmbeddedMongo.start();
  await mongoose.connect(mongo.uri);
});

beforeEach(async () => {
  await mongoose.connection.dropDatabase();
  await Account.createIndexes();
});

afterAll(async () => {
  await mongoose.disconnect();
  await mongo.stop();
});

it('refuses a second account with the same address', async () => {
  await Account.create({ email: 'ada@example.com' });
  await expect(Account.create({ email: 'ada@example.com' })).rejects.toMatchObject({ code: 11000 });
});
// #endregion
